"""The Python of the README runs as it stands."""

import re
import shutil
import warnings
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_runs(monkeypatch, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert len(blocks) == 3
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    with warnings.catch_warnings():
        # The first run on a bare machine makes a keyring and says so.
        warnings.simplefilter("ignore")
        for block in blocks:
            exec(block, names)  # noqa: S102
    train, claims = names["train"], names["claims"]
    assert isinstance(train, pl.DataFrame)
    assert train.shape == claims.shape
    assert train["postcode"].to_list() == claims["postcode"].to_list()
    assert not set(train["iban"]) & set(claims["iban"])
    assert names["report"].references == 8
    assert names["risk"].suggestion["k"] >= 5
