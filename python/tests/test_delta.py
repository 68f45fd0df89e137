"""Delta tables made by another library: what is past its date goes from every version and file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import allonym as al
import deltalake
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
import pytest
from lakes import MAIL, NEW, OLD, claims

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """version = 1
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
    monkeypatch.chdir(tmp_path)
    (tmp_path / "allonym.toml").write_text(POLICY)
    return tmp_path


def rows() -> pa.Table:
    return claims("part")


def held(table: Path) -> list[str]:
    """Files of the folder in which the canary is, in the log and in the data."""
    files = [path for path in table.rglob("*") if path.is_file()]
    return [path.name for path in files if b"kanarienvogel" in path.read_bytes()]


@pytest.mark.parametrize("partition_by", [None, ["part"], ["mail"]])
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
    assert not list(table.rglob("*kanarienvogel*"))
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


CHECKED = """version = 1
[policy]
name = "claims"
purpose = "test"
[columns.id]
treat = "keep"
reason = "a running number"
[columns.closed]
treat = "keep"
reason = "the anchor"
[columns.mail]
treat = "redact"
with = "x"
[columns.part]
treat = "keep"
reason = "the place of the office"
[retention]
require_tags = "none"
[retention.dataset]
anchor = "closed"
purpose = ["test"]
duration = "P5Y"
on_expiry = "drop_row"
"""


def checked(table: Path) -> tuple[al.CheckResult, dict[str, dict[str, object]], dict[str, object]]:
    """The result, findings by code, and what is told of the one table; no canary in any view."""
    policy = table.parent / "check.toml"
    policy.write_text(CHECKED)
    result = al.check(table, policy=al.Policy.load(policy), full=True)
    evidence = json.loads(result.to_json())
    assert "kanarienvogel" not in json.dumps(evidence) + result._repr_html_()
    findings: dict[str, dict[str, object]] = {}
    for finding in evidence["findings"]:
        assert finding["code"] not in findings, "a table is told as one"
        findings[finding["code"]] = finding
    [told] = evidence["tables"]
    return result, findings, told


def clean(rows: pa.Table) -> pa.Table:
    """Rows that a policy treated, all of them to be kept."""
    mail = pa.array(["x"] * rows.num_rows)
    return rows.set_column(rows.column_names.index("mail"), "mail", mail).filter(
        pa.compute.equal(rows["closed"], NEW)
    )


@pytest.mark.parametrize("partition_by", [None, ["part"], ["mail"]])
def test_check_counts_the_current_version_only(place: Path, partition_by: list[str] | None) -> None:
    table = place / "claims"
    deltalake.write_deltalake(table, rows(), partition_by=partition_by)
    deltalake.DeltaTable(table).create_checkpoint()
    result, findings, told = checked(table)
    evidence = json.loads(result.to_json())
    assert evidence["rows"] == 6
    assert set(findings) == {"ALO-V101", "ALO-R101", "ALO-I102"}
    assert findings["ALO-R101"]["count"] == 3
    assert (findings["ALO-I102"]["count"], findings["ALO-I102"]["column"]) == (3, "mail")
    names = sorted(column["name"] for column in evidence["columns"])
    assert names == ["closed", "id", "mail", "part"]
    assert told["partition_by"] == (partition_by or [])
    assert (told["old_versions"], told["unreferenced_files"]) == ([], 0)

    # Treated and expired rows away: the old version holds them still.
    deltalake.write_deltalake(table, clean(rows()), mode="overwrite", partition_by=partition_by)
    result, findings, told = checked(table)
    assert (json.loads(result.to_json())["rows"], result.exit_code) == (3, 3)
    assert set(findings) == {"ALO-V101", "ALO-R120", "ALO-R121", "ALO-R123"}
    assert {findings[code]["severity"] for code in findings if code != "ALO-V101"} == {"breach"}
    assert findings["ALO-R120"]["file"] == "claims"
    assert "the oldest, version 0 of 20" in str(findings["ALO-R120"]["message"])
    assert "holds 3 expired rows; 1 of them hold expired rows, 3 at most" in str(
        findings["ALO-R120"]["message"]
    )
    assert "they hold 3 expired rows" in str(findings["ALO-R121"]["message"])
    assert (findings["ALO-R123"]["count"], told["unreferenced_residual"]) == (3, 3)
    [old] = told["old_versions"]
    assert (old["version"], old["expired_rows"], told["version"]) == (0, 3, 1)

    # After vacuum the files are gone, and the log still tells of them.
    now = deltalake.DeltaTable(table)
    now.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    result, findings, told = checked(table)
    assert told["unreferenced_files"] == 0
    assert [old["expired_rows"] for old in told["old_versions"]] == [0, 0]
    assert set(findings) == {"ALO-V101", "ALO-R120", "ALO-R125"}
    assert findings["ALO-R120"]["severity"] == "note"
    assert told["told_values"] == len(first_files(table))


def test_an_anchor_that_rows_are_divided_by_is_looked_at(place: Path) -> None:
    days = [OLD.date()] * 3 + [NEW.date()] * 3
    by_day = rows().drop(["mail", "part"]).set_column(1, "closed", pa.array(days, pa.date32()))
    table = place / "claims"
    deltalake.write_deltalake(table, by_day, partition_by=["closed"])
    _, findings, _ = checked(table)
    assert findings["ALO-R101"]["count"] == 3
    # What Delta writes of an instant in a path has no zone, so that nobody knows when it was.
    table = place / "instants"
    instants = rows().drop(["mail", "part"])
    deltalake.write_deltalake(table, instants, partition_by=["closed"])
    _, findings, _ = checked(table)
    assert findings["ALO-R102"]["count"] == 6


def first_files(table: Path) -> set[str]:
    """Files of which the first commit tells."""
    lines = (table / "_delta_log" / f"{0:020}.json").read_text().splitlines()
    adds = [json.loads(line).get("add") for line in lines]
    return {add["path"] for add in adds if add}


def test_check_meets_a_table_in_a_tree_and_files_of_no_version(place: Path) -> None:
    tree = place / "tree"
    table = tree / "lake" / "claims"
    table.parent.mkdir(parents=True)
    deltalake.write_deltalake(table, clean(rows()))
    (tree / "plain.csv").write_text("id,closed,mail,part\n1,2019-01-01,x,a\n")
    pa.parquet.write_table(rows(), table / "part-left-behind.parquet")
    policy = place / "check.toml"
    policy.write_text(CHECKED)
    evidence = json.loads(al.check(tree, policy=al.Policy.load(policy)).to_json())
    assert evidence["rows"] == 4
    assert [file["path"].split("/part")[0] for file in evidence["files"]] == [
        "lake/claims",
        "plain.csv",
    ]
    [told] = evidence["tables"]
    assert (told["path"], told["unreferenced_files"]) == ("lake/claims", 1)
    assert (told["unreferenced_expired_rows"], told["unreferenced_residual"]) == (3, 3)
    codes = sorted(finding["code"] for finding in evidence["findings"])
    assert codes == ["ALO-R101", "ALO-R121", "ALO-R123", "ALO-V101", "ALO-V101"]


def test_check_tells_what_it_does_not_understand_and_goes_on(place: Path) -> None:
    table = place / "claims"
    deltalake.write_deltalake(table, rows())
    first = table / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in first.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            line["add"]["deletionVector"] = {
                "storageType": "u",
                "pathOrInlineDv": "vBn[lx{q8@P<9BNH/isA",
                "offset": 1,
                "sizeInBytes": 36,
                "cardinality": 2,
            }
        if "protocol" in line:
            line["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["deletionVectors", "tomorrow"],
                "writerFeatures": ["deletionVectors", "tomorrow"],
            }
    first.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result, findings, told = checked(table)
    assert result.exit_code == 3
    assert {"ALO-R122", "ALO-R124", "ALO-R101"} <= set(findings)
    assert findings["ALO-R122"]["severity"] == findings["ALO-R124"]["severity"] == "unverified"
    assert told["deletion_marks"] == 1
    assert "`tomorrow`" in str(told["untold"])
    # A log that is not whole is told, too, and the rest is looked at.
    first.write_text("no commit\n")
    (place / "more").mkdir()
    pa.parquet.write_table(clean(rows()), place / "more" / "a.parquet")
    table.rename(place / "more" / "claims")
    policy = place / "check.toml"
    evidence = json.loads(al.check(place / "more", policy=al.Policy.load(policy)).to_json())
    assert evidence["rows"] == 3
    assert [f["file"] for f in evidence["findings"] if f["code"] == "ALO-R124"] == ["claims"]


def test_a_log_that_was_cleaned_up_is_read_from_its_checkpoint(place: Path) -> None:
    table = place / "claims"
    deltalake.write_deltalake(table, rows(), partition_by=["part"])
    deltalake.write_deltalake(table, rows(), mode="append")
    deltalake.DeltaTable(table).create_checkpoint()
    deltalake.write_deltalake(table, clean(rows()), mode="overwrite", partition_by=["part"])
    for version in (0, 1):
        (table / "_delta_log" / f"{version:020}.json").unlink()
    result, findings, told = checked(table)
    assert json.loads(result.to_json())["rows"] == 3
    assert told["partition_by"] == ["part"]
    [old] = told["old_versions"]
    assert (old["version"], old["expired_rows"]) == (1, 6)
    assert findings["ALO-R120"]["severity"] == "breach"
    with pytest.raises(al.DataError):
        al.expire(table)
    # Without a checkpoint before the rest of the log nobody knows what the table holds.
    for checkpoint in (table / "_delta_log").glob("*.checkpoint.parquet"):
        checkpoint.write_bytes(b"PAR1")
    _, findings, _ = checked(table)
    assert "checkpoint of version 1" in str(findings["ALO-R124"]["message"])


def test_values_that_rows_are_divided_by_stand_in_no_evidence(place: Path) -> None:
    table = place / "claims"
    deltalake.write_deltalake(table, rows(), partition_by=["mail"])
    plan = al.expire(table)
    assert plan.verdict == "due"
    assert "kanarienvogel" not in json.dumps(plan.to_dict())
    tagged = (
        POLICY
        + """[[retention.columns]]
match = { name = "mail" }
anchor = "closed"
duration = "P1Y"
on_expiry = "null"
"""
    )
    (place / "allonym.toml").write_text(tagged)
    with pytest.raises(al.UsageError) as raised:
        al.expire(table)
    assert "`mail`" in str(raised.value)
