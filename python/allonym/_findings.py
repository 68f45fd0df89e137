"""What a scan found."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from allonym import _allonym, _frames, _html
from allonym.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from allonym._policy import Policy


def scan(
    data: Any,
    *,
    rows: int = 50_000,
    full: bool = False,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    policy: Policy | None = None,
    seed: int = 0,
) -> Findings:
    """Look for personal data in a table, without showing any of it.

    Parameters
    ----------
    data
        The path of a file, or a table: polars, pandas, pyarrow, a DuckDB relation, a Hugging Face
        data set, or any object with the Arrow capsule interface. A named pandas index counts as
        columns.
    rows
        Rows of the sample, in strided blocks.
    full
        Look at every row. Do this before a release: a sample can miss rare values.
    entities, countries, languages
        As for :func:`find`; all when left out.
    policy
        Where countries and languages are left out, those of the policy's ``[find]`` count, and its
        own rules are used.
    seed
        Which blocks the sample takes.

    Returns
    -------
    Findings
        A judgement of each column. A column without a finding is one where no rule found
        something, which does not prove that nothing is there.

    Raises
    ------
    DataError
        Input that cannot be read.
    RuleError
        An entity or country that no rule knows.
    UsageError
        A folder of several files, or a sample of no rows.
    """
    if rows < 1 or seed < 0:
        message = "rows must be at least 1 and seed at least 0"
        raise UsageError(message, "ALO-U010", None, 2)
    if isinstance(data, (str, os.PathLike)):
        taken: Any = os.fspath(cast("str | os.PathLike[str]", data))
        kind = ""
    else:
        taken, kind = _frames.for_scan(data)
    found = _allonym.scan(
        taken,
        source=kind,
        rows=rows,
        full=full,
        entities=entities,
        countries=countries,
        languages=languages,
        policy=policy.core if policy is not None else None,
        seed=seed,
    )
    return Findings(found)


@dataclass(frozen=True)
class ColumnFinding:
    """What one column is judged to be; see :class:`Findings` for what the numbers mean."""

    name: str
    type: str
    entity: str | None
    group: str | None
    confidence: float
    share: float
    share_low: float
    share_high: float
    cells: int
    nulls: int
    distinct: int
    free_text: bool
    shape: str | None
    suggestion: str
    reason: str
    runner_up: tuple[str, float] | None
    entities: tuple[tuple[str, int, int], ...]
    """Findings inside cells: entity, cells with at least one, spans."""

    @property
    def found(self) -> bool:
        """Whether anything personal was found."""
        return self.entity is not None or bool(self.entities)

    @property
    def seen(self) -> str:
        """How much of the column supports the judgement, in words."""
        if self.entity is not None:
            return f"{100 * self.share:.1f} %"
        most = max((cells for _, cells, _ in self.entities), default=0)
        return f"{most:,} of {self.cells:,}"


class Findings:
    """What a scan found: names, counts and shapes, never a cell.

    ``confidence`` is the probability that a column is of its entity, given what was seen of it.
    ``share`` is the share of its filled cells that support this, with a 95 % interval; it is about
    the rows that were looked at. Neither says how many identifiers no rule knows.
    """

    def __init__(self, found: _allonym.Scan) -> None:
        self._json = found.to_json()
        self._scan: _allonym.Scan | None = found
        self._said: dict[str, Any] = json.loads(self._json)
        self._columns = [_column(said) for said in self._said["columns"]]

    @property
    def columns(self) -> list[ColumnFinding]:
        """A judgement of each column, in the order of the table."""
        return list(self._columns)

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return self._said["rows"]

    @property
    def sampled(self) -> bool:
        """Whether rows were left out."""
        return self._said["sampled"]

    @property
    def core(self) -> _allonym.Scan | None:
        """The scan itself, for drafting; lost in a pickle."""
        return self._scan

    def to_json(self) -> str:
        """Give the JSON that ``allonym scan FILE --format json`` prints."""
        return self._json

    def explain(self, column: str) -> Explanation:
        """Say why a column was judged as it was.

        Parameters
        ----------
        column
            Its name.

        Raises
        ------
        UsageError
            No such column.
        """
        for found in self._columns:
            if found.name == column:
                return Explanation(found)
        names = ", ".join(f"`{_html.tame(found.name)}`" for found in self._columns)
        message = f"no column `{_html.tame(column)}`; there are {names}"
        raise UsageError(message, "ALO-U007", None, 2)

    def to_polars(self) -> pl.DataFrame:
        """Give a polars frame with one row for each column of the table."""
        import polars as pl

        schema = {name: getattr(pl, kind) for name, kind in _COLUMNS.items()}
        return pl.DataFrame(self._records(), schema=schema)

    def to_pandas(self) -> pd.DataFrame:
        """Give a pandas frame with one row for each column of the table."""
        import pandas as pd

        return pd.DataFrame(self._records(), columns=list(_COLUMNS))

    def to_arrow(self) -> pa.Table:  # pyright: ignore[reportUnknownParameterType, reportUnknownMemberType]
        """Give a pyarrow table with one row for each column of the table."""
        pa: Any = importlib.import_module("pyarrow")
        text, number = pa.string(), pa.float64()
        types = {"String": text, "Float64": number, "Int64": pa.int64(), "Boolean": pa.bool_()}
        schema = pa.schema([(name, types[kind]) for name, kind in _COLUMNS.items()])
        return pa.Table.from_pylist(self._records(), schema=schema)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return _html.text(self._caption(), _HEADER, self._rows(), self._note())

    def _repr_html_(self) -> str:
        return _html.page(self._caption(), _HEADER, self._rows(), self._note())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __getstate__(self) -> str:
        return self._json

    def __setstate__(self, state: str) -> None:
        self._json = state
        self._scan = None
        self._said = json.loads(state)
        self._columns = [_column(said) for said in self._said["columns"]]

    def _caption(self) -> str:
        said = self._said
        how = "every row read"
        if said["sampled"]:
            how = f"sample {said['rows_read']:,} rows, seed {said['seed']}"
        return f"{said['source']} · {said['rows']:,} rows × {len(self._columns)} columns · {how}"

    def _rows(self) -> list[list[str]]:
        return [_row(column) for column in self._columns if column.found]

    def _note(self) -> str:
        clear = sum(not column.found for column in self._columns)
        note = f"{clear} column{'' if clear == 1 else 's'}: nothing found."
        if self._said["sampled"]:
            note += " Sampled: rare values can be missed. Use full=True before release."
        for what in ("countries", "languages"):
            if narrowed := self._said.get(what):
                note += f" Only {what} looked for: {', '.join(narrowed)}."
        return note

    def _records(self) -> list[dict[str, Any]]:
        return [
            {
                **{name: getattr(column, name) for name in _COLUMNS if name != "inside"},
                "inside": ", ".join(entity for entity, _, _ in column.entities) or None,
            }
            for column in self._columns
        ]


class Explanation:
    """Why a column was judged as it was: rule, share, next best; never a cell."""

    def __init__(self, column: ColumnFinding) -> None:
        self.column = column

    def __repr__(self) -> str:
        lines = [f"{_html.tame(self.column.name)}: {self._verdict()}"]
        lines += [f"  {what:<11} {_html.tame(said)}" for what, said in self._facts()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        caption = f"{self.column.name}: {self._verdict()}"
        return _html.page(caption, ("", ""), [list(fact) for fact in self._facts()], "")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _verdict(self) -> str:
        column = self.column
        if column.entity is not None:
            return f"{column.entity} ({column.group}), confidence {column.confidence:.2f}"
        return "free text" if column.free_text else "nothing personal found"

    def _facts(self) -> list[tuple[str, str]]:
        column = self.column
        interval = f"{100 * column.share_low:.1f}–{100 * column.share_high:.1f}"
        facts = [
            ("because", column.reason),
            ("coverage", f"{100 * column.share:.1f} % of cells (95 %: {interval})"),
            (
                "cells",
                f"{column.cells:,} seen, {column.nulls:,} null, about {column.distinct:,} "
                f"distinct, type {column.type}",
            ),
        ]
        if column.shape is not None:
            facts.append(("shape", column.shape))
        if column.runner_up is not None:
            facts.append(("runner-up", f"{column.runner_up[0]} ({column.runner_up[1]:.2f})"))
        facts += [
            ("inside", f"{entity}: {spans:,} spans in {cells:,} cells")
            for entity, cells, spans in column.entities
        ]
        return [*facts, ("suggestion", column.suggestion)]


def _column(said: dict[str, Any]) -> ColumnFinding:
    runner_up = said["runner_up"]
    return ColumnFinding(
        name=said["name"],
        type=said["type"],
        entity=said["entity"],
        group=said["group"],
        confidence=said["confidence"],
        share=said["coverage"]["share"],
        share_low=said["coverage"]["low"],
        share_high=said["coverage"]["high"],
        cells=said["cells"],
        nulls=said["nulls"],
        distinct=said["distinct"],
        free_text=said["free_text"],
        shape=said["shape"],
        suggestion=said["suggestion"],
        reason=said["reason"],
        runner_up=(runner_up["entity"], runner_up["confidence"]) if runner_up else None,
        entities=tuple((e["entity"], e["cells"], e["spans"]) for e in said["entities"]),
    )


def _row(column: ColumnFinding) -> list[str]:
    found = column.entity
    if found is None:
        names = [entity for entity, _, _ in column.entities]
        found = ", ".join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "")
    confidence = _in_words(column.confidence) if column.entity is not None else "–"
    shape = column.shape or ("free text" if column.free_text else "–")
    return [column.name, found, column.seen, confidence, shape, column.suggestion]


def _in_words(confidence: float) -> str:
    for least, words in ((0.95, "very high"), (0.8, "high"), (0.6, "medium")):
        if confidence >= least:
            return words
    return "low"


_HEADER = ("column", "found", "in cells", "confidence", "shape", "suggestion")

_COLUMNS = {
    "name": "String",
    "type": "String",
    "entity": "String",
    "group": "String",
    "confidence": "Float64",
    "share": "Float64",
    "share_low": "Float64",
    "share_high": "Float64",
    "cells": "Int64",
    "nulls": "Int64",
    "distinct": "Int64",
    "free_text": "Boolean",
    "shape": "String",
    "inside": "String",
    "suggestion": "String",
    "reason": "String",
}
