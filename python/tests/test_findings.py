import json
import pickle
import subprocess
import sys

import allonym as al
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from invented import CANARY, people

HOSTILE = '<script>alert("x")</script>\u202e\x1b[2J&'


@pytest.fixture(scope="module")
def findings():
    return al.scan(pl.DataFrame(people(200)))


def test_scan_judges_columns(findings):
    by_name = {column.name: column for column in findings.columns}
    assert list(by_name) == ["id", "email", "notes", "fax", "age"]
    assert by_name["email"].entity == "EMAIL_ADDRESS"
    assert by_name["email"].share == 1.0
    assert by_name["email"].share_low < 1.0
    assert by_name["email"].confidence > 0.8
    assert by_name["notes"].free_text
    assert ("EMAIL_ADDRESS", 200, 200) in by_name["notes"].entities
    assert by_name["fax"].nulls == 67
    assert len(findings) == 5
    assert findings.rows == 200
    assert not findings.sampled


def test_scan_json_is_the_command_lines(tmp_path):
    path = tmp_path / "people.csv"
    pl.DataFrame(people(30)).write_csv(path)
    command = [sys.executable, "-m", "allonym", "scan", str(path), "--format", "json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert al.scan(path).to_json() == run.stdout.removesuffix("\n")
    assert json.loads(run.stdout)["schema"] == "allonym.scan/1"
    assert json.loads(run.stdout)["source"] == str(path)


def test_every_table_gives_the_same_judgement(findings):
    columns = people(200)
    frame = pl.DataFrame(columns)
    wanted = [(column.name, column.entity) for column in findings.columns]
    for data in (
        frame.lazy(),
        pd.DataFrame(columns),
        pa.table(columns),
        pa.table(columns).to_reader(),
        pa.table(columns).to_batches()[0],
        duckdb.sql("select * from frame"),
    ):
        found = al.scan(data)
        assert [(column.name, column.entity) for column in found.columns] == wanted


def test_samples_are_told():
    frame = pl.DataFrame({"email": [f"p{row}@example.org" for row in range(6000)]})
    sampled = al.scan(frame, rows=1024, seed=1)
    assert sampled.sampled
    assert sampled.rows == 6000
    assert "Sampled: rare values can be missed" in repr(sampled)
    assert "seed 1" in repr(sampled)
    assert not al.scan(frame, rows=1024, full=True).sampled


def test_scan_goes_by_entities_and_policy():
    frame = pl.DataFrame(people(60))
    only = al.scan(frame, entities=["IBAN_CODE"])
    assert not any(column.found for column in only.columns if column.name == "email")
    policy = al.Policy.parse('version = 1\n[find]\ncountries = ["NL"]\n')
    assert json.loads(al.scan(frame, policy=policy).to_json())["countries"] == ["NL"]


def test_scan_refuses(tmp_path):
    with pytest.raises(al.DataError):
        al.scan(tmp_path / "nowhere.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(al.DataError):
        al.scan(tmp_path / "empty.csv")
    for name in ("a.csv", "b.csv"):
        (tmp_path / "two").mkdir(exist_ok=True)
        (tmp_path / "two" / name).write_text("x\n1\n")
    with pytest.raises(al.UsageError, match="2 files"):
        al.scan(tmp_path / "two")
    with pytest.raises(al.UsageError, match="rows"):
        al.scan(pl.DataFrame({"a": [1]}), rows=0)
    with pytest.raises(al.RuleError, match="EMAIL_ADDRESS"):
        al.scan(pl.DataFrame({"a": [1]}), entities=["EMAIL_ADRESS"])
    with pytest.raises(TypeError, match="capsule"):
        al.scan({"a": [1]})


def test_findings_as_frames(findings):
    frame = findings.to_polars()
    assert frame["name"].to_list() == ["id", "email", "notes", "fax", "age"]
    assert frame.schema["share"] == pl.Float64
    assert frame.row(1, named=True)["entity"] == "EMAIL_ADDRESS"
    assert findings.to_pandas()["name"].tolist() == frame["name"].to_list()
    table = findings.to_arrow()
    assert table.schema.field("cells").type == pa.int64()
    assert table.to_pylist() == frame.to_dicts()


def test_explain(findings):
    said = findings.explain("email")
    assert said.column.entity == "EMAIL_ADDRESS"
    assert repr(said).startswith("email: EMAIL_ADDRESS (direct), confidence ")
    for word in ("because", "coverage", "cells", "suggestion"):
        assert word in repr(said)
    assert "<table>" in said._repr_html_()
    assert set(said._repr_mimebundle_()) == {"text/plain", "text/html"}
    with pytest.raises(al.UsageError, match="no column `mail`; there are `id`, `email`"):
        findings.explain("mail")


def test_a_pickle_says_the_same(findings):
    again = pickle.loads(pickle.dumps(findings))
    assert again.to_json() == findings.to_json()
    assert repr(again) == repr(findings)
    assert again.columns == findings.columns


def test_the_table_lines_up(findings):
    lines = repr(findings).splitlines()
    assert lines[0].startswith("polars.DataFrame · 200 rows × 5 columns · ")
    header = lines[1]
    email = next(line for line in lines if line.lstrip().startswith("email"))
    assert email.index("EMAIL_ADDRESS") == header.index("found")
    assert "nothing found." in lines[-1]


def test_markup_is_static(findings):
    for markup in (findings._repr_html_(), findings.explain("email")._repr_html_()):
        assert "prefers-color-scheme:dark" in markup
        for word in ("<script", "http:", "https:", "src=", "url(", " on"):
            assert word not in markup.lower().replace(" only", "")


def test_hostile_names_are_inert():
    frame = pl.DataFrame({HOSTILE: [f"p{row}@example.org" for row in range(40)]})
    findings = al.scan(frame)
    explained = findings.explain(HOSTILE)
    policy = al.Policy.draft(frame)
    for markup in (findings._repr_html_(), explained._repr_html_(), policy._repr_html_()):
        assert "<script>" not in markup
        assert "&lt;script&gt;" in markup
        assert "\u202e" not in markup
        assert "\x1b" not in markup
    for text in (repr(findings), repr(explained), repr(policy)):
        assert "\u202e" not in text
        assert "\x1b" not in text
    with pytest.raises(al.UsageError) as caught:
        findings.explain("\x1b[2J")
    assert "\x1b" not in str(caught.value)


def test_no_display_shows_a_cell():
    frame = pl.DataFrame({"email": [CANARY] * 50, "notes": [f"please write to {CANARY}"] * 50})
    findings = al.scan(frame)
    shown = [
        repr(findings),
        findings._repr_html_(),
        findings.to_json(),
        str(pickle.dumps(findings)),
    ]
    for column in findings.columns:
        shown += [repr(column), repr(findings.explain(column.name))]
        shown.append(findings.explain(column.name)._repr_html_())
    shown += [str(findings.to_polars().to_dicts()), str(findings._repr_mimebundle_())]
    for text in shown:
        assert "kanarie" not in text
