"""How well the detector does on labelled text."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from allonym import _allonym, _html

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl


def evaluate(
    data: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    labels: Mapping[str, str | Sequence[str]] | None = None,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    text_field: str = "text",
    baseline: Evaluation | None = None,
) -> Evaluation:
    """Measure the detector on labelled text: precision, recall, leaks and reliability.

    Parameters
    ----------
    data
        The path of labelled JSON Lines, or documents: mappings with the text, ``spans`` (each with
        ``start`` and ``end`` in code points, and ``label`` or ``entity``) and, where known, ``lang`` and
        ``source``. What one source never marks is not scored in its texts.
    labels
        What the labels stand for: one entity or several. Names of entities and the labels that
        corpora commonly use (``EMAIL``, ``PHONE``, ``NATIONAL_ID`` ...) are known.
    entities, countries, languages, min_score
        As for :func:`find`.
    text_field
        Which field holds the text.
    baseline
        An earlier evaluation; what changed is reported.

    Returns
    -------
    Evaluation
        Counts and rates with 95 % intervals, never a text.

    Raises
    ------
    DataError
        Documents that cannot be read, spans outside their text; the line is named.
    RuleError
        An entity or country that no rule knows.
    UsageError
        Labels that stand for no known entity.
    """
    taken: Any
    if isinstance(data, (str, os.PathLike)):
        taken = os.fspath(data)
    else:
        taken = [json.dumps(dict(document)) for document in data]
    said = _allonym.evaluate(
        taken,
        labels=_toml(labels) if labels else None,
        entities=entities,
        countries=countries,
        languages=languages,
        min_score=min_score,
        text_field=text_field,
        baseline=baseline.to_json() if baseline is not None else None,
    )
    return Evaluation(said)


class Evaluation:
    """How well the detector did: counts and rates with 95 % intervals, never a text.

    ``entities`` and ``overall`` have the form of ``allonym eval --format json``: ``gold``, ``found``,
    ``strict`` and ``overlap`` (each ``precision``, ``recall``, ``f1``, ``f2``), ``leak_rate`` and
    ``false_alarms_per_mb``; a number is ``{"value", "low", "high"}``.
    """

    def __init__(self, said: str) -> None:
        self._json = said
        self._said: dict[str, Any] = json.loads(said)

    @property
    def entities(self) -> dict[str, dict[str, Any]]:
        """By entity, or by label where it stands for several."""
        return self._said["entities"]

    @property
    def overall(self) -> dict[str, Any]:
        """All together."""
        return self._said["overall"]

    @property
    def languages(self) -> dict[str, dict[str, Any]]:
        """All together, by language of the documents."""
        return self._said["languages"]

    @property
    def reliability(self) -> list[dict[str, Any]]:
        """Scores against the share of findings that was right, by tenths."""
        return self._said["reliability"]

    @property
    def changes(self) -> dict[str, Any] | None:
        """What changed since the baseline."""
        return self._said.get("baseline")

    def to_json(self) -> str:
        """Give the JSON that ``allonym eval FILE --format json`` prints."""
        return self._json

    def to_polars(self) -> pl.DataFrame:
        """Give a polars frame with one row for each entity; rates by overlap."""
        import polars as pl

        columns = ("precision", "recall", "f1", "f2")
        rows = [
            {
                "entity": name,
                "gold": scored["gold"],
                "found": scored["found"],
                **{column: scored["overlap"][column]["value"] for column in columns},
                "strict_f1": scored["strict"]["f1"]["value"],
                "leak_rate": scored["leak_rate"]["value"],
            }
            for name, scored in self.entities.items()
        ]
        counts = {"gold": pl.Int64, "found": pl.Int64}
        rates = dict.fromkeys([*columns, "strict_f1", "leak_rate"], pl.Float64)
        return pl.DataFrame(rows, schema={"entity": pl.String, **counts, **rates})

    def __repr__(self) -> str:
        return _html.text(self._caption(), _HEADER, self._rows(), self._note())

    def _repr_html_(self) -> str:
        return _html.page(self._caption(), _HEADER, self._rows(), self._note())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __reduce__(self) -> tuple[type[Evaluation], tuple[str]]:
        return Evaluation, (self._json,)

    def _caption(self) -> str:
        said = self._said
        return f"{said['documents']:,} documents · {said['bytes']:,} bytes"

    def _rows(self) -> list[list[str]]:
        every = [*self.entities.items(), ("all", self.overall)]
        return [
            [
                name,
                f"{scored['gold']:,}",
                f"{scored['found']:,}",
                _interval(scored["overlap"]["precision"]),
                _interval(scored["overlap"]["recall"]),
                _share(scored["strict"]["f1"]),
                _interval(scored["leak_rate"]),
            ]
            for name, scored in every
        ]

    def _note(self) -> str:
        left_out = self._said["not_scored"]
        names = ", ".join([*left_out["labels"], *left_out["entities"]])
        note = "A finding is right where it overlaps what was marked so; strict F1 asks for every character."
        return f"{note} Not scored: {names}." if names else note


def _toml(labels: Mapping[str, str | Sequence[str]]) -> str:
    # JSON strings of ASCII are TOML strings.
    lines: list[str] = []
    for label, names in labels.items():
        entities = [names] if isinstance(names, str) else list(names)
        lines += [f"[{json.dumps(label)}]", f"entities = {json.dumps(entities)}"]
    return "\n".join(lines)


def _interval(value: dict[str, Any]) -> str:
    if value["value"] is None:
        return "–"
    return f"{value['value']:.3f} ({value['low']:.3f}–{value['high']:.3f})"


def _share(value: dict[str, Any]) -> str:
    return "–" if value["value"] is None else f"{value['value']:.3f}"


_HEADER = ("entity", "marked", "found", "precision", "recall", "strict F1", "leaked")
