"""Delta tables made by another library: what is past its date goes from every version and file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import allonym as al
import deltalake
import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from pathlib import Path

MAIL = "kanarienvogel.4711@example.org"
POLICY = """version = 1
[retention]
require_tags = "none"
[retention.dataset]
anchor = "closed"
duration = "P5Y"
on_expiry = "drop_row"
"""
OLD = dt.datetime(2019, 1, 1, tzinfo=dt.timezone.utc)
NEW = dt.datetime(2025, 6, 1, tzinfo=dt.timezone.utc)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALLONYM_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "allonym.toml").write_text(POLICY)
    return tmp_path


def rows() -> pa.Table:
    return pa.table(
        {
            "id": list(range(6)),
            "closed": pa.array([OLD] * 3 + [NEW] * 3, pa.timestamp("us", "UTC")),
            "mail": [MAIL] * 3 + ["x"] * 3,
            "part": ["a b", "ü", "a b", "ü", "a b", "ü"],
        }
    )


def held(table: Path) -> list[str]:
    """Files of the folder in which the canary is, in the log and in the data."""
    files = [path for path in table.rglob("*") if path.is_file()]
    return [path.name for path in files if b"kanarienvogel" in path.read_bytes()]


@pytest.mark.parametrize("partition_by", [None, ["part"]])
def test_old_versions_are_told_and_purged(place: Path, partition_by: list[str] | None) -> None:
    table = place / "claims"
    deltalake.write_deltalake(table, rows(), partition_by=partition_by)
    deltalake.write_deltalake(table, rows(), mode="append")
    deltalake.DeltaTable(table).delete(f"mail = '{MAIL}' and id = 1")
    deltalake.DeltaTable(table).create_checkpoint()
    before = deltalake.DeltaTable(table)
    expired = [
        deltalake.DeltaTable(table, version=version).to_pyarrow_table()["id"].to_pylist()
        for version in range(before.version() + 1)
    ]
    expected = [sum(row < 3 for row in version) for version in expired]

    plan = al.expire(table)
    assert plan.verdict == "due"
    assert deltalake.DeltaTable(table).version() == before.version()

    done = al.expire(table, yes=True)
    told = done.to_dict()["table"]
    assert done.verdict == "against policy"
    assert "older table versions can still be read" in " ".join(done.reasons)
    assert (told["version_before"], told["version_after"]) == (2, 3)
    assert [old["expired_rows"] for old in told["old_versions"]] == expected
    now = deltalake.DeltaTable(table)
    assert now.version() == 3
    assert sorted(now.to_pyarrow_table()["id"].to_pylist()) == [3, 3, 4, 4, 5, 5]
    assert now.history(1)[0]["operation"] == "DELETE"
    # What the report says is so: the library still reads the rows that went.
    for old in told["old_versions"]:
        version = deltalake.DeltaTable(table, version=old["version"])
        ids = version.to_pyarrow_table()["id"].to_pylist()
        assert sum(row < 3 for row in ids) == old["expired_rows"]
    assert held(table)

    purged = al.expire(table, yes=True, purge=True)
    assert (purged.ok, purged.verdict) == (True, "nothing due")
    assert purged.to_dict()["table"]["purged_files"] > 0
    assert purged.to_dict()["table"]["old_versions"] == []
    assert held(table) == []
    after = deltalake.DeltaTable(table)
    assert sorted(after.to_pyarrow_table()["id"].to_pylist()) == [3, 3, 4, 4, 5, 5]
    deltalake.write_deltalake(table, rows(), mode="append")
    assert deltalake.DeltaTable(table).to_pyarrow_table().num_rows == 12


def test_tables_that_are_not_understood_are_refused(place: Path) -> None:
    table = place / "claims"
    configuration = {"delta.appendOnly": "true"}
    deltalake.write_deltalake(table, rows(), configuration=configuration)
    assert al.expire(table).verdict == "due"
    with pytest.raises(al.UsageError) as raised:
        al.expire(table, yes=True)
    assert "append-only" in str(raised.value)
    feed = place / "feed"
    deltalake.write_deltalake(feed, rows(), configuration={"delta.enableChangeDataFeed": "true"})
    with pytest.raises(al.UsageError):
        al.expire(feed)
    (table / "_delta_log" / "00000000000000000000.json").unlink()
    with pytest.raises(al.DataError):
        al.expire(table)
    with pytest.raises(al.UsageError):
        al.expire(place / "allonym.toml", purge=True, yes=True)
