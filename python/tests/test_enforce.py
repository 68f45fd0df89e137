"""Retention enforced and people erased, from Python: what the command does, told as objects."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import allonym as al
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from pathlib import Path

MAIL = "kanarienvogel.4711@example.org"
POLICY = """version = 1
[policy]
unlisted = "keep"
unlisted_reason = "test"
[columns.mail]
treat = "pseudonymize"
join = "mail"
[retention]
require_tags = "none"
[retention.dataset]
anchor = "closed"
duration = "P5Y"
on_expiry = "drop_row"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALLONYM_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    work = tmp_path / "place"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "allonym.toml").write_text(POLICY)
    return work


def test_a_plan_changes_nothing_and_yes_does_it(place: Path) -> None:
    data = place / "a.csv"
    data.write_text(f"mail,closed\n{MAIL},2019-01-01\nx,2025-01-01\n")
    plan = al.expire("a.csv")
    assert (plan.ok, plan.exit, plan.verdict, plan.path) == (False, 1, "due", None)
    assert data.read_text().count("\n") == 3
    done = al.expire([data], policy=al.Policy.load("allonym.toml"), yes=True)
    assert (done.ok, done.verdict, done.resumed) == (True, "done", False)
    assert data.read_text() == "mail,closed\nx,2025-01-01\n"
    assert done.path is not None
    table = done.to_polars()
    assert table.select("tag", "retain", "expired", "undecided").rows() == [("dataset", 1, 1, 0)]
    assert table.schema["expired"] == pl.UInt64
    for shown in (repr(done), done._repr_html_(), done.to_json()):
        assert "done" in shown
        assert "kanarienvogel" not in shown


def test_groups_that_pyarrow_wrote_are_copied_as_they_are(place: Path) -> None:
    # PyArrow indexes no pages unless it is asked to.
    closed = [dt.datetime(2016 + n // 10, 1, 1, tzinfo=dt.timezone.utc) for n in range(100)]
    table = pa.table({"mail": ["x"] * 100, "closed": pa.array(closed, pa.timestamp("us", "UTC"))})
    before = pa.BufferOutputStream()
    pq.write_table(table, before, row_group_size=20)
    data = place / "a.parquet"
    data.write_bytes(before.getvalue())
    done = al.expire("a.parquet", as_of="2021-06-01T00:00:00Z", yes=True)
    [file] = done.to_dict()["files"]
    groups = {"all": 5, "judged_by_statistics": 4, "untouched": 4, "gone": 0, "rewritten": 1}
    assert file["row_groups"] == groups
    assert file["rows_dropped"] == 10
    assert pq.read_table(data).equals(table.slice(10))


def test_what_cannot_be_decided_is_not_ok(place: Path) -> None:
    (place / "a.csv").write_text("mail,closed\nx,2024-01-01T00:00:00\n")
    result = al.expire("a.csv", yes=True)
    assert (result.ok, result.exit, result.verdict) == (False, 3, "not verifiable")
    assert "without a zone" in result.reasons[0]
    with pytest.raises(al.DataError) as raised:
        al.expire("nowhere.csv")
    assert "nowhere.csv" in str(raised.value)
    with pytest.raises(al.UsageError):
        al.expire("a.csv", as_of="2999-01-01T00:00:00Z", yes=True)


def test_people_go_and_stay_out_of_files_and_frames(place: Path) -> None:
    frame = pl.DataFrame({"mail": [MAIL, "x@example.com"], "closed": ["2025-01-01", "2025-02-01"]})
    keys = al.Keyring.create(place.parent / "keys" / "a.keyring")
    policy = al.Policy.load("allonym.toml")
    treated = policy.apply(frame, keys=keys)
    treated.write_parquet("a.parquet")
    (place / "who.csv").write_text(f"mail\n{MAIL}\n")
    reference = f"file:{place.parent / 'keys' / 'a.keyring'}"
    plan = al.erase("a.parquet", subjects="who.csv", keys=reference)
    assert (plan.verdict, plan.ok) == ("found", False)
    people = {"operator": "desk", "approver": "officer"}
    with pytest.raises(al.UsageError, match="second person"):
        al.erase("a.parquet", subjects="who.csv", keys=reference, yes=True, approver="officer")
    done = al.erase("a.parquet", subjects="who.csv", keys=reference, yes=True, **people)
    assert done.to_dict()["approver"] == "officer"
    assert (done.verdict, done.ok) == ("erased", True)
    assert done.to_polars().rows() == [("a.parquet", 1, 0, 0, 0, 0, 0)]
    assert done.to_dict()["signature"] is not None
    assert pl.read_parquet("a.parquet").height == 1
    for shown in (repr(done), done._repr_html_(), done.to_json()):
        assert "kanarienvogel" not in shown
    with pytest.warns(al.AllonymWarning, match="1 rows are of people who were erased"):
        again = policy.apply(frame, keys=al.Keyring.open(reference))
    assert again.rows() == treated.rows()[1:]
