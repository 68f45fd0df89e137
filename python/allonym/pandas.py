"""``df.allonym`` for pandas.

There at once where pandas is imported before allonym; else ``import allonym.pandas``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from allonym._findings import scan
from allonym._policy import Policy

if TYPE_CHECKING:
    from allonym._allonym import Keyring
    from allonym._findings import Findings

__all__ = ["FrameAccessor"]


class FrameAccessor:
    """``df.allonym``."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def scan(self, **options: Any) -> Findings:
        """Look for personal data; see :func:`allonym.scan`."""
        return scan(self._frame, **options)

    def draft(self, *, purpose: str = "", name: str | None = None) -> Policy:
        """Propose a policy; see :meth:`allonym.Policy.draft`."""
        return Policy.draft(self._frame, purpose=purpose, name=name)

    def apply(self, policy: Policy, *, keys: Keyring | str | None = None) -> Any:
        """Treat the frame; see :meth:`allonym.Policy.apply`."""
        return policy.apply(self._frame, keys=keys)


_extensions: Any = importlib.import_module("pandas.api.extensions")
_extensions.register_dataframe_accessor("allonym")(FrameAccessor)
