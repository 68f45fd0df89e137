"""Canaries that `allonym apply` planted: listed, and scored by what a model remembers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from allonym import _allonym
from allonym._allonym import Keyring

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from allonym._allonym import Stream


def canaries(
    receipt: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    keys: str | Keyring | None = None,
) -> Stream:
    """List the canaries that a receipt registers, planted or not.

    Which of them were planted is not told: score all of them.

    Parameters
    ----------
    receipt
        What ``allonym apply --canary-column`` or ``--canary-rows`` wrote beside its output.
    data
        Where the output is now, for canaries that are rows; where the receipt says when left out.
    keys
        The keyring that they were drawn by, or where it is.

    Returns
    -------
    Stream
        For ``polars.DataFrame(...)`` and the like: the number ``_allonym_canary`` of each, and its
        ``text`` or, where canaries are rows, the columns of the output.

    Raises
    ------
    UsageError
        A receipt that registers none.
    DataError
        An output that is not the one the receipt tells of: rows are made of its cells.
    KeyStoreError
        A keyring without the key.
    """
    place = None if data is None else Path(data)
    return _allonym.list_canaries(Path(receipt), place, _ring(keys))


def score_canaries(
    receipt: str | os.PathLike[str],
    scores: Mapping[int, float] | Sequence[float],
    *,
    delta: float = 1e-5,
    confidence: float = 0.95,
    keys: str | Keyring | None = None,
) -> CanaryScore:
    """Say what a model remembers of canaries, and prove a lower bound of epsilon by one run.

    Parameters
    ----------
    receipt
        The receipt that registers them.
    scores
        One number for each canary, in the order of :func:`canaries` or by its number; larger for what
        the model knows better: the mean log-probability of a text, the log-probability of a row's
        label.
    delta
        Of the bound.
    confidence
        Of the bound.
    keys
        As for :func:`canaries`.

    Returns
    -------
    CanaryScore
        Exposure in bits, and the bound.

    Raises
    ------
    DataError
        A canary without a score, a score that is no finite number, coins that all fell on one side.

    Notes
    -----
    Carlini et al., arXiv 1802.08232; Steinke, Nasr and Jagielski, arXiv 2305.08846.
    """
    by_number = scores if isinstance(scores, Mapping) else dict(enumerate(scores))
    plain = {int(number): float(score) for number, score in by_number.items()}
    told = _allonym.score_canaries_of(Path(receipt), plain, delta, confidence, _ring(keys))
    return CanaryScore(told)


class CanaryScore:
    """What a model remembers of canaries (``allonym.canaries/1``): numbers, and no canary."""

    def __init__(self, told: str) -> None:
        self._json = told
        self._told: dict[str, Any] = json.loads(told)

    @property
    def epsilon_at_least(self) -> float:
        """Lower bound of epsilon; zero proves nothing."""
        return self._told["epsilon_at_least"]

    @property
    def exposure_median(self) -> float:
        """Median exposure of the planted, in bits."""
        return self._told["exposure_median"]

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        return self._told["sentence"]

    def to_json(self) -> str:
        """Give the evidence."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """Give the evidence as Python objects."""
        return cast("dict[str, Any]", json.loads(self._json))

    def __repr__(self) -> str:
        told = self._told
        return (
            f"CanaryScore({told['sentence']}; exposure of the planted: median "
            f"{told['exposure_median']:.1f} of at most {told['exposure_limit']:.1f} bits)"
        )


def _ring(keys: str | Keyring | None) -> Keyring:
    return keys if isinstance(keys, Keyring) else Keyring.open(keys)
