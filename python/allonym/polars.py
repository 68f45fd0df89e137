"""``df.allonym`` and ``lf.allonym`` for polars.

There at once where polars is imported before allonym; else ``import allonym.polars``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from allonym._findings import scan
from allonym._policy import Policy

if TYPE_CHECKING:
    from allonym._allonym import Keyring
    from allonym._findings import Findings

__all__ = ["FrameNamespace", "LazyFrameNamespace"]


@pl.api.register_dataframe_namespace("allonym")
class FrameNamespace:
    """``df.allonym``."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def scan(self, **options: Any) -> Findings:
        """Look for personal data; see :func:`allonym.scan`."""
        return scan(self._frame, **options)

    def draft(self, *, purpose: str = "", name: str | None = None) -> Policy:
        """Propose a policy; see :meth:`allonym.Policy.draft`."""
        return Policy.draft(self._frame, purpose=purpose, name=name)

    def apply(self, policy: Policy, *, keys: Keyring | str | None = None) -> pl.DataFrame:
        """Treat the frame; see :meth:`allonym.Policy.apply`."""
        return policy.apply(self._frame, keys=keys)


@pl.api.register_lazyframe_namespace("allonym")
class LazyFrameNamespace:
    """``lf.allonym``."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def scan(self, **options: Any) -> Findings:
        """Collect the frame and look for personal data; see :func:`allonym.scan`."""
        return scan(self._frame, **options)

    def draft(self, *, purpose: str = "", name: str | None = None) -> Policy:
        """Collect the frame and propose a policy; see :meth:`allonym.Policy.draft`."""
        return Policy.draft(self._frame, purpose=purpose, name=name)

    def apply(self, policy: Policy, *, keys: Keyring | str | None = None) -> pl.LazyFrame:
        """Treat the frame when it is collected; see :meth:`allonym.Policy.apply`."""
        return policy.apply(self._frame, keys=keys)
