"""The gate: what is left, what is past its time, and whether the proofs hold."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from allonym import _allonym, _frames, _html
from allonym.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import polars as pl

    from allonym._policy import Policy


def check(
    data: Any,
    *,
    policy: Policy | None = None,
    keys: str | None = None,
    full: bool = False,
    rows: int = 50_000,
    seed: int = 0,
    as_of: str | dt.date | None = None,
    events: Mapping[str, str] | None = None,
    signer: str | None = None,
) -> CheckResult:
    """Check treated data against a policy: the output itself, not the plan that made it.

    Parameters
    ----------
    data
        The path of a file or folder that ``apply`` wrote, or a treated table. A table has no
        manifest, and that is no finding; a file without one is. The folder of a Delta or Iceberg
        table, named or met on the way, is looked at as one table, its older versions too.
    policy
        The policy. When left out, the one that ``apply`` drafted beside its output.
    keys
        Reference of the keyring whose signatures are believed; as for :meth:`Policy.apply`.
    full
        Search every row for identifiers. Retention is always counted over all rows.
    rows, seed
        The sample that is searched otherwise.
    as_of
        The date of the decision: a date or an RFC 3339 time. ``SOURCE_DATE_EPOCH``, else now.
    events
        When events happened that periods are counted from, ISO 8601, by their names.
    signer
        A public key that is trusted too, as ``allonym audit key`` prints it.

    Returns
    -------
    CheckResult
        Findings with stable codes; ask for its ``.ok``.

    Raises
    ------
    PolicyError
        No policy, or one that cannot be used.
    UsageError
        A date that is none.
    DataError
        A path where nothing is. A file that cannot be read is a finding.
    StorageError
        A ledger that another process keeps locked; check again.

    Notes
    -----
    With a keyring at hand the evidence is signed, and that somebody looked stands in its ledger, as
    with ``allonym check``.
    """
    if rows < 1 or seed < 0:
        message = "rows must be at least 1 and seed at least 0"
        raise UsageError(message, "ALO-U010", None, 2)
    if isinstance(as_of, dt.datetime):
        as_of = as_of.isoformat()
    elif isinstance(as_of, dt.date):
        as_of = f"{as_of.isoformat()}T00:00:00Z"
    if isinstance(data, (str, os.PathLike)):
        taken: Any = os.fspath(cast("str | os.PathLike[str]", data))
        kind = ""
    else:
        taken, kind = _frames.for_scan(data)
    evidence, exit_code = _allonym.check(
        taken,
        source=kind,
        policy=policy.core if policy is not None else None,
        keys=keys,
        full=full,
        rows=rows,
        seed=seed,
        as_of=as_of,
        events=dict(events or {}),
        signer=signer,
    )
    return CheckResult(evidence, exit_code)


@dataclass(frozen=True)
class CheckFinding:
    """One finding; ``allonym explain CODE`` tells more."""

    code: str
    severity: str
    """``breach``, ``unverified`` (which is never taken for good) or ``note``."""
    file: str | None
    column: str | None
    count: int | None
    message: str
    next: str | None


class CheckResult:
    """What a check found: names, counts and digests, never a cell."""

    def __init__(self, evidence: str, exit_code: int) -> None:
        self._json = evidence
        self._said: dict[str, Any] = json.loads(evidence)
        self.exit_code = exit_code
        """What ``allonym check`` would exit with: 0, 1 for a breach, 3 where nobody can tell."""

    @property
    def ok(self) -> bool:
        """Whether nothing is against the policy and everything could be told."""
        return self.exit_code == 0

    @property
    def findings(self) -> list[CheckFinding]:
        """What is wrong or worth knowing, gravest first."""
        return [CheckFinding(**said) for said in self._said["findings"]]

    @property
    def residual(self) -> dict[str, Any]:
        """Identifiers that are left: how many were found, and an upper bound for their share."""
        return dict(self._said["residual"])

    def to_json(self) -> str:
        """Give the evidence, as ``allonym check --format json`` prints it."""
        return self._json

    def to_polars(self) -> pl.DataFrame:
        """Give a polars frame with one row for each finding."""
        import polars as pl

        kinds = {"Int64": pl.Int64, "String": pl.String}
        schema = {name: kinds[kind] for name, kind in _COLUMNS.items()}
        return pl.DataFrame(self._said["findings"], schema=schema)

    def to_pandas(self) -> pd.DataFrame:
        """Give a pandas frame with one row for each finding."""
        import pandas as pd

        return pd.DataFrame(self._said["findings"], columns=list(_COLUMNS))

    def __bool__(self) -> NoReturn:
        message = "a check is not a truth value; ask for its `.ok`"
        raise TypeError(message)

    def __repr__(self) -> str:
        return _html.text(self._caption(), _HEADER, self._rows(), self._note())

    def _repr_html_(self) -> str:
        return _html.page(self._caption(), _HEADER, self._rows(), self._note())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return CheckResult, (self._json, self.exit_code)

    def _caption(self) -> str:
        said = self._said
        verdict = {"ready": "READY", "not_ready": "NOT READY"}.get(said["verdict"], "NOT VERIFIED")
        return f"{verdict} · {said['source']} · {said['rows']:,} rows · as of {said['as_of']}"

    def _rows(self) -> list[list[str]]:
        words = {"breach": "problem", "unverified": "not told", "note": "note"}
        return [
            [finding.code, words[finding.severity], finding.column or "–", finding.message]
            for finding in self.findings
        ]

    def _note(self) -> str:
        return f"residual identifiers: {self._said['residual']['statement']}"


_HEADER = ("code", "what", "column", "finding")
_COLUMNS = {
    "code": "String",
    "severity": "String",
    "file": "String",
    "column": "String",
    "count": "Int64",
    "message": "String",
    "next": "String",
}
