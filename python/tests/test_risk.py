"""`al.risk`: the figures of pycanon, one answer for every kind of table, and nothing of a cell."""

import json
import math
import pickle
from decimal import Decimal
from pathlib import Path

import allonym as al
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented import CANARY, data_folder

GOLDENS = json.loads((Path(__file__).parent / "data" / "pycanon.json").read_text("utf-8"))


def people(rows, seed=0):
    drawn = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "town": [f"{CANARY}-{n}" for n in drawn.integers(0, 9, rows)],
            "age": drawn.integers(18, 80, rows),
            "job": [f"{CANARY}-{n}" for n in drawn.integers(0, 12, rows)],
            "ill": [f"{CANARY}-{n}" for n in drawn.integers(0, 4, rows)],
        }
    )


def reading_of_pycanon(rows, quasi, secret, distinct_l):
    """Its (c, l)-diversity sorts counts from the smallest; the definition asks for the largest first."""
    worst = 0
    for _, group in rows.group_by(quasi):
        counts = np.sort(group[secret].value_counts()["count"].to_numpy())
        worst = max(worst, math.floor(counts[0] / counts[distinct_l - 1 :].sum() + 1))
    return worst


@pytest.mark.parametrize(
    "golden", GOLDENS, ids=lambda golden: "-".join([golden["table"], *golden["quasi"]])
)
def test_every_measure_is_that_of_pycanon(golden):
    path = Path(data_folder()) / "exposure" / f"{golden['table']}.parquet"
    told = al.risk(path, quasi=golden["quasi"], sensitive=list(golden["figures"]))
    rows = pl.read_parquet(path)
    for secret, theirs in golden["figures"].items():
        ours = told.sensitive[secret]
        assert told.k == theirs["k"]
        assert ours["distinct_l"] == theirs["distinct_l"]
        # They round down, and a hair below a whole number is taken for the one before.
        assert math.floor(ours["entropy_l"] + 1e-9) - theirs["entropy_l"] in (0, 1)
        if math.floor(ours["entropy_l"] + 1e-9) != theirs["entropy_l"]:
            assert abs(ours["entropy_l"] - round(ours["entropy_l"])) < 1e-9
        for name in ("alpha", "beta", "enhanced_beta", "delta"):
            assert math.isclose(ours[name], theirs[name], rel_tol=1e-9, abs_tol=1e-9), (
                secret,
                name,
            )
        # They measure numbers in their order and text with all values equally far apart.
        t = ours["t_ordered"] if rows.schema[secret].is_numeric() else ours["t_equal"]
        assert math.isclose(t, theirs["t"], rel_tol=1e-9, abs_tol=1e-9), secret
        if theirs["distinct_l"] == 1:
            assert ours["recursive_c"] is None
            assert theirs["recursive_c"] is None
        else:
            reading = reading_of_pycanon(rows, golden["quasi"], secret, theirs["distinct_l"])
            assert reading == theirs["recursive_c"]
            assert ours["recursive_c"] >= 1 / theirs["distinct_l"]


def test_every_kind_of_table_gives_the_same(tmp_path):
    frame = people(300)
    path = tmp_path / "people.parquet"
    frame.write_parquet(path)
    want = {"quasi": ["town", "age"], "sensitive": "ill", "target_k": 3}
    first = al.risk(frame, **want)
    for other in (frame.lazy(), frame.to_pandas(), frame.to_arrow(), path, str(path)):
        told = json.loads(al.risk(other, **want).to_json())
        expected = json.loads(first.to_json())
        for said in (told, expected):
            del said["source"], said["measured_at"]
        assert told == expected


def test_a_report_is_a_page_a_text_and_frames(tmp_path):
    frame = people(400)
    told = al.risk(
        frame,
        quasi=["town", "age", "job"],
        sensitive=["ill"],
        original=frame,
        control=people(400, seed=1),
        population=pl.concat([frame, people(600, seed=2)]),
        population_size=1000,
        target_k=4,
        attempts=80,
    )
    assert repr(told) == told.summary()
    assert told.population["rows_absent"] == 0
    assert {attack["attack"] for attack in told.attacks} == {"single_out", "link", "infer"}
    copied = next(attack for attack in told.attacks if attack["attack"] == "single_out")
    assert copied["risk"]["low"] > 0.2
    assert told.suggestion["k"] >= 4
    low, high = (told.sample["population_uniques"][end] for end in ("low", "high"))
    assert 0 <= low <= high <= told.uniques
    page = told.to_html(tmp_path / "risk.html")
    assert (tmp_path / "risk.html").read_text("utf-8") == page
    assert page.startswith("<!doctype html>")
    assert "<script" not in page + told._repr_html_()
    assert told.to_polars("sizes")["rows"].sum() == 400
    assert told.to_polars("attacks").height == 3
    assert told.to_polars("sensitive")["name"].to_list() == ["ill"]
    numbers = told.to_polars().filter(pl.col("what") == "uniques")["value"].to_list()
    assert numbers == [told.uniques]
    assert "columns" in told.to_polars("sets").columns
    with pytest.raises(al.UsageError, match="no 'rows'"):
        told.to_polars("rows")
    kept = pickle.dumps(told)
    assert pickle.loads(kept).to_json() == told.to_json()
    shown = [
        page,
        told._repr_html_(),
        repr(told),
        told.to_json(),
        told.to_markdown(),
        kept.decode("latin1"),
    ]
    assert not any("kanarie" in view for view in shown)


def test_gates():
    told = al.risk(people(300), quasi=["town", "age"], sensitive="ill", population_size=3000)
    assert told.gate(min_k=1, max_unique=1.0).ok
    broken = told.gate(min_k=2)
    assert (broken.decision, broken.exit_code, broken.ok) == ("fail", 1, False)
    middle = told.sample["population_unique_share"]["value"]
    open_gate = told.gate(max_population_unique=middle)
    assert (open_gate.decision, open_gate.exit_code) == ("undecided", 7)
    assert "undecided" in repr(open_gate)
    with pytest.raises(TypeError, match="ok"):
        bool(open_gate)
    with pytest.raises(al.UsageError, match="a limit"):
        told.gate()
    with pytest.raises(al.UsageError, match="control"):
        told.gate(max_attack=0.1)
    with pytest.raises(al.UsageError, match="between 0 and 1"):
        told.gate(max_unique=2)


def test_nulls_are_alike_and_types_do_not_matter():
    told = al.risk(pl.DataFrame({"a": [None, None, 1, 2, 2]}), quasi=["a"])
    assert (told.k, told.uniques, told.classes["count"]) == (1, 1, 3)
    categories = pd.DataFrame({"a": pd.Categorical(["x", "y", "x", None])})
    assert al.risk(categories, quasi=["a"]).classes["count"] == 3
    times = pl.DataFrame({"a": [1, 1, 2]}).select(pl.col("a").cast(pl.Datetime("ms", "UTC")))
    assert al.risk(times, quasi=["a"]).uniques == 1
    decimals = pa.table({"a": pa.array([Decimal("1.50"), Decimal("1.50"), Decimal("2.00")])})
    assert al.risk(decimals, quasi=["a"]).uniques == 1


@pytest.mark.parametrize(
    ("table", "options", "error", "says"),
    [
        ({"a": [1, 2]}, {"quasi": ["b"]}, al.DataError, "no column `b`"),
        ({"a": [1, 2]}, {"quasi": []}, al.UsageError, "no column"),
        ({"a": [1, 2]}, {"quasi": "a"}, al.UsageError, "list of names"),
        ({"a": [1, 2]}, {"quasi": ["a"], "sensitive": "a"}, al.UsageError, "twice"),
        ({"a": pl.Series([], dtype=pl.Int64)}, {"quasi": ["a"]}, al.DataError, "0 rows"),
        ({"a": [1]}, {"quasi": ["a"]}, al.DataError, "1 rows"),
        (
            {"a": pl.Series([None, None], dtype=pl.String)},
            {"quasi": ["a"]},
            al.DataError,
            "nothing but nulls",
        ),
        ({"a": [1.5, math.nan]}, {"quasi": ["a"]}, al.DataError, "NaN in row 1"),
        ({"a": [[1], [2]]}, {"quasi": ["a"]}, al.DataError, "of type list"),
        ({"a": [1, 2]}, {"quasi": ["a"], "population_size": 1}, al.UsageError, "2 rows"),
        ({"a": [1, 2]}, {"quasi": ["a"], "population_size": -1}, al.UsageError, "whole number"),
        ({"a": [1, 2]}, {"quasi": ["a"], "confidence": 1.0}, al.UsageError, "confidence"),
        (
            {"a": [1, 2]},
            {"quasi": ["a"], "original": pl.DataFrame({"a": [1, 2]})},
            al.DataError,
            "control",
        ),
        (
            {"a": [1, 2]},
            {"quasi": ["a"], "population": pl.DataFrame({"a": ["x", "y"]})},
            al.DataError,
            "text in the population",
        ),
    ],
)
def test_bad_tables_are_told(table, options, error, says):
    with pytest.raises(error, match=says) as told:
        al.risk(pl.DataFrame(table), **options)
    assert told.value.code.startswith("ALO-U06")


def test_columns_of_one_name_are_told():
    doubled = pa.table([pa.array([1, 2]), pa.array([1, 2])], names=["a", "a"])
    with pytest.raises(al.DataError, match="two columns `a`"):
        al.risk(doubled, quasi=["a"])
    with pytest.raises(TypeError):
        al.risk([1, 2], quasi=["a"])


def test_counts_of_a_population_are_people(tmp_path):
    data = pl.DataFrame({"a": ["x", "x", "y"]})
    everybody = pl.DataFrame({"a": ["x", "y", "z"], "people": [5, 1, 4]})
    told = al.risk(data, quasi=["a"], population=everybody, population_count="people")
    assert (told.population["people"], told.population["k"]) == (10, 1)
    assert told.population["presence_high"] == 1.0
    path = tmp_path / "bad.parquet"
    pq.write_table(everybody.with_columns(people=pl.lit(0)).to_arrow(), path)
    with pytest.raises(al.DataError, match="counts people"):
        al.risk(data, quasi=["a"], population=path, population_count="people")
