"""What must go, and when.

>>> from allonym import retention
>>> retention.decide("2020-02-29", "date", "P6Y", "Europe/Berlin", "2026-03-01T00:00:00Z")
('2026-02-28T23:00:00Z', 'expired')
"""

from allonym._allonym import decide

__all__ = ["decide"]
