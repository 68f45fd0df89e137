"""What scores prove: curves and rates with intervals that hold.

>>> import allonym as al
>>> roc = al.metrics.roc([0.9, 0.7, 0.6, 0.1], [True, True, False, False])
>>> roc.auc
1.0
>>> roc.tpr_at(0.001).resolvable
False
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from allonym import _allonym
from allonym._allonym import Roc, TprAt
from allonym._signals import packed

if TYPE_CHECKING:
    from allonym._signals import Numbers

__all__ = ["Estimate", "Interval", "Roc", "TprAt", "roc"]


class Interval(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A number with the ends of its interval."""

    value: float
    low: float
    high: float


def roc(scores: Numbers, members: Numbers, *, confidence: float = 0.95) -> Roc:
    """Rank scores against who was a member.

    Parameters
    ----------
    scores
        One number for each record, larger for likelier members: the ``Scores`` of an attack, or
        anything that holds numbers. A record whose score is NaN is dropped and counted.
    members
        Whether the target was trained on each record.
    confidence
        Of every interval.

    Returns
    -------
    Roc
        Exact steps, tied scores in one.

    Raises
    ------
    DataError
        Lengths that do not fit, an infinite score, no member or no non-member.
    UsageError
        A confidence outside of (0, 1).
    """
    return _allonym.roc(packed(scores, "scores"), packed(members, "members"), confidence)
