"""Doors that take raw secrets: for test vectors and audits only.

Nothing here wipes what is passed in or given back, and Python keeps copies.
"""

from allonym._allonym import derive_token

__all__ = ["derive_token"]
