"""Findings in text, and tokens of single columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, cast

from allonym import _allonym, _arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allonym._allonym import Keyring, Span, Spans

T = TypeVar("T")

Names = Literal["recall", "balanced", "precision", "off"]
"""How eagerly names of people are looked for."""


class Rule(TypedDict):
    """What is known of a rule; ``allonym rules show ID`` tells the rest."""

    id: str
    entity: str
    title: str
    group: str
    category: str
    countries: list[str]
    checks: list[str]
    source: str
    path: str


def find(
    text: str,
    *,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    names: Names = "balanced",
) -> list[Span]:
    """Find personal data in one text.

    Parameters
    ----------
    text
        The text.
    entities
        Kinds to look for, by the names of ``allonym rules list``; all when left out.
    countries
        ISO 3166-1 alpha-2. Rules of other countries are left out; rules of none stay.
    languages
        ISO 639-1. Narrows the words that make a weak finding stronger.
    min_score
        Findings below are left out; 0.5 when left out. With 0.0 weak shapes are told too, such as
        a bare number of nine digits.
    names
        How eagerly names of people are looked for. The rules of this version find no names in
        running text, so that all words mean the same so far.

    Returns
    -------
    list of Span
        Disjoint, in order; positions count code points, so that ``text[span.start:span.end]`` is
        the finding. A score is the rule's probability of being right, measured on other texts; it
        says nothing about what was missed.

    Raises
    ------
    RuleError
        An entity or country that no rule knows; the message names the nearest.
    UsageError
        A ``min_score`` outside ``[0, 1]`` or an unknown ``names``.

    Examples
    --------
    >>> [span.entity for span in find("write to zoe.muster@example.org")]
    ['EMAIL_ADDRESS']
    """
    return _allonym.find(
        text,
        entities=entities,
        countries=countries,
        languages=languages,
        min_score=min_score,
        names=names,
    )


def find_batch(
    texts: Any,
    *,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    names: Names = "balanced",
) -> Spans:
    """Find personal data in many texts, several at a time.

    Parameters
    ----------
    texts
        A list of strings, a polars or pandas series, a pyarrow or NumPy array, or any array with
        the Arrow capsule interface. ``None`` has no findings.
    entities, countries, languages, min_score, names
        As for :func:`find`.

    Returns
    -------
    Spans
        An Arrow stream (``doc, start, end, entity, score, rule``) that any frame library reads;
        ``doc`` is the index of the text. See :func:`find` for what a score is not.

    Raises
    ------
    DataError
        An array of something else than text.
    RuleError, UsageError
        As for :func:`find`.
    """
    column, _ = _arrays.column(texts)
    return _allonym.find_batch(
        column,
        entities=entities,
        countries=countries,
        languages=languages,
        min_score=min_score,
        names=names,
    )


def redact(
    texts: T,
    *,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    names: Names = "balanced",
) -> T:
    """Replace each finding by its label, as in ``"write to <EMAIL>"``.

    Parameters
    ----------
    texts
        A string, or whatever :func:`find_batch` takes.
    entities, countries, languages, min_score, names
        As for :func:`find`.

    Returns
    -------
    same type as ``texts``
        Nulls stay null. What no rule finds stays in the text: this lowers the amount of personal
        data, it does not prove that none is left.

    Raises
    ------
    DataError, RuleError, UsageError
        As for :func:`find_batch`.
    """
    if isinstance(texts, str):
        column, restore = texts, cast("Any", str)
    else:
        column, restore = _arrays.column(texts)
    out = _allonym.redact(
        column,
        entities=entities,
        countries=countries,
        languages=languages,
        min_score=min_score,
        names=names,
    )
    return restore(out)


def validate(entity: str, value: str, *, country: str | None = None) -> bool:
    """Say whether the whole string is an ``entity``, by form and check digit.

    Parameters
    ----------
    entity
        A name of ``allonym rules list``.
    value
        The string; nothing around it is cut off.
    country
        ISO 3166-1 alpha-2, where an entity has another form in every country.

    Returns
    -------
    bool
        ``True`` does not say that the number was ever given to anybody.

    Raises
    ------
    RuleError
        An entity that no rule knows; the message names the nearest.

    Examples
    --------
    >>> validate("IBAN_CODE", "DE89 3704 0044 0532 0130 00")
    True
    >>> validate("IBAN_CODE", "DE88 3704 0044 0532 0130 00")
    False
    """
    return _allonym.validate(entity, value, country=country)


def rules() -> list[Rule]:
    """List the rules that find things, sorted by id.

    Returns
    -------
    list of dict
        Id, entity, title, group, category, countries, checks, source and file of each.
    """
    return cast("list[Rule]", json.loads(_allonym.rules()))


def tokenize(
    values: T,
    *,
    field: str,
    keys: Keyring | str | None = None,
    domain: str = "default",
    profile: str = "exact",
    key: str | None = None,
    tenant: str = "default",
    format: str = "base62",  # noqa: A002
) -> T:
    """Replace each value by its keyed token, exactly as a policy would.

    Parameters
    ----------
    values
        A list of strings and whole numbers, a polars or pandas series, a pyarrow or NumPy array,
        or any array with the Arrow capsule interface. Whole numbers are tokenized as their
        decimal. ``None`` and NaN stay null.
    field
        The join field: values get equal tokens within one field, and other ones across fields. In
        a policy it is ``join``, else the entity of the column, else its name.
    keys
        A keyring or a reference such as ``"file:PATH"`` or ``"env:NAME"``. When left out,
        ``ALLONYM_KEYS``, else the user's default ring.
    domain
        Tokens of two domains never join.
    profile
        What counts as the same value: ``exact``, ``casefold``, ``iban`` or ``e164`` (a telephone
        number in international form, however it is written).
    key
        Id or label; the tenant's active key when left out.
    tenant
        Whose key.
    format
        ``base62``, ``hex``, ``crockford`` or ``binary``.

    Returns
    -------
    same type as ``values``
        128 bits for each value. Equal values have equal tokens, so that frequencies show; values
        that can be listed, such as phone numbers, are as safe as the key and no safer.

    Raises
    ------
    PolicyError
        Floats, which are no ids.
    KeyStoreError
        No keyring, or no such key in it.
    UsageError
        An unknown ``profile`` or ``format``.
    """
    from allonym._policy import keyring_of

    column, restore = _arrays.column(values)
    out = _allonym.tokenize(
        column,
        keys=keyring_of(keys),
        domain=domain,
        field=field,
        profile=profile,
        key=key,
        tenant=tenant,
        format=format,
    )
    return restore(out)
