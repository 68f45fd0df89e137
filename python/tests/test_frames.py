"""Every library's table in, and the same type out."""

import functools
import sys
import types

import allonym as al
import allonym.pandas
import allonym.polars
import datasets
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from invented import CANARY, POLICY, people

OUT = ["id", "email", "notes", "age"]


@pytest.fixture
def wanted(ring, columns):
    """The plain lists that every library must give."""
    options = {"keys": ring}
    return {
        "id": al.tokenize([str(value) for value in columns["id"]], field="person", **options),
        "email": al.tokenize(columns["email"], field="email", profile="casefold", **options),
        "notes": ["wrote to <EMAIL>, no answer"] * 40,
        "age": columns["age"],
    }


def test_polars(policy, ring, columns, wanted):
    out = policy.apply(pl.DataFrame(columns), keys=ring)
    assert type(out) is pl.DataFrame
    assert out.to_dict(as_series=False) == wanted
    assert out.schema == {"id": pl.String, "email": pl.String, "notes": pl.String, "age": pl.Int64}


def test_polars_namespace(policy, ring, columns, wanted):
    frame = pl.DataFrame(columns)
    assert frame.allonym.apply(policy, keys=ring).to_dict(as_series=False) == wanted
    assert (
        frame.lazy().allonym.apply(policy, keys=ring).collect().to_dict(as_series=False) == wanted
    )
    assert frame.allonym.scan().rows == 40
    assert frame.lazy().allonym.scan().rows == 40
    assert list(frame.allonym.draft(purpose="p").columns) == list(columns)
    assert frame.lazy().allonym.draft().digest == frame.allonym.draft().digest


def test_polars_categories(ring):
    policy = al.Policy.parse(
        'version = 1\n[columns.c]\ntreat = "pseudonymize"\njoin = "x"\n'
        '[columns.e]\ntreat = "pseudonymize"\njoin = "x"\n'
        '[columns.k]\ntreat = "keep"\nreason = "a test"\n'
    )
    kind = pl.Enum(["ada", "zoe"])
    frame = pl.DataFrame(
        {"c": ["zoe", "ada", None], "e": ["ada", "ada", "zoe"], "k": ["zoe", None, "ada"]},
        schema={"c": pl.Categorical, "e": kind, "k": kind},
    )
    out = policy.apply(frame, keys=ring)
    zoe, ada = al.tokenize(["zoe", "ada"], keys=ring, field="x")
    assert out["c"].cast(pl.String).to_list() == [zoe, ada, None]
    assert out["e"].cast(pl.String).to_list() == [ada, ada, zoe]
    assert out["k"].equals(frame["k"])
    assert out["k"].dtype == kind
    # The categories of an enum are cells, kept in the type.
    assert "zoe" not in str(out["e"].dtype)
    assert "zoe" not in str(pa.table(out.select("e")).schema)


def test_pandas(policy, ring, columns, wanted):
    frame = pd.DataFrame(columns, index=[f"r{row}" for row in range(40)])
    frame.index = pd.RangeIndex(100, 140)
    out = policy.apply(frame, keys=ring)
    assert type(out) is pd.DataFrame
    assert out.columns.tolist() == OUT
    assert {name: out[name].tolist() for name in OUT} == wanted
    assert out.index.equals(frame.index)
    assert out["email"].dtype == frame["email"].dtype
    assert out["age"].dtype == frame["age"].dtype
    assert out.allonym.scan().rows == 40
    assert frame.allonym.apply(policy, keys=ring).equals(out)


def test_pandas_keeps_what_it_keeps(ring):
    policy = al.Policy.parse(
        'version = 1\n[policy]\nunlisted = "keep"\nunlisted_reason = "a test"\n'
        '[columns.s]\ntreat = "pseudonymize"\n[columns.o]\ntreat = "pseudonymize"\n'
        '[columns.c]\ntreat = "pseudonymize"\n[columns.w]\ntreat = "pseudonymize"\n'
    )
    frame = pd.DataFrame(
        {
            "s": ["a", None, "b"],
            "o": pd.Series(["a", None, "b"], dtype=object),
            "c": pd.Series(["a", None, "b"], dtype="category"),
            "w": pd.Series([1, None, 3], dtype="Int64"),
            "f": [1.5, None, 2.5],
            "t": pd.to_datetime(["2026-01-01", None, "2026-01-03"]).tz_localize("Europe/Berlin"),
            "k": pd.Categorical(["x", "y", "x"], categories=["y", "x", "z"], ordered=True),
            "b": pd.Series([True, None, False], dtype="boolean"),
        }
    )
    frame.attrs["note"] = "kept"
    out = policy.apply(frame, keys=ring)
    for name in "ftkb":
        pd.testing.assert_series_equal(out[name], frame[name])
    assert out["s"].dtype == frame["s"].dtype
    assert out["o"].dtype == object
    assert isinstance(out["c"].dtype, pd.CategoricalDtype)
    assert out["w"].isna().tolist() == [False, True, False]
    assert out["s"].isna().tolist() == out["c"].isna().tolist() == [False, True, False]
    assert out.attrs == {"note": "kept"}
    assert frame["s"].tolist()[0] == "a"


def test_pandas_labels_that_are_no_strings(ring):
    policy = al.Policy.parse(
        'version = 1\n[columns.0]\ntreat = "keep"\n[columns.1]\ntreat = "drop"\n'
    )
    out = policy.apply(pd.DataFrame([[1, 2], [3, 4]]), keys=ring)
    assert out.columns.tolist() == [0]
    assert out[0].tolist() == [1, 3]


def test_pandas_index_of_text_is_told_or_treated(ring):
    frame = pd.DataFrame({"age": [1, 2]}, index=pd.Index(["a@example.org", "b"], name="email"))
    policy = al.Policy.parse('version = 1\n[columns.age]\ntreat = "keep"\nreason = "a test"\n')
    with pytest.warns(al.AllonymWarning, match="the index is kept as it is and holds text"):
        out = policy.apply(frame)
    assert out.index.equals(frame.index)
    listed = al.Policy.parse(policy.to_toml() + '[columns.email]\ntreat = "pseudonymize"\n')
    out = listed.apply(frame, keys=ring)
    assert out.index.name == "email"
    tokens = al.tokenize(frame.index.tolist(), keys=ring, field="EMAIL_ADDRESS", profile="casefold")
    assert out.index.tolist() == tokens
    assert out["age"].tolist() == [1, 2]
    # A scan sees it too.
    assert [column.name for column in al.scan(frame).columns] == ["age", "email"]
    dropped = al.Policy.parse(policy.to_toml() + '[columns.email]\ntreat = "drop"\n')
    assert dropped.apply(frame).index.tolist() == [0, 1]


def test_pandas_index_of_several_levels(ring):
    index = pd.MultiIndex.from_tuples([("a@example.org", 1), ("b", 2)], names=["email", "n"])
    frame = pd.DataFrame({"age": [1, 2]}, index=index)
    policy = al.Policy.parse(
        'version = 1\n[columns.age]\ntreat = "keep"\nreason = "a test"\n[columns.email]\ntreat = "redact"\n'
        'with = "X"\n'
    )
    out = policy.apply(frame, keys=ring)
    assert out.index.tolist() == [("X", 1), ("X", 2)]
    assert out.index.names == ["email", "n"]


def test_pandas_columns_of_several_kinds_are_refused_without_quoting_them():
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "redact"\n')
    frame = pd.DataFrame({"a": [CANARY, 7]})
    with pytest.raises(al.DataError, match="column `a` holds values of several kinds") as caught:
        policy.apply(frame)
    assert caught.value.__context__ is None
    assert CANARY not in repr(caught.value)


def test_arrow_table_batch_and_reader(policy, ring, columns, wanted):
    table = pa.table(columns).replace_schema_metadata({"owner": "nobody"})
    out = policy.apply(table, keys=ring)
    assert type(out) is pa.Table
    assert out.to_pydict() == wanted
    assert out.schema.metadata == {b"owner": b"nobody"}
    batch = policy.apply(table.to_batches()[0], keys=ring)
    assert type(batch) is pa.RecordBatch
    assert batch.to_pydict() == wanted
    reader = policy.apply(table.to_reader(max_chunksize=7), keys=ring)
    assert type(reader) is pa.RecordBatchReader
    assert reader.schema.names == OUT
    assert reader.read_all().to_pydict() == wanted


def test_arrow_types_of_text_stay(ring):
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    for kind in (
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int32(), pa.string()),
    ):
        table = pa.table({"a": pa.array(["x", None], pa.string()).cast(kind)})
        out = policy.apply(table, keys=ring)
        assert out.schema.field("a").type == kind
        assert out["a"].to_pylist() == al.tokenize(["x", None], keys=ring, field="a")


def test_pandas_notes_in_arrow_do_not_lie(ring):
    policy = al.Policy.parse(
        'version = 1\n[columns.n]\ntreat = "pseudonymize"\n[columns.k]\ntreat = "keep"\n'
    )
    frame = pd.DataFrame(
        {"n": pd.Series([1, 2], dtype="Int64"), "k": pd.Series([3, 4], dtype="Int8")}
    )
    out = policy.apply(pa.Table.from_pandas(frame), keys=ring).to_pandas()
    assert out["k"].dtype == "Int8"
    assert out["n"].tolist() == al.tokenize([1, 2], keys=ring, field="n")


def test_empty_tables(policy, ring, columns):
    frame = pl.DataFrame(columns)
    out = policy.apply(frame.clear(), keys=ring)
    assert out.schema == policy.apply(frame, keys=ring).schema
    assert out.height == 0
    table = frame.to_arrow()
    assert policy.apply(table.slice(0, 0), keys=ring).num_rows == 0
    batch = pa.RecordBatch.from_pylist([], table.schema)
    assert policy.apply(batch, keys=ring).num_rows == 0
    assert policy.apply(pd.DataFrame(columns).iloc[:0], keys=ring).shape == (0, 4)


def test_duckdb(policy, ring, columns, wanted):
    table = pa.table(columns)
    connection = duckdb.connect()
    connection.register("people", table)
    relation = connection.sql("select * from people order by id")
    out = policy.apply(relation, keys=ring)
    assert type(out) is type(relation)
    assert out.to_arrow_table().to_pydict() == wanted
    # The connection is free for the next query.
    assert connection.sql("select count(*) from people").fetchall() == [(40,)]


def test_datasets(policy, ring, columns, wanted):
    features = datasets.Features.from_arrow_schema(pa.table(columns).schema)
    features["age"] = datasets.Value("int16")
    data = datasets.Dataset.from_dict(columns, features=features)
    out = policy.apply(data, keys=ring)
    assert type(out) is datasets.Dataset
    assert out.to_dict() == wanted
    assert out.features["age"] == datasets.Value("int16")
    chosen = data.select([3, 1])
    assert policy.apply(chosen, keys=ring)["email"][:] == [wanted["email"][3], wanted["email"][1]]


def test_datasets_map_and_its_cache(policy, ring, columns, wanted):
    data = datasets.Dataset.from_dict(columns).with_format("arrow")
    treat = functools.partial(policy.apply, keys=ring)
    out = data.map(treat, batched=True, batch_size=7, remove_columns=data.column_names)
    assert out.with_format(None).to_dict() == wanted
    # The cache goes by the pickle: by the policy's text and the ring's id.
    of = datasets.fingerprint.Hasher.hash
    assert of(treat) == of(functools.partial(al.Policy.parse(POLICY).apply, keys=ring))
    assert of(treat) != of(functools.partial(policy.keep("id", reason="r").apply, keys=ring))


def test_datasets_labels_of_treated_classes_go(ring):
    policy = al.Policy.parse(
        'version = 1\n[columns.who]\ntreat = "pseudonymize"\n[columns.k]\ntreat = "keep"\n'
    )
    features = datasets.Features(
        {
            "who": datasets.ClassLabel(names=["ada", "zoe"]),
            "k": datasets.ClassLabel(names=["n", "y"]),
        }
    )
    data = datasets.Dataset.from_dict({"who": [0, 1], "k": [1, 0]}, features=features)
    out = policy.apply(data, keys=ring)
    assert out.features["k"] == features["k"]
    assert "zoe" not in str(out.features)
    assert "zoe" not in str(out.data.table.schema)
    table = policy.apply(data.data.table, keys=ring)
    assert "zoe" not in str(table.schema)


class Capsule:
    """A table of a library that nobody here knows; can be read once."""

    def __init__(self, table):
        self.reader = table.to_reader()

    def __arrow_c_stream__(self, requested_schema=None):
        return self.reader.__arrow_c_stream__(requested_schema)


def test_any_object_with_the_capsule_interface(policy, ring, columns, wanted):
    out = policy.apply(Capsule(pa.table(columns)), keys=ring)
    assert type(out) is al.Stream
    assert repr(out).startswith('Stream("id": ')
    assert pa.table(out).to_pydict() == wanted
    with pytest.raises(al.UsageError, match="read already"):
        pa.table(out)
    out = policy.apply(Capsule(pa.table(columns)), keys=ring)
    batches = [pa.record_batch(batch) for batch in out]
    assert pa.Table.from_batches(batches).to_pydict() == wanted
    run = policy.run(Capsule(pa.table(columns)), keys=ring)
    assert run.receipt["rows"] == 40
    assert pa.table(run.data).to_pydict() == wanted
    assert pa.table(run.data).to_pydict() == wanted


def test_a_producer_that_fails_is_not_quoted(policy, ring, columns):
    schema = pa.table(columns).schema

    def batches():
        yield pa.RecordBatch.from_pydict(columns, schema=schema)
        raise ValueError(CANARY)

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    with pytest.raises(al.DataError) as caught:
        policy.apply(reader, keys=ring).read_all()
    assert CANARY not in str(caught.value)
    again = types.SimpleNamespace(
        to_reader=lambda: pa.RecordBatchReader.from_batches(schema, batches())
    )
    with pytest.raises(al.DataError) as caught:
        policy.run(Capsule(again), keys=ring)
    assert CANARY not in str(caught.value)


def test_what_is_no_table_is_refused(policy, ring, tmp_path):
    with pytest.raises(al.UsageError, match="allonym apply"):
        policy.apply("people.csv", keys=ring)
    with pytest.raises(al.UsageError, match="allonym apply"):
        policy.apply(tmp_path / "people.csv", keys=ring)
    with pytest.raises(TypeError, match="capsule interface, not `list`"):
        policy.apply([{"a": 1}], keys=ring)


def test_nested_columns(ring):
    policy = al.Policy.parse(
        'version = 1\n[columns."person.iban"]\ntreat = "pseudonymize"\n'
        '[columns."person.age"]\ntreat = "keep"\nreason = "a test"\n[columns."tags[]"]\ntreat = "redact"\nwith = "T"\n'
    )
    table = pa.table(
        {
            "person": [{"iban": "DE89370400440532013000", "age": 3}, None],
            "tags": [["a", None], []],
        }
    )
    out = policy.apply(table, keys=ring)
    (token,) = al.tokenize(["DE89370400440532013000"], keys=ring, field="IBAN_CODE", profile="iban")
    assert out["person"].to_pylist() == [{"iban": token, "age": 3}, None]
    assert out["tags"].to_pylist() == [["T", None], []]


def test_position_does_not_depend_on_chunks(ring):
    policy = al.Policy.parse(
        'version = 1\n[columns.a]\ntreat = "pseudonymize"\nconsistency = "none"\n'
    )
    table = pa.table({"a": ["x"] * 10})
    whole = policy.apply(table, keys=ring)["a"].to_pylist()
    parts = policy.apply(pa.concat_tables([table[:3], table[3:]]), keys=ring)["a"].to_pylist()
    assert whole == parts
    assert len(set(whole)) == 10


def test_lazy_stays_lazy(policy, ring, columns, wanted):
    ran = []

    def watch(frame):
        ran.append(frame.height)
        return frame

    frame = pl.DataFrame(columns)
    lazy = frame.lazy().map_batches(watch, schema=frame.schema)
    out = policy.apply(lazy, keys=ring)
    assert type(out) is pl.LazyFrame
    assert out.collect_schema() == policy.apply(frame, keys=ring).schema
    assert ran == []
    assert out.collect().to_dict(as_series=False) == wanted
    assert ran == [40]
    assert out.collect(engine="streaming").to_dict(as_series=False) == wanted
    assert out.select("age").filter(pl.col("age") > 30).collect().height == 29
    with pytest.raises(al.UsageError, match="collect"):
        policy.run(lazy, keys=ring)
    with pytest.raises(al.PolicyError):
        policy.apply(lazy.with_columns(extra=1), keys=ring)


@pytest.mark.filterwarnings("ignore:.*frequencies show")
def test_lazy_frames_stream_unless_rows_are_counted(ring):
    values = {"a": ["x"] * 200_000}
    for consistency, distinct in (("dataset", 1), ("none", 200_000)):
        policy = al.Policy.parse(
            f'version = 1\n[columns.a]\ntreat = "pseudonymize"\nconsistency = "{consistency}"\n'
        )
        out = policy.apply(pl.LazyFrame(values), keys=ring)
        streamed = out.collect(engine="streaming")
        assert streamed.equals(policy.apply(pl.DataFrame(values), keys=ring))
        assert streamed["a"].n_unique() == distinct


def test_large_frames_keep_their_order(ring):
    policy = al.Policy.parse('version = 1\n[columns.id]\ntreat = "pseudonymize"\n')
    frame = pl.DataFrame({"id": people(150_000)["id"]})
    out = policy.apply(frame, keys=ring)
    spots = [0, 65_535, 65_536, 131_072, 149_999]
    assert out["id"].gather(spots).to_list() == al.tokenize(
        frame["id"].gather(spots).to_list(), keys=ring, field="id"
    )
    assert out["id"].n_unique() == 150_000


def test_a_missing_library_is_named(policy, ring, columns, monkeypatch):
    frame = pd.DataFrame(columns)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(al.UsageError, match=r"needs `pyarrow`.*allonym\[arrow\]"):
        policy.apply(frame, keys=ring)
