"""Single columns of other libraries as Arrow or lists, and the result as what went in."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from allonym import _frames
from allonym.exceptions import DataError

if TYPE_CHECKING:
    from allonym._allonym import Chunks

Column = Any
"""A list, or what the core takes through the capsule interface."""


def column(values: Any) -> tuple[Column, Callable[[Any], Any]]:
    """Take a column in; also give the function that makes its like of what came out."""
    if isinstance(values, list):
        return cast("list[object]", values), _same
    if isinstance(values, tuple):
        return list(cast("tuple[object, ...]", values)), tuple
    take = _frames.known(values, _TAKERS)
    if take is not None:
        return take(values)
    if isinstance(values, Sequence) and not isinstance(values, (str, bytes)):
        return list(cast("Sequence[object]", values)), list
    return values, _same


def _same(out: Any) -> Any:
    return out


def _polars(values: Any) -> tuple[Column, Callable[[Any], Any]]:
    pl = importlib.import_module("polars")
    return values, lambda out: pl.Series(values.name, out)


def _pandas(values: Any) -> tuple[Column, Callable[[Any], Any]]:
    pd: Any = importlib.import_module("pandas")
    arrow = _frames.series_to_arrow(values, what="the series")

    def restore(out: Chunks) -> Any:
        pa: Any = importlib.import_module("pyarrow")
        made = _frames.series_from_arrow(pa.chunked_array(out), values.dtype)
        return pd.Series(made.array, index=values.index, name=values.name, dtype=made.dtype)

    return arrow, restore


def _arrow_array(values: Any) -> tuple[Column, Callable[[Any], Any]]:
    pa: Any = importlib.import_module("pyarrow")

    def restore(out: Chunks) -> Any:
        chunks = pa.chunked_array(out)
        if chunks.num_chunks == 1:
            return chunks.chunk(0)
        return pa.concat_arrays(chunks.chunks) if chunks.num_chunks else pa.array([], chunks.type)

    return values, restore


def _arrow_chunks(values: Any) -> tuple[Column, Callable[[Any], Any]]:
    pa: Any = importlib.import_module("pyarrow")
    return values, pa.chunked_array


def _numpy(values: Any) -> tuple[Column, Callable[[Any], Any]]:
    np: Any = importlib.import_module("numpy")
    if values.ndim != 1:
        message = f"the array has {values.ndim} dimensions; it must have one"
        raise DataError(message, "ALO-D001", None, 3)

    def restore(out: list[object]) -> Any:
        made = np.empty(len(out), dtype=object)
        made[:] = out
        return made

    return values.tolist(), restore


_TAKERS: dict[str, Callable[[Any], tuple[Column, Callable[[Any], Any]]]] = {
    "numpy.ndarray": _numpy,
    "pandas.Series": _pandas,
    "polars.Series": _polars,
    "pyarrow.Array": _arrow_array,
    "pyarrow.ChunkedArray": _arrow_chunks,
}
