"""Invented rows for tables with versions, of any format."""

import datetime as dt

import pyarrow as pa

MAIL = "kanarienvogel.4711@example.org"
OLD = dt.datetime(2019, 1, 1, tzinfo=dt.timezone.utc)
NEW = dt.datetime(2025, 6, 1, tzinfo=dt.timezone.utc)


def claims(place: str) -> pa.Table:
    """Six rows, of which the first three are past five years; ``place`` names the last column."""
    return pa.table(
        {
            "id": list(range(6)),
            "closed": pa.array([OLD] * 3 + [NEW] * 3, pa.timestamp("us", "UTC")),
            "mail": [MAIL] * 3 + ["x"] * 3,
            place: ["a b", "ü", "a b", "ü", "a b", "ü"],
        }
    )
