"""Policies: what shall happen to each column, and doing it."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar, cast

from allonym import _allonym, _frames, _html
from allonym._findings import scan
from allonym.exceptions import (
    AllonymError,
    AllonymWarning,
    InternalError,
    PolicyError,
    UsageError,
)

if TYPE_CHECKING:
    import polars as pl

    from allonym._allonym import Keyring, PlanCore, PolicyCore

T = TypeVar("T")


class Policy:
    """What shall happen to each column, who says so, and why.

    Made by :meth:`load`, :meth:`parse`, :meth:`draft` or :meth:`from_contract`. A policy does not change: :meth:`keep`
    gives a new one. It pickles as its text and holds references to keys, never keys.
    """

    __slots__ = ("_core", "_is_draft")

    def __init__(self, core: PolicyCore, *, is_draft: bool = False) -> None:
        self._core = core
        self._is_draft = is_draft

    def __allonym_policy__(self) -> PolicyCore:
        """Give the compiled policy to other parts of this package."""
        return self._core

    @classmethod
    def load(cls, path: str | os.PathLike[str] = "allonym.toml") -> Policy:
        """Read a policy file.

        Parameters
        ----------
        path
            The file. When left out: ``ALLONYM_POLICY``, else the nearest ``allonym.toml`` upward
            from the working folder, else ``[tool.allonym]`` of the nearest ``pyproject.toml``.

        Raises
        ------
        PolicyError
            No such file, or a mistake in it, with its line and column.
        """
        if os.fspath(path) != _DEFAULT:
            return cls(_read(Path(path)))
        named = os.environ.get("ALLONYM_POLICY")
        if named:
            return cls(_read(Path(named)))
        here = Path.cwd()
        for folder in (here, *here.parents):
            file = folder / _DEFAULT
            if file.is_file():
                return cls(_read(file))
            core = _read_pyproject(folder / "pyproject.toml")
            if core is not None:
                return cls(core)
        message = f"no `{_DEFAULT}` in `{here}` or above it"
        raise PolicyError(message, "ALO-P022", _DRAFT_ONE, 2)

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy from its TOML text.

        Parameters
        ----------
        text
            The text; relative paths in it start from the working folder.

        Raises
        ------
        PolicyError
            A mistake, with its line and column.
        """
        return cls(_allonym.PolicyCore.parse(text, "policy", ""))

    @classmethod
    def draft(cls, data: Any, *, purpose: str = "", name: str | None = None) -> Policy:
        """Propose a policy from a scan of every row.

        Parameters
        ----------
        data
            A table or the path of a file; see :func:`scan`.
        purpose
            What the data is wanted for; shown in reports.
        name
            Name of the policy; ``"draft"`` or the name of the file when left out.

        Returns
        -------
        Policy
            A proposal to be read by a person: every column is listed, what looks personal with
            the treatment that its rule proposes.

        Raises
        ------
        DataError
            Input that cannot be read.
        """
        findings = scan(data, full=True)
        if name is None:
            is_path = isinstance(data, (str, os.PathLike))
            name = Path(cast("str | os.PathLike[str]", data)).stem if is_path else "draft"
        core = findings.core
        if core is None:  # pragma: no cover - a fresh scan holds its core
            message = "internal error: the scan is gone"
            raise InternalError(message)
        return cls(_allonym.PolicyCore.draft(core, name, purpose), is_draft=True)

    @classmethod
    def from_contract(
        cls, path: str | os.PathLike[str], *, table: str | None = None, purpose: str = ""
    ) -> Policy:
        """Propose a policy from a data contract (ODCS 3, YAML).

        Parameters
        ----------
        path
            The contract.
        table
            Which of its tables; needed where it has several.
        purpose
            What the data is wanted for; what the contract says when left out.

        Returns
        -------
        Policy
            A proposal to be read by a person: columns are judged by their names and labels,
            retention is what the contract says.

        Raises
        ------
        UsageError
            No such file, no contract, no such table.
        """
        place = Path(path)
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            message = f"cannot read the data contract `{place}`"
            raise UsageError(message, "ALO-U070", None, 2) from None
        core = _allonym.PolicyCore.of_contract(
            text, str(place), str(place.parent), table=table, purpose=purpose
        )
        return cls(core, is_draft=True)

    def keep(self, *columns: str, reason: str) -> Policy:
        """Keep columns as they are, for a reason that reports show.

        Parameters
        ----------
        *columns
            Names, exactly as the data has them.
        reason
            Why the data is of no use without them.

        Returns
        -------
        Policy
            A new policy.

        Raises
        ------
        PolicyError
            An empty reason, or no column.
        """
        if not reason.strip() or not columns:
            message = "keep takes the names of columns and a reason that is not empty"
            raise PolicyError(message, "ALO-P009", None, 2)
        return Policy(self._core.keep(list(columns), reason), is_draft=self._is_draft)

    def apply(self, data: T, *, keys: Keyring | str | None = None) -> T:
        """Treat a table.

        Parameters
        ----------
        data
            A polars ``DataFrame`` or ``LazyFrame`` (which stays lazy), a pandas ``DataFrame``
            (whose index stays; a named index that the policy lists is treated), a pyarrow
            ``Table``, ``RecordBatch`` or ``RecordBatchReader``, a DuckDB relation (read to its
            end first; the result is a relation of the default connection), a Hugging Face
            ``Dataset``, or any object with the Arrow capsule interface (which comes back as an
            :class:`allonym.Stream` that treats rows as they are read, once).
        keys
            A keyring or a reference such as ``"file:PATH"`` or ``"env:NAME"``. When left out:
            ``ALLONYM_KEYS``, else the policy's ring, else the user's default ring. A policy that
            was drafted in this session makes the default ring if there is none, and warns.

        Returns
        -------
        same type as ``data``
            Rows keep their number and order. What comes out is pseudonymous, not anonymous.

        Warns
        -----
        AllonymWarning
            What a reviewer should know, such as few distinct values in a column.

        Raises
        ------
        PolicyError
            A policy that does not fit the table: an unlisted column, a treatment that does not
            fit a type.
        DataError
            A table that cannot be read, or lacks a column of the policy.
        KeyStoreError
            No keyring, or no such key in it.
        """
        keyring = self._keyring(keys)
        if _frames.is_lazy(data):
            plan = self._core.plan(_frames.lazy_schema(data), keys=keyring, may_read=False)
            _warn(plan.warnings)
            return _frames.lazily(data, plan)
        source = _frames.source(data, listed=list(self.columns))
        plan = self._plan(source, keyring)
        if source.is_stream:
            _warn(plan.warnings)
            return source.restore(plan.stream(source.arrow), plan)
        treated = plan.treat(source.arrow, record=False)
        _warn(treated.warnings)
        return source.restore(treated.stream, plan)

    def run(self, data: T, *, keys: Keyring | str | None = None) -> Run[T]:
        """Treat a table and tell what was done, with a receipt.

        The receipt is signed with the keyring and stands in its ledger (``ALLONYM_LEDGER``, the
        policy's ``ledger``, else beside the ring) before the table is handed out. Where there is
        no ledger a warning says why. :meth:`apply`, which batch functions call many times on many
        machines, writes nothing down.

        Parameters
        ----------
        data, keys
            As for :meth:`apply`. A stream is read to its end.

        Returns
        -------
        Run
            The treated table, the receipt and its warnings.

        Raises
        ------
        UsageError
            A ``LazyFrame``, whose rows are not there yet.
        AllonymError
            As for :meth:`apply`; a ledger that was asked for and cannot be written, or that
            another process keeps locked.
        """
        if _frames.is_lazy(data):
            message = "a receipt counts rows, and a LazyFrame has none yet"
            raise UsageError(message, "ALO-U010", "collect() first, or use apply", 2)
        keyring = self._keyring(keys)
        source = _frames.source(data, listed=list(self.columns))
        plan = self._plan(source, keyring)
        treated = plan.treat(source.arrow, record=True)
        made = source.restore(treated.stream, plan)
        text = treated.receipt
        return Run(made, json.loads(text), list(treated.warnings), text)

    def check(self, data: Any, *, keys: Keyring | str | None = None) -> PlanCheck:
        """Say whether the policy fits a table, without treating it.

        Parameters
        ----------
        data
            A table, or a schema of polars or pyarrow.
        keys
            As for :meth:`apply`; no ring is ever made.

        Returns
        -------
        PlanCheck
            What would be done to each column, or what is wrong. It looks at names and types: that
            a policy fits says nothing of personal data it forgot.
        """
        try:
            keyring: Keyring | None = self._keyring(keys, may_make=False)
            if _frames.is_lazy(data):
                plan = self._core.plan(_frames.lazy_schema(data), keys=keyring, may_read=False)
            elif hasattr(data, "__arrow_c_schema__") and not hasattr(data, "__arrow_c_stream__"):
                plan = self._core.plan(data, keys=keyring, may_read=False)
            else:
                plan = self._plan(_frames.source(data, listed=list(self.columns)), keyring)
        except AllonymError as error:
            return PlanCheck(ok=False, problems=(error,), columns=(), warnings=())
        columns = tuple(PlannedColumn(*column) for column in plan.columns)
        return PlanCheck(ok=True, problems=(), columns=columns, warnings=tuple(plan.warnings))

    def to_toml(self) -> str:
        """Give the text of the policy file."""
        return self._core.to_toml()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy file, over an older one.

        Parameters
        ----------
        path
            The file, by convention ``allonym.toml``. Relative paths in the policy start from its
            folder.
        """
        Path(path).write_text(self.to_toml(), encoding="utf-8")

    @property
    def digest(self) -> str:
        """SHA-256 of the policy's canonical JSON, as receipts hold it."""
        return self._core.digest

    @property
    def name(self) -> str | None:
        """Name, if it has one."""
        return self._core.name

    @property
    def purpose(self) -> str | None:
        """What the data is wanted for, if it says so."""
        return self._core.purpose

    @property
    def columns(self) -> dict[str, str]:
        """Treatment of each column that is listed by name."""
        return dict(self._core.columns)

    @property
    def core(self) -> PolicyCore:
        """The policy as the core has it."""
        return self._core

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return _unpickled, (self.to_toml(), self._core.folder)

    def __repr__(self) -> str:
        name = f"{_html.tame(self.name)!r}, " if self.name else ""
        return f"Policy({name}{len(self.columns)} columns, digest={self.digest[:12]}…)"

    def _repr_html_(self) -> str:
        rows = [[column, treatment] for column, treatment in self.columns.items()]
        caption = f"policy {self.name or ''} · {self.digest[:12]}…"
        return _html.page(caption, ("column", "treatment"), rows, self.purpose or "")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _plan(self, source: _frames.Source, keyring: Keyring | None) -> PlanCore:
        return self._core.plan(source.arrow, keys=keyring, may_read=not source.is_stream)

    def _keyring(self, keys: Keyring | str | None, *, may_make: bool = True) -> Keyring | None:
        if isinstance(keys, _allonym.Keyring):
            return keys
        if not self._core.needs_keys:
            return None
        if keys is not None or not self._is_draft or not may_make:
            return self._core.keyring(keys)
        keyring, is_made = _allonym.default_keyring(self._core.tenant)
        if is_made:
            key = keyring.keys[0].id
            message = (
                f"created keyring {keyring.path} with key {key}; it opens with a key file beside "
                "it: back both up, and for production lock it by a passphrase (allonym key doctor)"
            )
            warnings.warn(message, AllonymWarning, stacklevel=3)
        return keyring


@dataclass(frozen=True)
class Run(Generic[T]):
    """A treated table and what is to be said of it."""

    data: T
    receipt: dict[str, Any]
    """Policy, rules and keys by digest and id, and counts by column; never a cell. Rows in memory
    have no file, so that ``inputs`` and ``outputs`` are empty; that it was made, by whose keyring
    and when, its signature and the ledger show."""
    warnings: list[str]
    receipt_json: str
    """The receipt as it was signed, to the byte: the ledger knows it by its digest."""

    def write_receipt(self, path: str | os.PathLike[str]) -> None:
        """Write the receipt to a file that ``allonym verify`` finds in the ledger.

        Parameters
        ----------
        path
            The file; an older one is written over.
        """
        Path(path).write_bytes(self.receipt_json.encode())

    def __repr__(self) -> str:
        kind = _frames.kind_of(self.data)
        return f"Run({kind}, {self.receipt['rows']:,} rows, {len(self.warnings)} warnings)"


class PlannedColumn(NamedTuple):
    """What a policy does to one column."""

    name: str
    treatment: str
    detail: str
    entity: str | None


@dataclass(frozen=True)
class PlanCheck:
    """Whether a policy fits a table."""

    ok: bool
    problems: tuple[AllonymError, ...]
    """What is wrong, as :meth:`Policy.apply` would raise it."""
    columns: tuple[PlannedColumn, ...]
    """What would be done; empty where something is wrong."""
    warnings: tuple[str, ...]

    def __bool__(self) -> NoReturn:
        message = "a check is not a truth value; ask for its `.ok`"
        raise TypeError(message)

    def to_polars(self) -> pl.DataFrame:
        """Give the planned columns as a polars frame: ``name, treatment, detail, entity``."""
        import polars as pl

        schema = dict.fromkeys(PlannedColumn._fields, pl.String)
        return pl.DataFrame([column._asdict() for column in self.columns], schema=schema)

    def __repr__(self) -> str:
        return _html.text(*self._table())

    def _repr_html_(self) -> str:
        return _html.page(*self._table())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _table(self) -> tuple[str, tuple[str, ...], list[list[str]], str]:
        if not self.ok:
            return "does not fit", (), [], "; ".join(str(p) for p in self.problems)
        rows = [[c.name, c.treatment, c.detail, c.entity or "–"] for c in self.columns]
        return "fits", PlannedColumn._fields, rows, "; ".join(self.warnings)


def keyring_of(keys: Keyring | str | None) -> Keyring:
    """Open the keyring that an argument means."""
    return keys if isinstance(keys, _allonym.Keyring) else _allonym.Keyring.open(keys)


def _read(path: Path) -> PolicyCore:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read policy `{path}`: {type(error).__name__}"
    else:
        return _allonym.PolicyCore.parse(text, str(path), str(path.parent))
    raise PolicyError(message, "ALO-P022", _DRAFT_ONE, 2)


def _read_pyproject(path: Path) -> PolicyCore | None:
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        # Another tool's complaint.
        return None
    origin = f"{path} [tool.allonym]"
    return _allonym.PolicyCore.parse_pyproject(text, origin, str(path.parent))


def _unpickled(text: str, folder: str) -> Policy:
    return Policy(_allonym.PolicyCore.parse(text, "policy", folder))


def _warn(told: list[str]) -> None:
    for warning in told:
        warnings.warn(warning, AllonymWarning, stacklevel=3)


_DEFAULT = "allonym.toml"
_DRAFT_ONE = "draft one with: allonym init FILE"
