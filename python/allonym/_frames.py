"""Tables of other libraries as Arrow, and Arrow back as the table it was.

Each library is imported only when somebody hands in one of its objects.
"""

from __future__ import annotations

import importlib
import json
import os
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from allonym._allonym import Stream
from allonym.exceptions import AllonymWarning, DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from allonym._allonym import ArrowStream, Batch, PlanCore


class Source(NamedTuple):
    """A table taken in: its Arrow form, and how its like is made again."""

    arrow: ArrowStream
    """Readable as often as one likes, unless ``is_stream``."""
    restore: Callable[[Stream, PlanCore], Any]
    """Makes the caller's type of what came out."""
    kind: str
    """What it is, for people."""
    is_stream: bool = False
    """Can be read once only."""


def kind_of(data: object) -> str:
    """Name the library and type of an object, as ``polars.DataFrame``."""
    cls = type(data)
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


T = TypeVar("T")


def known(data: object, takers: Mapping[str, T]) -> T | None:
    """Find what is known of the class of an object, or of the nearest class it derives from."""
    for cls in type(data).__mro__:
        taker = takers.get(f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}")
        if taker is not None:
            return taker
    return None


def is_lazy(data: object) -> bool:
    """Say whether this is a polars ``LazyFrame``."""
    return kind_of(data) == "polars.LazyFrame"


def source(data: Any, *, listed: Sequence[str] = ()) -> Source:
    """Take a table in.

    Parameters
    ----------
    data
        A frame, table, relation, data set, reader or any object with the Arrow capsule interface.
    listed
        Columns that the policy lists: a pandas index of such a name is treated like a column.
    """
    kind = kind_of(data)
    if isinstance(data, (str, os.PathLike)):
        message = "a path is not a table in memory"
        hint = "treat files with: allonym apply IN --to OUT"
        raise UsageError(message, "ALO-U010", hint, 2)
    take = known(data, _TAKERS)
    if take is _pandas:
        return _pandas(data, listed)
    return take(data) if take else Source(Stream(data), _as_it_is, kind, is_stream=True)


def for_scan(data: Any) -> tuple[ArrowStream, str]:
    """Take a table in to be looked at; a named pandas index counts as columns."""
    if is_lazy(data):
        return data.collect(engine="streaming"), "polars.LazyFrame"
    if known(data, {"pandas.DataFrame": True}):
        names = [name for name in data.index.names if isinstance(name, str)]
        taken = _pandas(data, names)
    else:
        taken = source(data)
    return taken.arrow, taken.kind


def lazy_schema(data: Any) -> ArrowStream:
    """Give the schema of a ``LazyFrame`` as an empty table, without running it."""
    return _module("polars").DataFrame(schema=data.collect_schema())


def lazily(data: Any, plan: PlanCore) -> Any:
    """Put a plan into a ``LazyFrame``; nothing runs before it is collected."""
    pl = _module("polars")
    schema = pl.DataFrame(plan.no_rows()).schema

    def treat(rows: Any) -> Any:
        return pl.DataFrame(plan.treat(rows, record=False).stream)

    return data.map_batches(treat, schema=schema, streamable=not _counts_rows(plan))


def _counts_rows(plan: PlanCore) -> bool:
    """Say whether a token depends on the number of its row, so that rows must come whole."""
    keyed = [detail for _, treatment, detail, _ in plan.columns if treatment in _KEYED]
    return any(
        ", consistency none" in detail or ", consistency dataset" not in detail for detail in keyed
    )


def _as_it_is(stream: Stream, _plan: PlanCore) -> Stream:
    return stream


def _polars(data: Any) -> Source:
    pl = _module("polars")

    def restore(stream: Stream, _plan: PlanCore) -> Any:
        return pl.DataFrame(stream)

    return Source(data, restore, "polars.DataFrame")


def _arrow_table(data: Any) -> Source:
    def restore(stream: Stream, plan: PlanCore) -> Any:
        return _without_stale_metadata(_module("pyarrow").table(stream), plan)

    return Source(data, restore, "pyarrow.Table")


def _arrow_batch(data: Any) -> Source:
    def restore(stream: Stream, plan: PlanCore) -> Any:
        pa = _module("pyarrow")
        table = _without_stale_metadata(pa.table(stream), plan)
        columns = [_one_chunk(column) for column in table.columns]
        return pa.RecordBatch.from_arrays(columns, schema=table.schema)

    return Source(_module("pyarrow").Table.from_batches([data]), restore, "pyarrow.RecordBatch")


def _arrow_reader(data: Any) -> Source:
    def restore(stream: Stream, plan: PlanCore) -> Any:
        pa = _module("pyarrow")
        # A reader over a Python iterator raises this package's errors, not Arrow's.
        schema = _without_stale_metadata(pa.schema(plan).empty_table(), plan).schema
        batches: Iterator[Batch] = iter(stream)
        made = (
            pa.record_batch(batch).replace_schema_metadata(schema.metadata) for batch in batches
        )
        return pa.RecordBatchReader.from_batches(schema, made)

    return Source(Stream(data), restore, "pyarrow.RecordBatchReader", is_stream=True)


def _relation(data: Any) -> Source:
    # A stream over a relation blocks its connection until it is read to the end: read it now.
    table = data.to_arrow_table()

    def restore(stream: Stream, _plan: PlanCore) -> Any:
        return _module("duckdb").from_arrow(_module("pyarrow").table(stream))

    return Source(table, restore, "duckdb.DuckDBPyRelation")


def _dataset(data: Any) -> Source:
    table = data.with_format("arrow")[:]

    def restore(stream: Stream, plan: PlanCore) -> Any:
        datasets = _module("datasets")
        out = _module("pyarrow").table(stream).replace_schema_metadata(None)
        features = datasets.Features.from_arrow_schema(out.schema)
        for at, kept in enumerate(plan.untouched):
            name = out.schema.names[at]
            if kept is not None and name in data.features:
                features[name] = data.features[name]
        out = out.cast(features.arrow_schema)
        info = data.info.copy()
        info.features = features
        return datasets.Dataset(out, info=info, split=data.split)

    return Source(table, restore, "datasets.Dataset")


def _pandas(data: Any, listed: Sequence[str] = ()) -> Source:
    pa = _module("pyarrow")
    names = [str(label) for label in data.columns]
    levels = [
        at for at, name in enumerate(data.index.names) if name in listed and name not in names
    ]
    if len(levels) < data.index.nlevels:
        _warn_of_index(data.index, levels)
    arrays: list[Any] = []
    fields: list[Any] = []
    series = [data.iloc[:, at] for at in range(len(names))]
    series += [data.index.get_level_values(at).to_series(index=data.index) for at in levels]
    for name, column in zip(
        [*names, *(data.index.names[at] for at in levels)], series, strict=True
    ):
        array = series_to_arrow(column, what=f"column `{name}`")
        arrays.append(array)
        fields.append(pa.field(name, array.type))
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def restore(stream: Stream, plan: PlanCore) -> Any:
        return _pandas_again(data, pa.table(stream), plan, levels)

    return Source(table, restore, "pandas.DataFrame")


def _pandas_again(data: Any, out: Any, plan: PlanCore, levels: Sequence[int]) -> Any:
    """Put the frame together: what is untouched is the caller's own column."""
    pd = _module("pandas")
    width = len(data.columns)
    names = [str(label) for label in data.columns]
    index = [data.index.get_level_values(at) for at in range(data.index.nlevels)]
    kept_levels = set(range(data.index.nlevels)) - set(levels)
    columns: list[Any] = []
    labels: list[int] = []
    for at, copied in enumerate(plan.untouched):
        name = out.schema.names[at]
        place = names.index(name) if name in names else None
        if place is None:
            level = next(level for level in levels if data.index.names[level] == name)
            kept_levels.add(level)
            if copied is None:
                values = series_from_arrow(out.column(at), index[level].dtype)
                index[level] = pd.Index(values, name=name, dtype=values.dtype)
            continue
        if copied is not None and copied < width:
            columns.append(data.iloc[:, place])
        else:
            values = series_from_arrow(out.column(at), data.dtypes.iloc[place])
            columns.append(pd.Series(values.array, index=data.index, dtype=values.dtype))
        labels.append(place)
    made = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=data.index)
    made.columns = data.columns[labels]
    if levels:
        left = [index[level] for level in sorted(kept_levels)]
        if not left:
            made = made.reset_index(drop=True)
        elif len(left) == 1:
            made.index = left[0]
        else:
            made.index = pd.MultiIndex.from_arrays(left)
    made.attrs = dict(data.attrs)
    return made


def series_to_arrow(series: Any, *, what: str) -> Any:
    """Turn a pandas column into an Arrow array; its own errors quote cells and are not shown."""
    pa = _module("pyarrow")
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        array = None
    if array is None:
        message = f"{what} holds values of several kinds, or of one that Arrow has no type for"
        hint = "bring it to one type first, with astype"
        raise DataError(message, "ALO-D001", hint, 3)
    return array


def series_from_arrow(column: Any, dtype: Any) -> Any:
    """Turn treated cells into a pandas series, of the kind of strings that went in."""
    pd, pa = _module("pandas"), _module("pyarrow")
    kind = column.type
    if isinstance(dtype, pd.ArrowDtype):
        return pd.Series(pd.ArrowDtype(kind).__from_arrow__(column))
    if pa.types.is_dictionary(kind):
        return column.unify_dictionaries().to_pandas()
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if is_text and isinstance(dtype, pd.StringDtype):
        return pd.Series(dtype.__from_arrow__(column))
    if is_text and pd.api.types.is_object_dtype(dtype):
        return pd.Series(column.to_numpy(zero_copy_only=False), dtype=object)
    return column.to_pandas()


def _warn_of_index(index: Any, taken: Sequence[int]) -> None:
    """Say that text in an index stays as it is."""
    pd = _module("pandas")
    left = [at for at in range(index.nlevels) if at not in taken]
    text = [at for at in left if not _is_number_like(pd, index.get_level_values(at).dtype)]
    if text:
        message = (
            "the index is kept as it is and holds text; call reset_index() first, or name the "
            "index and list that name in the policy"
        )
        warnings.warn(message, AllonymWarning, stacklevel=6)


def _is_number_like(pd: Any, dtype: Any) -> bool:
    types = pd.api.types
    return bool(
        types.is_numeric_dtype(dtype)
        or types.is_datetime64_any_dtype(dtype)
        or types.is_timedelta64_dtype(dtype)
    )


def _without_stale_metadata(table: Any, plan: PlanCore) -> Any:
    """Drop what pandas and Hugging Face noted of columns that are no longer what they were."""
    metadata: dict[bytes, bytes] = dict(table.schema.metadata or {})
    # Features list the labels of classes, which are cells.
    metadata.pop(b"huggingface", None)
    noted = metadata.get(b"pandas")
    if noted is not None:
        untouched = {
            name
            for name, kept in zip(table.schema.names, plan.untouched, strict=True)
            if kept is not None
        }
        said: dict[str, Any] = json.loads(noted)
        said["columns"] = [c for c in said.get("columns", []) if c.get("field_name") in untouched]
        metadata[b"pandas"] = json.dumps(said).encode()
    return table.replace_schema_metadata(metadata or None)


def _one_chunk(column: Any) -> Any:
    pa = _module("pyarrow")
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        missing = name
    message = f"this needs `{missing}`, which is not installed"
    extra = {"pyarrow": "arrow"}.get(missing, missing)
    raise UsageError(message, "ALO-U011", f"pip install 'allonym[{extra}]'", 2)


_KEYED = frozenset({"pseudonymize", "text"})

_TAKERS: dict[str, Callable[[Any], Source]] = {
    "datasets.Dataset": _dataset,
    "_duckdb.DuckDBPyRelation": _relation,
    "duckdb.DuckDBPyRelation": _relation,
    "pandas.DataFrame": _pandas,
    "polars.DataFrame": _polars,
    "pyarrow.RecordBatch": _arrow_batch,
    "pyarrow.RecordBatchReader": _arrow_reader,
    "pyarrow.Table": _arrow_table,
}
