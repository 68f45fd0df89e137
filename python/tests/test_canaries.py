"""Canaries from planting to the bound: a model of a table, trained with them and without."""

import json
import subprocess
import sys
from pathlib import Path

import allonym as al
import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.preprocessing import OneHotEncoder

POLICY = """version = 1
[columns.account]
treat = "pseudonymize"
join = "account"
[columns.closed]
treat = "keep"
reason = "made up"
[columns.amount]
treat = "keep"
reason = "made up"
[columns.region]
treat = "keep"
reason = "made up"
[columns.bad]
treat = "keep"
reason = "made up"
"""


def command(*arguments):
    line = [sys.executable, "-m", "allonym", *arguments]
    run = subprocess.run(line, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.fixture
def planted(keys):
    chance = np.random.default_rng(3)
    rows = 4_000
    days = chance.integers(0, 4_000, rows)
    pl.DataFrame(
        {
            "account": [f"DE{row:020}" for row in range(rows)],
            "closed": pl.Series(days.astype("int32") + 14_000).cast(pl.Date),
            "amount": chance.gamma(2.0, 3_000.0, rows),
            "region": chance.choice(["north", "south", "west"], rows),
            "bad": chance.random(rows) < 0.5,
        }
    ).write_parquet("people.parquet")
    Path("allonym.toml").write_text(POLICY)
    apply = ["apply", "people.parquet", "--keys", keys, "--to"]
    canaries = ["--canary-rows", "--canaries", "160"]
    command(*apply, "with.parquet", *canaries)
    command(*apply, "without.parquet")
    return "with.parquet.allonym.json"


def trained(path):
    """Learn a table by heart."""
    rows = pl.read_parquet(path)
    regions = OneHotEncoder().fit(rows[["region"]])

    def inputs(frame):
        days = frame["closed"].to_physical().to_numpy()
        return np.column_stack(
            [regions.transform(frame[["region"]]).toarray(), frame["amount"].to_numpy(), days]
        )

    model = ExtraTreesClassifier(30, random_state=0).fit(inputs(rows), rows["bad"].to_numpy())
    return lambda frame: model.predict_proba(inputs(frame))[
        np.arange(frame.height), frame["bad"].cast(int).to_numpy()
    ]


def test_rows_prove_what_a_model_knows_by_heart(planted, ring):
    listed = pl.DataFrame(al.canaries(planted, keys=ring))
    assert listed["_allonym_canary"].to_list() == list(range(160))
    assert listed.columns[1:] == ["account", "closed", "amount", "region", "bad"]
    output, plain = pl.read_parquet("with.parquet"), pl.read_parquet("without.parquet")
    assert listed.drop("_allonym_canary").schema == output.schema
    receipt = json.loads(Path(planted).read_text())
    there = listed.join(output, on=listed.columns[1:], how="semi")
    assert there.height == receipt["canaries"]["rows"]["planted"] == output.height - plain.height
    assert listed.join(plain, on="account", how="semi").is_empty()

    def told(path):
        scores = np.log(np.maximum(trained(path)(listed), 1e-9))
        return al.score_canaries(planted, scores, keys=ring, confidence=0.999)

    knows, blind = told("with.parquet"), told("without.parquet")
    assert knows.epsilon_at_least > 0.3, knows
    assert "epsilon is at least" in knows.verdict
    assert knows.to_dict()["planted"] == there.height
    assert blind.epsilon_at_least == 0
    assert "no proof that there is none" in repr(blind)


def test_what_does_not_fit_is_refused(planted, ring, tmp_path):
    with pytest.raises(al.DataError, match="has no score"):
        al.score_canaries(planted, [0.0], keys=ring)
    with pytest.raises(al.DataError, match="no finite number"):
        al.score_canaries(planted, [float("nan")] * 160, keys=ring)
    with pytest.raises(al.UsageError, match="confidence"):
        al.score_canaries(planted, [0.0] * 160, keys=ring, confidence=1.0)
    with pytest.raises(al.UsageError, match="registers no canaries"):
        al.canaries("without.parquet.allonym.json", keys=ring)
    other = al.Keyring.create(tmp_path / "other.keyring", label="other")
    with pytest.raises(al.KeyStoreError):
        al.canaries(planted, keys=other)
    Path("copy.parquet").write_bytes(Path("with.parquet").read_bytes())
    Path("with.parquet").write_bytes(Path("without.parquet").read_bytes())
    with pytest.raises(al.DataError, match="not the output") as told:
        al.canaries(planted, keys=ring)
    assert told.value.code == "ALO-U081"
    assert pl.DataFrame(al.canaries(planted, data="copy.parquet", keys=ring)).height == 160


def test_texts_are_listed_and_scored_too(keys, ring):
    notes = pl.DataFrame({"note": [f"the roof of house {row}" for row in range(2_000)]})
    notes.write_csv("notes.csv")
    Path("allonym.toml").write_text(
        'version = 1\n[columns.note]\ntreat = "keep"\nreason = "made up"\n'
    )
    apply = ["apply", "notes.csv", "--to", "out.csv", "--keys", keys, "--canary-column", "note"]
    command(*apply)
    listed = pl.DataFrame(al.canaries("out.csv.allonym.json", keys=ring))
    assert listed.columns == ["_allonym_canary", "text"]
    text = Path("out.csv").read_text()
    scores = {number: 1.0 if canary in text else 0.0 for number, canary in listed.iter_rows()}
    told = al.score_canaries("out.csv.allonym.json", scores, keys=ring)
    assert told.epsilon_at_least > 2
    assert told.exposure_median > 0
