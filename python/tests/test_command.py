"""The `allonym` command that the package installs."""

import json
import subprocess
import sys

import allonym as al
import polars as pl
from invented import POLICY, people


def allonym(*arguments, exit_code=0):
    command = [sys.executable, "-m", "allonym", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == exit_code, run.stderr
    return run


def test_version_and_usage():
    assert allonym("--version").stdout == f"allonym {al.__version__}\n"
    assert allonym("no-such-verb", exit_code=2).stdout == ""


def test_apply_and_load_agree(tmp_path, keys):
    frame = pl.DataFrame(people(30))
    frame.write_parquet(tmp_path / "in.parquet")
    (tmp_path / "allonym.toml").write_text(POLICY)
    allonym(
        "apply", tmp_path / "in.parquet", "--to", tmp_path / "out.parquet",
        "--policy", tmp_path / "allonym.toml", "--keys", keys,
    )  # fmt: skip
    policy = al.Policy.load(tmp_path / "allonym.toml")
    run = policy.run(frame, keys=keys)
    assert pl.read_parquet(tmp_path / "out.parquet").equals(run.data)
    receipt = json.loads((tmp_path / "out.parquet.allonym.json").read_text())
    for part in ("policy", "rules", "keys", "columns", "warnings", "tool"):
        assert receipt[part] == run.receipt[part], part
    assert receipt["signature"]["key"].startswith("allonym/")
    assert run.receipt["signature"]["key"] == receipt["signature"]["key"]


def test_a_table_in_memory_stands_in_the_ledger_and_its_receipt_is_signed(tmp_path, ring, keys):
    policy = al.Policy.parse(POLICY)
    frame = pl.DataFrame(people(40))
    run = policy.run(frame, keys=ring)
    receipt = tmp_path / "run.json"
    run.write_receipt(receipt)
    assert json.loads(run.receipt_json) == run.receipt
    verify = ("verify", receipt, "--keys", keys, "--format", "json")
    told = json.loads(allonym(*verify).stdout)
    assert told["signature"] == "known"
    assert told["ledger"]["entry"] == 0
    (segment,) = (tmp_path / "keys" / "test.keyring.ledger" / "segments").glob("*.jsonl")
    (entry,) = map(json.loads, segment.read_text().splitlines())
    assert entry["action"] == "apply"
    assert entry["counts"] == {"cells_treated": 146, "columns": 5, "files": 0, "rows": 40}
    assert entry["policy_digest"] == policy.digest
    assert entry["key_ids"] == [ring.keys[0].id]
    # One row more, and it is not what was signed.
    receipt.write_text(run.receipt_json.replace('"rows": 40', '"rows": 41'))
    allonym(*verify, exit_code=1)
    # `apply` is called on many machines at once, and writes nothing down.
    policy.apply(frame, keys=ring)
    assert len(segment.read_text().splitlines()) == 1


def test_errors_go_to_stderr_with_their_exit_code(tmp_path):
    run = allonym("scan", tmp_path / "nowhere.csv", exit_code=3)
    assert run.stdout == ""
    assert run.stderr.startswith("error[ALO-D")
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    (tmp_path / "allonym.toml").write_text('version = 1\n[columns.a]\ntreat = "drop"\n')
    run = allonym(
        "apply", tmp_path / "in.csv", "--to", tmp_path / "out.csv",
        "--policy", tmp_path / "allonym.toml", exit_code=1,
    )  # fmt: skip
    assert "ALO-P003" in run.stderr
    assert not (tmp_path / "out.csv").exists()
