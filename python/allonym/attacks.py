"""Membership-inference attacks: how much a model gives away about who was in its training data.

Arrays are of N records, K reference models and Z population records, which no model was trained
on. ``references`` and ``members`` are K x N, the latter truth values; labels, probabilities and
features stand by record. Anything that holds numbers will do: NumPy, whatever NumPy takes, or lists.

Every attack gives ``Scores``: one number for each record, larger for whoever is more likely to have
been trained on. ``numpy.asarray`` takes them, so do Arrow libraries. A record whose signals are NaN
or infinite is dropped: its score is NaN and is counted; ``counts``, ``flags`` and ``flagged`` say
what else must be known.

What an attack does not find may still be there.

>>> import allonym as al
>>> references = [[2.0, 0.1], [0.0, 0.3], [1.8, -0.2], [0.4, 0.0]]
>>> members = [[True, False], [False, True], [True, True], [False, False]]
>>> scores = al.attacks.lira([2.1, 0.0], references, members)
>>> scores[0] > scores[1]
True
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Literal, NoReturn

from allonym import _allonym
from allonym._allonym import Scores
from allonym._signals import codes, packed
from allonym.exceptions import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from allonym._signals import Numbers

__all__ = [
    "Scores",
    "gap",
    "lira",
    "loss",
    "modified_entropy",
    "offset",
    "population",
    "qmia",
    "rmia",
    "t_lira",
    "text",
]


def loss(conf: Numbers) -> Scores:
    """Score by the logarithm of the target's confidence in the true class (A1).

    Parameters
    ----------
    conf
        Confidence in the true class, N numbers in [0, 1].

    Returns
    -------
    Scores
        A confidence of zero counts as the smallest single-precision number and is flagged.

    Raises
    ------
    DataError
        A confidence outside of [0, 1].

    Notes
    -----
    Yeom et al., arXiv 1709.01604.
    """
    return _allonym.attack_loss(packed(conf, "conf"))


def population(
    conf: Numbers,
    population: Numbers,
    *,
    groups: Iterable[object] | None = None,
    population_groups: Iterable[object] | None = None,
) -> Scores:
    """Score by the share of population records with a lower confidence (A2).

    Parameters
    ----------
    conf
        The target's confidence in the true class, N numbers in [0, 1].
    population
        The same on records that it was not trained on, Z numbers.
    groups, population_groups
        Group of each record, such as its class; records are compared within their group. Both or
        none.

    Returns
    -------
    Scores
        One minus the score is a p-value. A record whose group has no population record is not
        scored and is flagged ``no_group``.

    Raises
    ------
    DataError
        Lengths that do not fit, a confidence outside of [0, 1], no usable population record.
    UsageError
        One of the two groups without the other.

    Notes
    -----
    Ye et al., arXiv 2111.09679.
    """
    if (groups is None) != (population_groups is None):
        message = "`groups` and `population_groups` go together"
        raise UsageError(message, "ALO-U010", None, 2)
    grouped = None
    if groups is not None and population_groups is not None:
        grouped = codes(groups, population_groups)
    return _allonym.attack_population(
        packed(conf, "conf"), packed(population, "population"), grouped
    )


def offset(
    logit: Numbers,
    references: Numbers,
    members: Numbers,
    *,
    mode: Literal["online", "offline", "both", "out"],
) -> Scores:
    """Score by how far the target's signal lies above the references' (A3).

    Parameters
    ----------
    logit
        The target's logits, N numbers; any signal that grows with membership will do.
    references
        The references' logits, K x N.
    members
        Whether each reference was trained on each record, K x N truth values.
    mode
        ``"offline"`` (or ``"out"``) takes away the median of the references without the record,
        ``"online"`` (or ``"both"``) the mean of that median and the one of those with it.

    Returns
    -------
    Scores
        A record that lacks a side it needs is not scored and is flagged.

    Raises
    ------
    DataError
        Shapes that do not fit, fewer than two references, masks that are all in or all out.

    Notes
    -----
    Watson et al., arXiv 2111.08440; Sablayrolles et al., arXiv 1908.11229.
    """
    return _allonym.attack_offset(
        packed(logit, "logit"), packed(references, "references"), packed(members, "members"), mode
    )


def lira(
    logit: Numbers,
    references: Numbers,
    members: Numbers,
    *,
    mode: Literal["online", "offline", "offline_density"] = "online",
    variance: Literal["per_record", "fixed", "authors_fixed"] = "per_record",
) -> Scores:
    """Score by the likelihood ratio of normal laws fitted to each record's references (A4).

    Parameters
    ----------
    logit
        The target's logits ``log p - log(sum of the other classes)``, N numbers.
    references
        The references' logits, K x N.
    members
        Whether each reference was trained on each record, K x N truth values.
    mode
        ``"online"``: with the record against without. ``"offline"``: the paper's one-sided test
        against the references without. ``"offline_density"``: as the authors' script scores, which
        takes unusually low signals for members too; for comparison only.
    variance
        ``"per_record"``; ``"fixed"``, one spread for each side around the records' medians, for
        few references; ``"authors_fixed"``, as the authors' script has it, for comparison only.

    Returns
    -------
    Scores
        A side without spread gets the smallest that single precision shows and is flagged
        ``no_spread``; a record that lacks a side it needs is not scored and is flagged.

    Raises
    ------
    DataError
        Shapes that do not fit, fewer than two references, masks that are all in or all out.

    Notes
    -----
    Carlini et al., arXiv 2112.03570.
    """
    return _allonym.attack_lira(
        packed(logit, "logit"),
        packed(references, "references"),
        packed(members, "members"),
        mode,
        variance,
    )


def t_lira(
    logit: Numbers,
    references: Numbers,
    members: Numbers,
    *,
    mode: Literal["online", "offline"] = "online",
    nu0: float = 4,
) -> Scores:
    """Score as ``lira`` by Student's t laws drawn towards the pooled variance (A6).

    Parameters
    ----------
    logit
        The target's logits, N numbers.
    references
        The references' logits, K x N.
    members
        Whether each reference was trained on each record, K x N truth values.
    mode
        ``"online"`` or ``"offline"``, as in ``lira``.
    nu0
        How many observations the pooled variance counts for.

    Returns
    -------
    Scores
        A record that lacks a side is scored by that side's pooled law, and flagged.

    Raises
    ------
    DataError
        Shapes that do not fit, fewer than two references, masks that are all in or all out.

    Notes
    -----
    After arXiv 2603.11799, with a pooled prior.
    """
    return _allonym.attack_t_lira(
        packed(logit, "logit"),
        packed(references, "references"),
        packed(members, "members"),
        mode,
        nu0,
    )


def rmia(
    conf: Numbers,
    references: Numbers,
    members: Numbers,
    population: Numbers,
    population_references: Numbers,
    *,
    mode: Literal["online", "offline"] = "online",
    gamma: float = 1.0,
    a: float = 0.3,
) -> Scores:
    """Score by likelihood ratios compared with those of population records (A5).

    Parameters
    ----------
    conf
        The target's confidence in the true class, N numbers in [0, 1].
    references
        The references' confidences, K x N.
    members
        Whether each reference was trained on each record, K x N truth values.
    population
        The target's confidences in the population, Z numbers.
    population_references
        The references' confidences in the population, K x Z.
    mode
        ``"online"`` or ``"offline"``: with or without references trained on the record.
    gamma
        How far the ratio must lie above one.
    a
        Offline: how far references without the record stand for those with it, in [0, 1]; tune it
        on a left-out reference, never on the target.

    Returns
    -------
    Scores
        The share of the population that each record outdoes, with ties; ``ratio`` holds the
        scores that rank alike without ties, for the curve.

    Raises
    ------
    DataError
        Shapes that do not fit, confidences outside of [0, 1], fewer than two references, masks
        that are all in or all out, no usable population record.

    Notes
    -----
    Zarifzadeh et al., arXiv 2312.03262.
    """
    return _allonym.attack_rmia(
        packed(conf, "conf"),
        packed(references, "references"),
        packed(members, "members"),
        packed(population, "population"),
        packed(population_references, "population_references"),
        mode,
        gamma,
        a,
    )


def qmia(
    logit: Numbers,
    features: Numbers,
    population: Numbers,
    population_features: Numbers,
    *,
    fpr: float,
) -> Scores:
    """Score by how far the logit lies above what non-members with the same features reach (A7).

    Parameters
    ----------
    logit
        The target's logits, N numbers.
    features
        What each record looks like, N x F.
    population
        The target's logits in records that it was not trained on, Z numbers.
    population_features
        Their features, Z x F.
    fpr
        Share of the population that may lie above its quantile, in (0, 1).

    Returns
    -------
    Scores
        Above zero where the record is guessed to be a member. No references are needed.

    Raises
    ------
    DataError
        Shapes that do not fit, fewer usable population records than ``1 / fpr``.

    Notes
    -----
    Bertran et al., arXiv 2307.03694, with a linear quantile regression.
    """
    return _allonym.attack_qmia(
        packed(logit, "logit"),
        packed(features, "features"),
        packed(population, "population"),
        packed(population_features, "population_features"),
        fpr,
    )


def gap(probs: Numbers, labels: Numbers) -> Scores:
    """Score 1 where the most likely class is the true one, else 0 (A8).

    Parameters
    ----------
    probs
        The target's probabilities, N x C.
    labels
        True classes, N whole numbers from 0.

    Returns
    -------
    Scores
        The first of several equally likely classes counts.

    Raises
    ------
    DataError
        Lengths that do not fit, probabilities outside of [0, 1], a label that is missing or no
        class.

    Notes
    -----
    Yeom et al., arXiv 1709.01604.
    """
    return _allonym.attack_gap(packed(probs, "probs"), packed(labels, "labels"))


def modified_entropy(probs: Numbers, labels: Numbers) -> Scores:
    """Score by the modified entropy of the target's probabilities, negated (A8).

    Parameters
    ----------
    probs
        The target's probabilities, N x C.
    labels
        True classes, N whole numbers from 0.

    Returns
    -------
    Scores
        A logarithm of zero is taken at the smallest single-precision number and flagged.

    Raises
    ------
    DataError
        Lengths that do not fit, probabilities outside of [0, 1], a label that is missing or no
        class.

    Notes
    -----
    Song and Mittal, arXiv 2003.10595.
    """
    return _allonym.attack_modified_entropy(packed(probs, "probs"), packed(labels, "labels"))


def text(
    log_probabilities: Iterable[Iterable[float]],
    *,
    score: Literal["mean", "min_k", "zlib", "reference"] = "mean",
    k: float = 0.2,
    texts: Iterable[str] | None = None,
    reference: Iterable[Iterable[float]] | None = None,
) -> Scores | list[float]:
    """Score texts by what a language model says of their tokens (A9).

    These prove membership only where it was decided by chance: members and non-members that differ
    in date or topic are told apart without any leak (arXiv 2402.07841).

    Parameters
    ----------
    log_probabilities
        For each text, the log-probability of each of its tokens.
    score
        ``"mean"``, ``"min_k"`` (the lowest share ``k`` of the tokens), ``"zlib"`` (the mean for each
        compressed byte of ``texts``) or ``"reference"`` (the mean less that of another model).
    k
        Share of the tokens that ``"min_k"`` looks at; of standardised log-probabilities it is
        Min-K%++.
    texts
        The texts, for ``"zlib"``.
    reference
        Log-probabilities of another model, for ``"reference"``.

    Returns
    -------
    Scores or list of float
        One number for each text, larger for likelier members; NaN of a text without tokens, or with
        one whose log-probability is not finite.

    Raises
    ------
    DataError
        Something that is no number, texts that are not as many.
    UsageError
        A ``k`` outside of (0, 1], a score whose argument is missing.

    Notes
    -----
    Carlini et al., arXiv 2012.07805; Shi et al., arXiv 2310.16789; Zhang et al., arXiv 2404.02936.
    """
    means = _allonym.attack_text(_tokens(log_probabilities), k if score == "min_k" else 1.0)
    if score in {"mean", "min_k"}:
        return means
    if score == "zlib":
        if texts is None:
            _missing("`texts` is needed for their compressed lengths")
        others = [float(len(zlib.compress(text.encode(), 9))) for text in texts]
    elif score == "reference":
        if reference is None:
            _missing("`reference` is needed: what another model says of the same texts")
        others = _allonym.attack_text(_tokens(reference), 1.0).tolist()
    else:
        _missing('`score` must be one of "mean", "min_k", "zlib", "reference"')
    if len(others) != len(means):
        message = f"there are {len(others)} texts to compare with, for {len(means)}"
        raise DataError(message, "ALO-D006", None, 3)
    if score == "zlib":
        return [mean / other for mean, other in zip(means.tolist(), others, strict=True)]
    return [mean - other for mean, other in zip(means.tolist(), others, strict=True)]


def _tokens(log_probabilities: Iterable[Iterable[float]]) -> list[list[float]]:
    try:
        return [[float(token) for token in tokens] for tokens in log_probabilities]
    except (TypeError, ValueError):
        message = "`log_probabilities` must hold numbers, one list for each text"
    # The item itself may be personal, and so is never told.
    raise DataError(message, "ALO-D006", None, 3)


def _missing(message: str) -> NoReturn:
    raise UsageError(message, "ALO-U010", None, 2)
