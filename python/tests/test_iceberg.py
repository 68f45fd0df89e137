"""Iceberg tables made by another library: what is due is planned, and looked for again afterwards."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import allonym as al
import pyarrow as pa
import pyarrow.parquet
import pytest
from lakes import MAIL, OLD, claims
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.typedef import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyiceberg.table import Table

POLICY = """version = 1
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
[columns.office]
treat = "keep"
reason = "a place"
[retention]
require_tags = "none"
[retention.dataset]
anchor = "closed"
purpose = ["test"]
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
    return claims("office")


def new(place: Path, name: str, version: int = 2, divide: str | None = None) -> Table:
    catalog = SqlCatalog("c", uri=f"sqlite:///{place}/catalog.db", warehouse=f"file://{place}")
    catalog.create_namespace_if_not_exists("lake")
    table = catalog.create_table(
        f"lake.{name}", schema=rows().schema, properties={"format-version": str(version)}
    )
    if divide is not None:
        with table.update_spec() as spec:
            spec.add_identity(divide)
    return table


def folder(table: Table) -> Path:
    from pathlib import Path

    return Path(table.location().removeprefix("file://"))


def checked(table: Path) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Exit code, findings by code, what is told of the one table, all evidence; no canary in it."""
    result = al.check(table, policy=al.Policy.load(), full=True)
    assert "kanarienvogel" not in result.to_json() + result._repr_html_()
    evidence = json.loads(result.to_json())
    findings: dict[str, dict[str, Any]] = {}
    for finding in evidence["findings"]:
        assert finding["code"] not in findings, "a table is told as one"
        findings[finding["code"]] = finding
    [told] = evidence["tables"]
    return result.exit_code, findings, told, evidence


def planned(table: Path) -> tuple[al.Expired, dict[str, Any]]:
    plan = al.expire(table)
    assert "kanarienvogel" not in json.dumps(plan.to_dict()) + repr(plan)
    return plan, plan.to_dict()["table"]


def expired_ids(table: Table, snapshot: int) -> int:
    ids = table.scan(snapshot_id=snapshot).to_arrow()["closed"].to_pylist()
    return sum(closed == OLD for closed in ids)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("divide", [None, "office", "mail"])
def test_a_table_is_planned_and_found_clean_after_the_engine_did_it(
    place: Path, version: int, divide: str | None
) -> None:
    table = new(place, "claims", version, divide)
    table.append(rows())
    table.append(rows())
    table.delete("id == 1")
    table.overwrite(rows().slice(3, 3), overwrite_filter="id == 5")
    path = folder(table)
    ids = [snapshot.snapshot_id for snapshot in table.metadata.snapshots]
    current = table.metadata.current_snapshot_id
    held = {str(old): expired_ids(table, old) for old in ids if old != current}
    assert max(held.values()) == 6

    plan, told = planned(path)
    assert (plan.verdict, plan.exit) == ("due", 1)
    assert (told["format"], told["snapshot"]) == ("iceberg", str(current))
    assert told["version_before"] == len(ids)
    assert {old["snapshot"]: old["expired_rows"] for old in told["old_versions"]} == held
    rows_due = sum(file["rows_dropped"] for file in plan.to_dict()["files"])
    assert rows_due == expired_ids(table, current or 0) == 4
    first = told["engine"]["steps"][0]
    delete, cut = first["sql"].split(" WHERE ")
    assert delete == "DELETE FROM `claims`"
    assert cut == "`closed` < TIMESTAMP '2021-01-01 00:00:00.000001+00:00'"
    assert first["rows"] == 4
    calls = " ".join(step["sql"] or "" for step in told["engine"]["steps"])
    assert "CALL catalog.system.expire_snapshots(table => 'database.claims'" in calls
    assert "CALL catalog.system.remove_orphan_files(table => 'database.claims'" in calls
    with pytest.raises(al.UsageError) as raised:
        al.expire(path, yes=True)
    assert raised.value.code == "ALO-U090"

    exit_code, findings, told, evidence = checked(path)
    assert exit_code == 3
    assert evidence["rows"] == table.scan().to_arrow().num_rows
    assert set(findings) == {
        "ALO-V101",
        "ALO-R101",
        "ALO-R120",
        "ALO-R121",
        "ALO-R123",
        "ALO-I102",
    }
    assert findings["ALO-R101"]["count"] == 4
    assert findings["ALO-I102"]["count"] == 4
    assert {old["snapshot"]: old["expired_rows"] for old in told["old_versions"]} == held
    assert told["partition_by"] == ([divide] if divide else [])

    # The engine does it: the plan names what older snapshots hold, then what lies in the folder.
    table.delete("closed < '2021-01-01T00:00:00.000001+00:00'")
    plan, told = planned(path)
    assert plan.verdict == "against policy"
    assert "older table versions can still be read" in " ".join(plan.reasons)
    current = table.metadata.current_snapshot_id
    olds = [s.snapshot_id for s in table.metadata.snapshots if s.snapshot_id != current]
    table.maintenance.expire_snapshots().by_ids(olds).commit()
    plan, told = planned(path)
    assert (told["old_versions"], plan.verdict) == ([], "against policy")
    assert told["unreferenced_expired_rows"] > 0
    remove_orphans(table)
    plan, told = planned(path)
    assert (plan.verdict, plan.exit, plan.reasons) == ("nothing due", 0, [])
    assert told["engine"] == {"steps": []}
    _, findings, told, _ = checked(path)
    assert set(findings) == {"ALO-V101"}


def remove_orphans(table: Table) -> None:
    """Removes what no snapshot needs, as engines do: lists of files, too."""
    needed = {file["file_path"] for file in table.inspect.files().to_pylist()}
    for snapshot in table.metadata.snapshots:
        needed.add(snapshot.manifest_list)
        needed.update(m.manifest_path for m in snapshot.manifests(table.io))
    for path in folder(table).rglob("*"):
        is_list = path.suffix in {".avro", ".parquet"}
        if is_list and f"file://{path}" not in needed:
            path.unlink()


def with_marks(
    table: Table, content: DataFileContent, write: Callable[[str], pa.Table]
) -> dict[str, Any]:
    """A version of the table with one file of deletes, as no library here writes it."""

    class Deletes(ManifestWriterV2):
        def content(self) -> ManifestContent:
            return ManifestContent.DELETES

        @property
        def _meta(self) -> dict[str, str]:
            return {**super()._meta, "content": "deletes"}

    io, path, number = PyArrowFileIO(), folder(table), 4711
    snapshot = table.current_snapshot()
    assert snapshot is not None
    manifests = snapshot.manifests(io)
    [task] = table.scan().plan_files()
    marks = path / "data" / "marks.parquet"
    deletes = write(task.file.file_path)
    pyarrow.parquet.write_table(deletes, marks)
    file = DataFile.from_args(
        content=content,
        file_path=f"file://{marks}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=deletes.num_rows,
        file_size_in_bytes=marks.stat().st_size,
        equality_ids=[3] if content is DataFileContent.EQUALITY_DELETES else None,
    )
    place = io.new_output(f"file://{path}/metadata/marks-m0.avro")
    with Deletes(table.spec(), table.schema(), place, number, "deflate") as writer:
        writer.add(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=number, data_file=file
            )
        )
    listed = f"file://{path}/metadata/snap-{number}.avro"
    with write_manifest_list(
        2, io.new_output(listed), number, snapshot.snapshot_id, 2, "deflate"
    ) as lists:
        lists.add_manifests([*manifests, writer.to_manifest_file()])
    metadata = json.loads(table.metadata.model_dump_json())
    metadata["current-snapshot-id"] = number
    metadata["last-sequence-number"] = 2
    metadata["snapshots"].append(
        {
            "snapshot-id": number,
            "parent-snapshot-id": snapshot.snapshot_id,
            "sequence-number": 2,
            "timestamp-ms": snapshot.timestamp_ms + 1,
            "manifest-list": listed,
            "summary": {"operation": "delete"},
            "schema-id": 0,
        }
    )
    return metadata


def test_files_of_deletes_are_told_and_counts_are_upper_bounds(place: Path) -> None:
    table = new(place, "claims")
    table.append(rows())
    path = folder(table)
    metadata = with_marks(
        table,
        DataFileContent.POSITION_DELETES,
        lambda of: pa.table({"file_path": [of], "pos": [0]}),
    )
    hint = path / "metadata" / "version-hint.text"
    (path / "metadata" / "v9.metadata.json").write_text(json.dumps(metadata))
    hint.write_text("9\n")
    exit_code, findings, told, evidence = checked(path)
    assert (exit_code, evidence["rows"], told["deletion_marks"]) == (3, 6, 1)
    assert findings["ALO-R122"]["severity"] == "unverified"
    assert findings["ALO-R101"]["count"] == 3
    plan, told = planned(path)
    assert told["deletion_marks"] == 1
    assert "only mark rows" in " ".join(plan.reasons)
    calls = " ".join(step["sql"] or "" for step in told["engine"]["steps"])
    assert "rewrite_data_files" in calls


def test_equality_deletes_hold_values_and_are_not_understood(place: Path) -> None:
    table = new(place, "claims")
    table.append(rows())
    path = folder(table)
    metadata = with_marks(
        table, DataFileContent.EQUALITY_DELETES, lambda _: pa.table({"mail": [MAIL]})
    )
    (path / "metadata" / "00009-a.metadata.json").write_text(json.dumps(metadata))
    _, findings, _, _ = checked(path)
    assert "equality deletes" in findings["ALO-R124"]["message"]
    with pytest.raises(al.UsageError) as raised:
        al.expire(path)
    assert raised.value.code == "ALO-R021"


def test_a_renamed_column_has_its_name_and_a_dropped_one_is_still_there(place: Path) -> None:
    table = new(place, "claims")
    table.append(rows())
    with table.update_schema(allow_incompatible_changes=True) as change:
        change.rename_column("closed", "finished")
        change.delete_column("mail")
    path = folder(table)
    policy = POLICY.replace("columns.closed", "columns.finished")
    (place / "allonym.toml").write_text(policy.replace('"closed"', '"finished"'))
    _, findings, _, evidence = checked(path)
    assert [column["name"] for column in evidence["columns"]] == [
        "id",
        "finished",
        "mail",
        "office",
    ]
    assert findings["ALO-R101"]["count"] == 3
    assert findings["ALO-I102"]["count"] == 3
    with pytest.raises(al.UsageError) as raised:
        al.expire(path)
    assert raised.value.code == "ALO-R021"


def test_what_is_not_understood_is_told_and_never_taken_for_good(place: Path) -> None:
    table = new(place, "claims")
    table.append(rows())
    path = folder(table)
    newest = sorted((path / "metadata").glob("*.metadata.json"))[-1]
    metadata = json.loads(newest.read_text())

    def changed(**keys: object) -> dict[str, dict[str, Any]]:
        newest.write_text(json.dumps({**metadata, **keys}))
        exit_code, findings, told, _ = checked(path)
        assert exit_code == 3
        assert told["untold"]
        with pytest.raises((al.UsageError, al.DataError)):
            al.expire(path)
        return findings

    assert "format version 3" in changed(**{"format-version": 3})["ALO-R124"]["message"]
    remote = changed(location="s3://bucket/claims")
    assert "outside of its folder" in remote["ALO-R124"]["message"]
    encrypted = {"encryption.key-id": "k"}
    assert "is encrypted" in changed(properties=encrypted)["ALO-R124"]["message"]
    newest.write_text(json.dumps(metadata))
    # A copy is looked at, and said to be one.
    copy = shutil.copytree(path, place / "copy" / "claims")
    _, findings, _, evidence = checked(copy)
    assert "another place" in findings["ALO-R124"]["message"]
    assert (evidence["rows"], findings["ALO-R101"]["count"]) == (6, 3)
    with pytest.raises(al.UsageError):
        al.expire(copy)
    # Two newest files: only the catalog knows which one counts.
    twin = newest.with_name(newest.name.split("-")[0] + "-twin.metadata.json")
    twin.write_text(newest.read_text())
    assert "only its catalog knows" in changed()["ALO-R124"]["message"]
    twin.unlink()
    for path_of_list in (path / "metadata").glob("snap-*.avro"):
        path_of_list.write_bytes(b"Obj\x01" + b"\xff" * 64)
    assert "cannot be read" in changed()["ALO-R124"]["message"]


def test_holds_and_other_actions_are_told_in_the_plan(place: Path) -> None:
    table = new(place, "claims")
    table.append(rows())
    path = folder(table)
    cells = """[[retention.columns]]
match = { name = "mail" }
anchor = "closed"
duration = "P1M"
on_expiry = "null"
"""
    (place / "allonym.toml").write_text(POLICY + cells)
    _, told = planned(path)
    sql = [step["sql"] for step in told["engine"]["steps"]]
    assert sql[1].startswith("UPDATE `claims` SET `mail` = NULL WHERE `mail` IS NOT NULL AND (")
    assert "TIMESTAMP '2025-12-01 00:00:00.000001+00:00'" in sql[1]
    hold = """[[retention.holds]]
id = "LH-1"
scope = { dataset = "claims" }
authority = "a court"
from = 2025-01-01
review_by = 2027-01-01
"""
    (place / "allonym.toml").write_text(POLICY + hold)
    plan, told = planned(path)
    assert plan.verdict == "nothing due"
    assert told["engine"] == {"steps": []}
    # A folder of plain files next to it is no table, and a table among files is not rewritten.
    with pytest.raises(al.UsageError):
        al.erase(place, subjects=place / "allonym.toml")
