"""Personal data out of tables and text, with keyed tokens and proof.

>>> import allonym as al
>>> [(span.entity, span.start, span.end) for span in al.find("write to zoe.muster@example.org")]
[('EMAIL_ADDRESS', 9, 31)]

``scan`` tells what is in a table, ``Policy.draft`` proposes what to do about it, ``Policy.apply``
does it and gives back the type it was given: polars, pandas, pyarrow, DuckDB, Hugging Face
datasets, or anything with the Arrow capsule interface. None of them is needed to import this
package.

What comes out is pseudonymous, which is still personal data: whoever holds the keyring can make
the same tokens again, and what no rule finds stays where it is.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from allonym import attacks, danger, metrics, retention
from allonym._allonym import KeyInfo, Keyring, Span, Spans, Stream, __version__
from allonym._check import CheckFinding, CheckResult, check
from allonym._enforce import Erased, Expired, erase, expire
from allonym._evaluation import Evaluation, evaluate
from allonym._findings import ColumnFinding, Explanation, Findings, scan
from allonym._policy import PlanCheck, PlannedColumn, Policy, Run
from allonym._text import find, find_batch, redact, rules, tokenize, validate
from allonym.exceptions import (
    AllonymError,
    AllonymWarning,
    DataError,
    InternalError,
    KeyStoreError,
    PolicyError,
    RuleError,
    StorageError,
    UsageError,
)

if TYPE_CHECKING:
    from allonym._canaries import CanaryScore, canaries, score_canaries
    from allonym._exposure import (
        Comparison,
        Exposure,
        Gate,
        Mitigation,
        Treatments,
        compare,
        exposure,
        exposure_by_treatment,
        exposure_from_signals,
    )
    from allonym._risk import Risk, risk

__all__ = [
    "AllonymError",
    "AllonymWarning",
    "CanaryScore",
    "CheckFinding",
    "CheckResult",
    "ColumnFinding",
    "Comparison",
    "DataError",
    "Erased",
    "Evaluation",
    "Expired",
    "Explanation",
    "Exposure",
    "Findings",
    "Gate",
    "InternalError",
    "KeyInfo",
    "KeyStoreError",
    "Keyring",
    "Mitigation",
    "PlanCheck",
    "PlannedColumn",
    "Policy",
    "PolicyError",
    "Risk",
    "RuleError",
    "Run",
    "Span",
    "Spans",
    "StorageError",
    "Stream",
    "Treatments",
    "UsageError",
    "__version__",
    "attacks",
    "canaries",
    "check",
    "compare",
    "danger",
    "erase",
    "evaluate",
    "expire",
    "exposure",
    "exposure_by_treatment",
    "exposure_from_signals",
    "find",
    "find_batch",
    "metrics",
    "redact",
    "retention",
    "risk",
    "rules",
    "scan",
    "score_canaries",
    "tokenize",
    "validate",
]

# Half of the package, of which a notebook that only treats data needs nothing: loaded when asked for.
_MEASURING = {
    "CanaryScore": "_canaries",
    "Comparison": "_exposure",
    "Exposure": "_exposure",
    "Gate": "_exposure",
    "Mitigation": "_exposure",
    "Risk": "_risk",
    "Treatments": "_exposure",
    "canaries": "_canaries",
    "compare": "_exposure",
    "exposure": "_exposure",
    "exposure_by_treatment": "_exposure",
    "exposure_from_signals": "_exposure",
    "risk": "_risk",
    "score_canaries": "_canaries",
}


def __getattr__(name: str) -> Any:
    if name not in _MEASURING:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(importlib.import_module(f"allonym.{_MEASURING[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# `df.allonym` is there at once where the library is loaded already.
for _library in ("pandas", "polars"):
    if _library in sys.modules:
        importlib.import_module(f"allonym.{_library}")
