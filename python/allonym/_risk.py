"""How far rows can be told apart, and so be linked to people."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from allonym import _allonym, _frames
from allonym.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl


def risk(
    data: Any,
    *,
    quasi: Sequence[str],
    sensitive: str | Sequence[str] | None = None,
    original: Any = None,
    control: Any = None,
    population: Any = None,
    population_count: str | None = None,
    population_size: int | None = None,
    target_k: int | None = None,
    leave_out: float = 0.01,
    unique_share: float = 0.05,
    sets_max: int | None = None,
    link: Sequence[str] = (),
    attempts: int = 500,
    seed: int = 0,
    confidence: float = 0.95,
    as_of: str | dt.datetime | None = None,
) -> Risk:
    """Measure how far rows can be told apart by columns that an outsider knows.

    >>> import allonym as al
    >>> import polars as pl
    >>> people = pl.DataFrame({"age": [30, 30, 40, 50], "ill": ["a", "b", "a", "a"]})
    >>> told = al.risk(people, quasi=["age"], sensitive="ill")
    >>> told.k, told.uniques
    (1, 2)

    Parameters
    ----------
    data
        The table as it is released: any frame, or the path of a file, folder or glob. A null is a value
        of its own; NaN is refused.
    quasi
        Columns an outsider is taken to know, at most 64 with the sensitive ones.
    sensitive
        Columns nobody should learn: l-diversity, t-closeness, (alpha, k), beta-likeness and
        delta-disclosure are measured of each.
    original, control
        Rows the table was made from, and rows of the same kind that it was not made from. With both,
        singling out, linking and guessing are tried on either: what works on strangers too is no fault
        of the table. One without the other is refused.
    population
        A table of everybody, for k-map and delta-presence.
    population_count
        Its column that tells how many people a row stands for; one each when left out.
    population_size
        The table is a random sample of so many people: population uniques and right matches are
        estimated, with intervals.
    target_k
        Suggest a way to this k in words of the policy file.
    leave_out
        Share of the rows that a suggestion may leave out.
    unique_share
        Share of rows alone from which the smallest sets of columns are told.
    sets_max
        Most sets of columns that are measured, 0 for none; so many that 200 million rows are gone
        through when left out.
    link
        Columns of one of two sources to be linked; the first half of ``quasi`` when left out.
    attempts, seed
        Of each attack, and what it draws by.
    confidence
        Of every interval.
    as_of
        The time that the evidence states; ``SOURCE_DATE_EPOCH``, else now.

    Returns
    -------
    Risk
        Counts and shares, never a cell: a page in a notebook.

    Raises
    ------
    DataError
        Columns that are missing, empty or cannot be compared, fewer than two rows, NaN, tables that do
        not fit each other.
    UsageError
        Columns named twice, numbers out of their range.
    """
    options = {
        "quasi": _names("quasi", quasi),
        "sensitive": _names("sensitive", [sensitive] if isinstance(sensitive, str) else sensitive),
        "population_size": population_size,
        "population_count": population_count,
        "target_k": target_k,
        "leave_out": leave_out,
        "unique_share": unique_share,
        "sets_max": sets_max,
        "link": _names("link", link),
        "attempts": attempts,
        "seed": seed,
        "confidence": confidence,
    }
    if isinstance(as_of, dt.datetime):
        as_of = as_of.isoformat()
    taken, kind = _taken(data)
    others = {
        name: None if table is None else _taken(table)[0]
        for name, table in (
            ("original", original),
            ("control", control),
            ("population", population),
        )
    }
    for name in ("population_size", "target_k", "sets_max", "attempts", "seed"):
        number = options[name]
        if number is not None and (not isinstance(number, int) or number < 0):
            message = f"{name} must be a whole number from 0"
            raise UsageError(message, "ALO-U068", None, 2)
    said = _allonym.measure_risk(taken, source=kind, as_of=as_of, options=options, **others)
    return Risk(said)


class Risk:
    """How far rows can be told apart: names of columns, counts and shares, never a cell."""

    def __init__(self, said: str) -> None:
        self._json = said
        self._said: dict[str, Any] = json.loads(said)

    @property
    def k(self) -> int:
        """Rows of the smallest group of rows that are alike."""
        return self._said["classes"]["k"]

    @property
    def uniques(self) -> int:
        """Rows that are alone."""
        return self._said["classes"]["uniques"]

    @property
    def unique_share(self) -> float:
        """Share of the rows that are alone."""
        return self._said["classes"]["unique_share"]

    @property
    def classes(self) -> dict[str, Any]:
        """Groups of rows that are alike: how many, how large, what guessing among them gains."""
        return dict(self._said["classes"])

    @property
    def sensitive(self) -> dict[str, dict[str, Any]]:
        """By sensitive column, what the worst group gives away."""
        return {column["name"]: dict(column) for column in self._said["sensitive"]}

    @property
    def sample(self) -> dict[str, Any] | None:
        """What follows for the population, where its size was told."""
        return self._said["sample"]

    @property
    def population(self) -> dict[str, Any] | None:
        """Where the rows stand in the table of everybody."""
        return self._said["population"]

    @property
    def unique_sets(self) -> list[dict[str, Any]]:
        """The smallest sets of columns that single people out."""
        sets = self._said["unique_sets"]
        return list(sets["sets"]) if sets else []

    @property
    def attacks(self) -> list[dict[str, Any]]:
        """Attacks, with the same on strangers and what the table adds."""
        return list(self._said["attacks"])

    @property
    def suggestion(self) -> dict[str, Any] | None:
        """A way to the target, and as a part of a policy under ``policy``."""
        return self._said["suggestion"]

    @property
    def warnings(self) -> list[str]:
        """What a reader must know."""
        return list(self._said["warnings"])

    def gate(
        self,
        *,
        min_k: int | None = None,
        max_unique: float | None = None,
        min_l: int | None = None,
        max_t: float | None = None,
        max_population_unique: float | None = None,
        max_attack: float | None = None,
    ) -> RiskGate:
        """Judge by limits: pass when whole intervals keep them, undecided when one spans its limit.

        Parameters
        ----------
        min_k
            The smallest group has at least so many rows.
        max_unique
            At most this share of the rows is alone.
        min_l
            Every group has at least so many values of each sensitive column.
        max_t
            Largest t-closeness of each sensitive column, in order where it has one.
        max_population_unique
            At most this share of the rows is alone in the population.
        max_attack
            Largest risk of each attack.

        Returns
        -------
        RiskGate
            Ask for its ``.ok``.

        Raises
        ------
        UsageError
            No limit, or one for what was not measured.
        """
        limits = {
            "min_k": min_k,
            "max_unique": max_unique,
            "min_l": min_l,
            "max_t": max_t,
            "max_population_unique": max_population_unique,
            "max_attack": max_attack,
        }
        said, exit_code = _allonym.gate_risk(self._json, limits)
        return RiskGate(said, exit_code)

    def summary(self) -> str:
        """Give the text that ``allonym risk`` prints."""
        return _allonym.render_risk(self._json, "text")

    def to_json(self) -> str:
        """Give the evidence, as ``allonym risk --to`` writes it: ``allonym.risk/1``."""
        return self._json

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give the page, and write it where a path is named."""
        page = _allonym.render_risk(self._json, "html")
        if path is not None:
            Path(path).write_text(page, "utf-8")
        return page

    def to_markdown(self) -> str:
        """Give the same as Markdown."""
        return _allonym.render_risk(self._json, "markdown")

    def to_polars(self, what: str = "numbers") -> pl.DataFrame:
        """Give a polars frame: ``numbers`` (one a row), ``sizes``, ``sensitive``, ``sets`` or ``attacks``."""
        import polars as pl

        if what == "numbers":
            text = _allonym.render_risk(self._json, "csv")
            return pl.read_csv(
                text.encode(),
                schema={
                    "what": pl.String,
                    "of": pl.String,
                    **dict.fromkeys(("value", "low", "high"), pl.Float64),
                },
            )
        if what == "attacks":
            names = ("success", "control", "baseline", "risk")
            rows = [
                {
                    "attack": attack["attack"],
                    "secret": attack["secret"],
                    "attempts": attack["attempts"],
                    **{name: attack[name]["value"] for name in names},
                    "risk_low": attack["risk"]["low"],
                    "risk_high": attack["risk"]["high"],
                }
                for attack in self.attacks
            ]
            floats = dict.fromkeys([*names, "risk_low", "risk_high"], pl.Float64)
            schema: dict[str, Any] = {
                "attack": pl.String,
                "secret": pl.String,
                "attempts": pl.Int64,
            }
            return pl.DataFrame(rows, schema={**schema, **floats})
        tables: dict[str, list[dict[str, Any]]] = {
            "sizes": self._said["classes"]["sizes"],
            "sensitive": self._said["sensitive"],
            "sets": self.unique_sets,
        }
        if what not in tables:
            message = f"there are numbers, {', '.join(tables)} and attacks, and no {what!r}"
            raise UsageError(message, "ALO-U068", None, 2)
        return pl.DataFrame(tables[what])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return _allonym.render_risk(self._json, "fragment")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __reduce__(self) -> tuple[type[Risk], tuple[str]]:
        return Risk, (self._json,)


class RiskGate:
    """Whether limits hold; not a truth value, so that undecided is not taken for good."""

    def __init__(self, said: str, exit_code: int) -> None:
        self.exit_code = exit_code
        """What ``allonym risk`` would exit with: 0, 1 where a limit is broken, 7 where undecided."""
        self.limits: list[dict[str, Any]] = json.loads(said)
        """Each limit, what was found, and ``pass``, ``fail`` or ``undecided``."""

    @property
    def ok(self) -> bool:
        """Whether every limit holds."""
        return self.exit_code == 0

    @property
    def decision(self) -> str:
        """``pass``, ``fail`` or ``undecided``."""
        return {0: "pass", 1: "fail"}.get(self.exit_code, "undecided")

    def __bool__(self) -> NoReturn:
        message = "a gate is not a truth value; ask for its `.ok`"
        raise TypeError(message)

    def __repr__(self) -> str:
        told = (
            f"{limit['gate']} {limit['of'] or ''} {limit['limit']}: {limit['decision']}"
            for limit in self.limits
        )
        return "; ".join([self.decision, *(" ".join(line.split()) for line in told)])


def _taken(data: Any) -> tuple[Any, str]:
    if isinstance(data, (str, os.PathLike)):
        path = os.fspath(cast("str | os.PathLike[str]", data))
        return path, path
    return _frames.for_scan(data)


def _names(what: str, names: Sequence[str] | None) -> list[str]:
    if isinstance(names, str) or any(not isinstance(name, str) for name in names or ()):  # pyright: ignore[reportUnnecessaryIsInstance]
        message = f"{what} takes a list of names of columns"
        raise UsageError(message, "ALO-U061", None, 2)
    return list(names or ())
