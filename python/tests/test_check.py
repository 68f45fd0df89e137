"""`al.check`: tags that other tools drop, drift that is named, and nothing of a cell."""

import datetime as dt
import json
import pickle
import subprocess
import sys

import allonym as al
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented import CANARY

AS_OF = "2026-06-01T00:00:00Z"
POLICY = """\
version = 1
[policy]
name = "claims"
purpose = "a test"
[columns.email]
treat = "pseudonymize"
[columns.notes]
treat = "text"
with = "label"
[columns.closed]
treat = "keep"
reason = "anchor"
[retention]
policy_tz = "Europe/Berlin"
[[retention.columns]]
match = { glob = "*" }
purpose = ["pricing"]
anchor = "closed"
duration = "P5Y"
on_expiry = "drop_row"
"""


def claims(rows, closed=dt.date(2025, 1, 31)):
    return {
        "email": [f"person{row}@example.org" for row in range(rows)],
        "notes": [f"she wrote to {CANARY}"] * rows,
        "closed": [closed] * rows,
    }


def allonym(*arguments):
    command = [sys.executable, "-m", "allonym", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def tagged(tmp_path, keys):
    """A treated Parquet file with its manifest, and how it is checked."""
    folder = tmp_path / "tagged"
    folder.mkdir()
    (folder / "claims.toml").write_text(POLICY)
    pq.write_table(pa.table(claims(60)), folder / "in.parquet")
    out = folder / "safe.parquet"
    options = ("--policy", folder / "claims.toml", "--keys", keys)
    run = allonym("apply", folder / "in.parquet", "--to", out, *options)
    assert run.returncode == 0, run.stderr
    return out


def checked(path, keys):
    policy = al.Policy.load(path.parent / "claims.toml")
    return al.check(path, policy=policy, keys=keys, as_of=AS_OF)


def codes(result):
    return {finding.code for finding in result.findings if finding.severity != "note"}


def test_tags_travel_with_the_file(tagged, keys):
    footer = pq.read_schema(tagged)
    copy = json.loads(footer.metadata[b"allonym.manifest"])
    assert copy["retention"]["policy_tz"] == "Europe/Berlin"
    for name in ("email", "notes", "closed"):
        tag = json.loads(footer.field(name).metadata[b"allonym.retention"])
        assert (tag["duration"], tag["on_expiry"]) == ("P5Y", "drop_row")
    manifest = json.loads((tagged.parent / "safe.parquet.allonym.json").read_text())
    assert manifest["retention"] == copy["retention"]
    result = checked(tagged, keys)
    assert (result.ok, result.exit_code, codes(result)) == (True, 0, set())
    same = allonym(
        "check", tagged, "--policy", tagged.parent / "claims.toml", "--keys", keys,
        "--as-of", AS_OF,
    )  # fmt: skip
    assert same.returncode == 0, same.stdout


def rewritten_by_polars(path):
    pl.read_parquet(path).write_parquet(path)


def streamed_by_polars(path):
    copy = path.with_name("copy.parquet")
    pl.scan_parquet(path).sink_parquet(copy)
    copy.replace(path)


def rewritten_by_pandas(path):
    pd.read_parquet(path).to_parquet(path)


def renamed_by_pyarrow(path):
    table = pq.read_table(path)
    pq.write_table(table.rename_columns(["mail", "notes", "closed"]), path)


def replaced_by_pyarrow(path):
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "notes", pa.array(["x"] * table.num_rows)), path)


def retyped_by_polars(path):
    pl.read_parquet(path).with_columns(pl.col("closed").cast(pl.String)).write_parquet(path)


@pytest.mark.parametrize(
    ("change", "drift"),
    [
        (rewritten_by_polars, "has lost"),
        (streamed_by_polars, "has lost"),
        (rewritten_by_pandas, "has lost"),
        (renamed_by_pyarrow, "column `email` of the manifest is gone; `mail` stands in its place"),
        (replaced_by_pyarrow, "column `notes` has lost its tag"),
        (retyped_by_polars, "column `closed` was of type date and is of type string"),
    ],
)
def test_a_file_that_went_through_another_tool_never_passes(tagged, keys, change, drift):
    change(tagged)
    result = checked(tagged, keys)
    assert not result.ok
    assert result.exit_code == 1
    messages = "\n".join(finding.message for finding in result.findings)
    assert "ALO-V104" in codes(result)
    assert drift in messages
    command = ("check", tagged, "--policy", tagged.parent / "claims.toml", "--keys", keys)
    assert allonym(*command, "--as-of", AS_OF).returncode == 1

    # Without the manifest nobody can tell what the file is.
    (tagged.parent / "safe.parquet.allonym.json").unlink()
    result = checked(tagged, keys)
    assert (result.ok, result.exit_code) == (False, 3)
    assert "ALO-V101" in codes(result)
    assert allonym(*command, "--as-of", AS_OF).returncode == 3


def test_a_manifest_of_another_ring_or_time(tagged, keys, tmp_path):
    other = al.Keyring.create(tmp_path / "other" / "other.keyring")
    result = checked(tagged, f"file:{other.path}")
    assert (result.exit_code, codes(result)) == (3, {"ALO-V103"})
    manifest = tagged.parent / "safe.parquet.allonym.json"
    manifest.write_text(manifest.read_text().replace('"P5Y"', '"P9Y"'))
    result = checked(tagged, keys)
    assert {"ALO-V102", "ALO-R108"} <= codes(result)


def test_a_treated_frame_is_checked_in_memory(keys):
    policy = al.Policy.parse(POLICY)
    frame = pl.DataFrame(claims(40, dt.date(2019, 1, 1)))
    treated = policy.apply(frame, keys=keys)
    result = al.check(treated, policy=policy, as_of=dt.date(2024, 1, 1))
    assert (result.ok, codes(result)) == (True, set())
    late = al.check(treated, policy=policy, as_of=dt.date(2024, 1, 2))
    assert (late.exit_code, codes(late)) == (1, {"ALO-R101"})
    raw = al.check(frame.to_pandas(), policy=policy, as_of=AS_OF)
    assert {"ALO-I101", "ALO-I102"} <= codes(raw)
    assert raw.residual["found"] == 80
    for shown in (repr(raw), raw._repr_html_(), raw.to_json(), str(raw.to_polars())):
        assert "kanarie" not in shown
        assert "example.org" not in shown
    assert CANARY.encode() not in pickle.dumps(raw)
    again = pickle.loads(pickle.dumps(raw))
    assert (again.exit_code, again.findings) == (raw.exit_code, raw.findings)


def test_results_are_no_truth_values_and_become_frames():
    policy = al.Policy.parse(POLICY)
    result = al.check(pl.DataFrame(claims(40)), policy=policy, as_of=AS_OF)
    with pytest.raises(TypeError, match=r"\.ok"):
        bool(result)
    assert result.to_polars()["code"].to_list() == [finding.code for finding in result.findings]
    assert list(result.to_pandas()["severity"]) == [f.severity for f in result.findings]
    assert repr(result).startswith("NOT READY · ")
    assert "<script" not in result._repr_html_()
    assert result.to_polars().schema["count"] == pl.Int64


def test_mistakes_of_the_caller(tmp_path):
    policy = al.Policy.parse(POLICY)
    frame = pl.DataFrame(claims(3))
    with pytest.raises(al.PolicyError, match="no policy"):
        al.check(frame)
    with pytest.raises(al.UsageError, match="RFC 3339"):
        al.check(frame, policy=policy, as_of="yesterday")
    with pytest.raises(al.UsageError, match="rows"):
        al.check(frame, policy=policy, rows=0)
    with pytest.raises(al.DataError):
        al.check(tmp_path / "nothing.parquet", policy=policy)


def test_a_check_is_signed_and_stands_in_the_ledger(tagged, keys, tmp_path):
    (segment,) = (tmp_path / "keys" / "test.keyring.ledger" / "segments").glob("*.jsonl")
    before = len(segment.read_text().splitlines())
    checked(tagged, keys)
    policy = al.Policy.load(tagged.parent / "claims.toml")
    told = json.loads(al.check(pq.read_table(tagged), policy=policy, keys=keys).to_json())
    assert told["signature"]["key"].startswith("allonym/")
    entries = [json.loads(line) for line in segment.read_text().splitlines()[before:]]
    assert [entry["action"] for entry in entries] == ["check", "check"]
    assert [entry["counts"]["rows"] for entry in entries] == [60, 60]
    # Nobody's ring: nothing is signed, and nothing in the way of the answer.
    alone = json.loads(al.check(pq.read_table(tagged), policy=policy).to_json())
    assert alone["signature"] is None
