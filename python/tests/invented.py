"""Invented people and a policy for them."""

import os

import pytest

CANARY = "zoe.kanarie@example.org"
"""Stands in cells; must never stand in a message, a display or a pickle."""


def people(rows):
    """Columns of invented people: every third fax is null, ages repeat."""
    return {
        "id": [1000 + row for row in range(rows)],
        "email": [f"person{row}@example.org" for row in range(rows)],
        "notes": [f"wrote to person{row}@example.org, no answer" for row in range(rows)],
        "fax": [None if row % 3 == 0 else f"+49 30 901{row:05d}" for row in range(rows)],
        "age": [20 + row % 50 for row in range(rows)],
    }


def data_folder():
    """Folder of the optional data; tests that need it say that they were left out."""
    folder = os.environ.get("ALLONYM_DATA")
    if not folder:
        pytest.skip("left out: ALLONYM_DATA names no folder")
    return folder


POLICY = """\
version = 1
[policy]
name = "people"
purpose = "a test"
[columns.id]
treat = "pseudonymize"
join = "person"
[columns.email]
treat = "pseudonymize"
join = "email"
profile = "casefold"
[columns.notes]
treat = "text"
with = "label"
entities = ["EMAIL_ADDRESS"]
[columns.fax]
treat = "drop"
[columns.age]
treat = "keep"
reason = "what the model is about"
"""
