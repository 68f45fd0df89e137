"""Same value, same key, every host: the same bytes. This test stays for good."""

import json
import subprocess
import sys

import allonym as al
import datasets
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pytest

ROWS = 10_000

POLICY = """\
version = 1
[keys]
domain = "everywhere"
[columns.name]
treat = "pseudonymize"
join = "name"
profile = "casefold"
[columns.number]
treat = "pseudonymize"
join = "number"
"""


def columns():
    """Names with every kind of letter, repeats and nulls; numbers of every size."""
    letters = ["Zoë", "ß", "ИВАН", "e\u0301", "\u00a0x ", "名前", "😀", "a b", "I", "ﬁ"]
    names = [f"{letters[row % 10]} {row % 7000}" for row in range(ROWS)]
    return {
        "name": [None if row % 97 == 0 else name for row, name in enumerate(names)],
        "number": [None if row % 89 == 0 else (row - 500) * 10**9 for row in range(ROWS)],
    }


@pytest.fixture
def wanted(ring):
    data = columns()
    options = {"keys": ring, "domain": "everywhere"}
    return {
        "name": al.tokenize(data["name"], field="name", profile="casefold", **options),
        "number": al.tokenize(data["number"], field="number", **options),
    }


@pytest.fixture
def policy():
    return al.Policy.parse(POLICY)


def plain(values):
    return [None if value is None or value != value else value for value in values]


LIBRARIES = {
    "polars": (pl.DataFrame, lambda out: out.to_dict(as_series=False)),
    "polars, lazy": (
        lambda data: pl.LazyFrame(data),
        lambda out: out.collect().to_dict(as_series=False),
    ),
    "polars, categories": (
        lambda data: pl.DataFrame(data).with_columns(pl.col("name").cast(pl.Categorical)),
        lambda out: out.with_columns(pl.col("name").cast(pl.String)).to_dict(as_series=False),
    ),
    "pandas": (
        lambda data: pd.DataFrame({**data, "number": pd.array(data["number"], dtype="Int64")}),
        lambda out: {name: plain(out[name].tolist()) for name in out.columns},
    ),
    "pandas, objects": (
        lambda data: pd.DataFrame({name: pd.Series(data[name], dtype=object) for name in data}),
        lambda out: {name: plain(out[name].tolist()) for name in out.columns},
    ),
    "pyarrow": (pa.table, lambda out: out.to_pydict()),
    "pyarrow, views": (
        lambda data: pa.table(data).cast(
            pa.schema([("name", pa.string_view()), ("number", pa.int64())])
        ),
        lambda out: out.to_pydict(),
    ),
    "pyarrow, reader": (
        lambda data: pa.table(data).to_reader(max_chunksize=333),
        lambda out: out.read_all().to_pydict(),
    ),
    "datasets": (datasets.Dataset.from_dict, lambda out: out.to_dict()),
    "any capsule": (
        lambda data: pa.table(data).to_reader(),
        lambda out: pa.table(out).to_pydict(),
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries(library, policy, ring, wanted):
    make, read = LIBRARIES[library]
    assert read(policy.apply(make(columns()), keys=ring)) == wanted


def test_duckdb(policy, ring, wanted):
    people = pa.table({**columns(), "row": range(ROWS)})
    relation = duckdb.sql("select name, number from people order by row")
    assert people.num_rows == ROWS
    assert policy.apply(relation, keys=ring).to_arrow_table().to_pydict() == wanted


def test_numpy(ring, wanted):
    data = columns()
    options = {"keys": ring, "domain": "everywhere", "field": "name", "profile": "casefold"}
    assert al.tokenize(np.array(data["name"], dtype=object), **options).tolist() == wanted["name"]


FORMATS = {
    "csv": (
        lambda table, path: pa.csv.write_csv(table, path),
        lambda path: pl.read_csv(path, infer_schema=False).to_dict(as_series=False),
    ),
    "parquet": (
        lambda table, path: pl.DataFrame(table).write_parquet(path),
        lambda path: pl.read_parquet(path).to_dict(as_series=False),
    ),
    "jsonl": (
        lambda table, path: path.write_text(
            "".join(json.dumps(row) + "\n" for row in table.to_pylist())
        ),
        lambda path: {
            name: [json.loads(line)[name] for line in path.read_text().splitlines()]
            for name in ("name", "number")
        },
    ),
    "arrow": (
        lambda table, path: pa.feather.write_feather(table, path, compression="uncompressed"),
        lambda path: pa.feather.read_table(path).to_pydict(),
    ),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_command_line(kind, keys, wanted, tmp_path):
    write, read = FORMATS[kind]
    source, target = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
    write(pa.table(columns()), source)
    (tmp_path / "allonym.toml").write_text(POLICY)
    command = [
        sys.executable, "-m", "allonym", "apply", str(source), "--to", str(target),
        "--policy", str(tmp_path / "allonym.toml"), "--keys", keys,
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert read(target) == wanted
