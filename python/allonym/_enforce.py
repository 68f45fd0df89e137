"""Retention enforced and people erased, in files, in place."""

from __future__ import annotations

import importlib
import json
import os
from typing import TYPE_CHECKING, Any, cast

from allonym import _allonym, _html
from allonym._policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class _Enforced:
    """What a job did, or would do: counts, names and digests, never a cell."""

    __slots__ = ("_json", "exit", "notes", "path", "resumed")

    def __init__(self, enforced: tuple[str, str | None, int, bool, list[str]]) -> None:
        #: Where what it tells was written (None where nothing was), the exit code that the command
        #: line would end with, whether an interrupted run was taken up, and notes for people.
        self._json, self.path, self.exit, self.resumed, self.notes = enforced

    @property
    def ok(self) -> bool:
        """Whether the command line would end with 0."""
        return self.exit == 0

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return str(self.to_dict()["verdict"])

    def to_json(self) -> str:
        """Give the JSON as it is written."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON as Python objects."""
        return cast("dict[str, Any]", json.loads(self._json))

    def _frame(self, texts: int, names: Sequence[str]) -> pl.DataFrame:
        columns = list(zip(*self._rows(), strict=True)) or [()] * len(names)
        polars = cast("Any", importlib.import_module("polars"))
        kinds = [polars.String] * texts + [polars.UInt64] * (len(names) - texts)
        data = dict(zip(names, columns, strict=True))
        schema = dict(zip(names, kinds, strict=True))
        return cast("pl.DataFrame", polars.DataFrame(data, schema=schema))

    def _caption(self) -> str:
        told = self.to_dict()
        return f"{told['verdict']} · as of {told['as_of']}"

    def _rows(self) -> list[list[Any]]:
        raise NotImplementedError

    def _table(self) -> tuple[str, list[str], list[list[str]], str]:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return _html.page(*self._table())

    def __repr__(self) -> str:
        return _html.text(*self._table())


class Expired(_Enforced):
    """What :func:`expire` did, or would do (``allonym.expire/1``): counts, names and digests.

    It is ``ok`` when nothing is against policy any more and everything could be verified. The
    verdict is ``nothing due``, ``due``, ``done``, ``against policy`` or ``not verifiable``.
    """

    __slots__ = ()

    @property
    def reasons(self) -> list[str]:
        """Why, in words."""
        return list(self.to_dict()["reasons"])

    def to_polars(self) -> pl.DataFrame:
        """Give one row for each file and tag, with the rows of each verdict.

        Returns
        -------
        polars.DataFrame
            Columns ``file``, ``tag``, ``anchor``, ``duration``, ``on_expiry``, ``retain``,
            ``expired``, ``on_hold`` and ``undecided``.
        """
        return self._frame(5, ["file", "tag", "anchor", "duration", "on_expiry", *_COUNTS])

    def _rows(self) -> list[list[Any]]:
        rows: list[list[Any]] = []
        for file in self.to_dict()["files"]:
            for tag in file["tags"]:
                counts = tag["rows"]
                summed = [sum(counts.get(word, 0) for word in words) for words in _COUNTS.values()]
                named = [tag["of"], tag["anchor"], tag["duration"], tag["on_expiry"]]
                rows.append([file["path"], *named, *summed])
        return rows

    def _table(self) -> tuple[str, list[str], list[list[str]], str]:
        told = self.to_dict()
        header = ["file", "tag", "counted from", "kept", "then", *_COUNTS]
        rows = [[str(cell) for cell in row] for row in self._rows()]
        table = cast("dict[str, Any]", told.get("table") or {})
        engine = cast("dict[str, list[dict[str, str]]]", table.get("engine") or {"steps": []})
        steps = [step["sql"] or step["what"] for step in engine["steps"]]
        notes = [*told["reasons"], *steps, told["does_not_show"]]
        return self._caption(), header, rows, " · ".join(notes)


class Erased(_Enforced):
    """What :func:`erase` did, or would do (``allonym.certificate/1``): never an identifier.

    It is ``ok`` when nothing of the people is left in the files that were looked through. The
    verdict is ``erased``, ``partly erased``, ``not found``, or ``found`` for a plan.
    """

    __slots__ = ()

    def to_polars(self) -> pl.DataFrame:
        """Give one row for each file.

        Returns
        -------
        polars.DataFrame
            Columns ``file``, ``rows``, ``mentions``, ``restricted``, ``on_hold``, ``undecided``
            and ``found_again``, which is null for a plan.
        """
        return self._frame(1, _ERASED)

    def _rows(self) -> list[list[Any]]:
        return [
            [
                file["path"],
                file["rows_erased"],
                sum(file["mentions_erased"].values()),
                file["rows_restricted"],
                file["rows_held"],
                file["rows_unverifiable"],
                file["found_again"],
            ]
            for file in self.to_dict()["files"]
        ]

    def _table(self) -> tuple[str, list[str], list[list[str]], str]:
        told = self.to_dict()
        header = [name.replace("_", " ") for name in _ERASED]
        rows = [["-" if cell is None else str(cell) for cell in row] for row in self._rows()]
        unsearched = [
            f"cannot be searched: {spot['path']}, {spot['column']}"
            for spot in told["cannot_be_searched"]
        ]
        return self._caption(), header, rows, " · ".join([*unsearched, told["statement"]])


def expire(
    paths: Paths,
    *,
    policy: Policy | str | os.PathLike[str] | None = None,
    yes: bool = False,
    purge: bool = False,
    as_of: str | None = None,
    collected_at: str | None = None,
    events: Mapping[str, str] | None = None,
    quarantine: str | os.PathLike[str] | None = None,
    evidence: str | os.PathLike[str] | None = None,
    receipts: Sequence[str | os.PathLike[str]] = (),
    keys: str | None = None,
) -> Expired:
    """Find what is past its date in files and, if asked to, remove it in place.

    Parameters
    ----------
    paths
        Files, globs or folders, or one Delta table. Of one Iceberg table, named alone, the result
        tells what to run in its engine, in order.
    policy
        The policy whose ``[retention]`` counts; the nearest one when left out.
    yes
        Do it. Without, the result tells what would be done and nothing is written.
    purge
        Remove the files of a Delta table that only its old versions need, for good.
    as_of
        The date that decides, RFC 3339; ``SOURCE_DATE_EPOCH`` or now when left out.
    collected_at, events
        When the data was collected and when events happened, for periods counted from them.
    quarantine
        Folder outside of the data for rows that are set aside.
    evidence
        Where the evidence goes; beside the data when left out.
    receipts
        Folders whose receipts tell what was made of the data.
    keys
        Reference to the keyring, ``file:PATH`` or ``env:NAME``; needed for random tokens.

    Returns
    -------
    Expired
        Verdict counts, what was done, digests before and after.

    Raises
    ------
    PolicyError
        No policy, or one without ``[retention]``.
    DataError
        Files that cannot be read, anchors that are not there.
    StorageError
        Another job is at work on the files; run again.
    """
    told = _allonym.expire_files(
        _policy(policy),
        _paths(paths),
        apply=yes,
        purge=purge,
        as_of=as_of,
        collected_at=collected_at,
        events=dict(events or {}),
        quarantine=_path(quarantine),
        evidence=_path(evidence),
        receipts=[os.fspath(folder) for folder in receipts],
        keys=keys,
    )
    return Expired(told)


def erase(
    paths: Paths,
    *,
    subjects: str | os.PathLike[str],
    policy: Policy | str | os.PathLike[str] | None = None,
    yes: bool = False,
    as_of: str | None = None,
    collected_at: str | None = None,
    events: Mapping[str, str] | None = None,
    certificate: str | os.PathLike[str] | None = None,
    residual: Sequence[str] = (),
    operator: str | None = None,
    approver: str | None = None,
    receipts: Sequence[str | os.PathLike[str]] = (),
    keys: str | None = None,
) -> Erased:
    """Erase people from files, by their tokens and in clear, and keep them out from then on.

    Parameters
    ----------
    paths
        Files, globs or folders.
    subjects
        File that names the people: one identifier a line, or a table with a column for each kind.
    policy
        The policy the files were treated by; the nearest one when left out.
    yes
        Do it. Without, the result tells what would be done and nothing is written.
    as_of
        The date that decides about statutory floors, RFC 3339.
    collected_at, events
        As for :func:`expire`.
    certificate
        Where the certificate goes; beside the data when left out.
    residual
        Copies out of reach, each with its end, as the certificate declares them.
    operator
        Who does it.
    approver
        Who agreed to it: somebody else.
    receipts
        Folders whose receipts tell what was made of the data.
    keys
        Reference to the keyring, ``file:PATH`` or ``env:NAME``.

    Returns
    -------
    Erased
        What was found, what went, what must stay until when, what cannot be searched. It does not
        prove that no other copy exists.

    Raises
    ------
    UsageError
        An approver who is no second person.
    DataError
        Files or subjects that cannot be read.
    KeyStoreError
        No keyring, or one that does not open.
    StorageError
        Another job is at work on the files; run again.
    """
    told = _allonym.erase_people(
        _policy(policy),
        _paths(paths),
        subjects=os.fspath(subjects),
        apply=yes,
        as_of=as_of,
        collected_at=collected_at,
        events=dict(events or {}),
        certificate=_path(certificate),
        residual=list(residual),
        operator=operator,
        approver=approver,
        receipts=[os.fspath(folder) for folder in receipts],
        keys=keys,
    )
    return Erased(told)


def _policy(policy: Policy | str | os.PathLike[str] | None) -> _allonym.PolicyCore:
    if isinstance(policy, Policy):
        return policy.__allonym_policy__()
    found = Policy.load() if policy is None else Policy.load(policy)
    return found.__allonym_policy__()


def _paths(paths: Paths) -> list[str]:
    if isinstance(paths, (str, os.PathLike)):
        return [os.fspath(paths)]
    return [os.fspath(path) for path in paths]


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)


_COUNTS = {
    "retain": ("retain",),
    "expired": ("expired",),
    "on_hold": ("hold", "expired_on_hold"),
    "undecided": ("null_anchor", "future_anchor", "naive_timestamp", "unreadable_anchor"),
}
_ERASED = ("file", "rows", "mentions", "restricted", "on_hold", "undecided", "found_again")
