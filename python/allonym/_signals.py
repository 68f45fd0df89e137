"""Numbers of other libraries as bytes, without importing any of them."""

from __future__ import annotations

import importlib
from array import array
from typing import TYPE_CHECKING, Any, cast

from allonym._allonym import Scores
from allonym.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Numbers = Any
"""Whatever holds numbers: a NumPy array, anything with the buffer protocol or that NumPy takes
(pandas, Polars, PyArrow, PyTorch, JAX), or lists of numbers."""

Packed = tuple[bytes, str, list[int]]
"""Bytes in C order, NumPy's name of their kind, and the lengths of the axes."""


def packed(values: Numbers, name: str) -> Packed:
    """Give the numbers in an object; ``name`` is the argument that errors speak of."""
    if isinstance(values, Scores):
        return values.tobytes(), "<f8", [len(values)]
    if isinstance(values, (list, tuple)):
        return _listed(cast("Sequence[object]", values), name)
    view = _view(values)
    if view is None:
        raise _unfit(name, f"holds no numbers: it is a `{type(values).__name__}`")
    kind = _KINDS.get((view.format, view.itemsize))
    if kind is None:
        return _converted(values, str(view.format), name)
    return view.tobytes(), kind, list(view.shape or ())


def looks(signals: dict[str, Any]) -> dict[str, Packed | None]:
    """Give what attacks without references look at, as the extension takes it."""
    names = {"pop_features": "population_features"}
    return {
        names.get(name, name): packed(signals[name], name) if name in signals else None
        for name in ("gap", "entropy", "features", "pop_features")
    }


def codes(groups: Iterable[object], population: Iterable[object]) -> tuple[list[int], list[int]]:
    """Give groups of any hashable kind numbers, the same in both."""
    numbers: dict[object, int] = {}
    records = [numbers.setdefault(group, len(numbers)) for group in _items(groups)]
    return records, [numbers.setdefault(group, len(numbers)) for group in _items(population)]


def _items(values: Iterable[object]) -> Iterable[object]:
    """Give Python's own objects, which hash alike whatever held them."""
    tolist = getattr(values, "tolist", None) or getattr(values, "to_pylist", None)
    return values if tolist is None else cast("Iterable[object]", tolist())


def _view(values: Any) -> memoryview[Any] | None:
    """Look at an object's memory, or at that of its like in NumPy."""
    if isinstance(values, (str, bytes)):
        return None
    views = (_tried(look, values) for look in (_own, _numpy, _dlpack))
    return next((view for view in views if view is not None), None)


def _tried(look: Callable[[Any], memoryview[Any]], values: Any) -> memoryview[Any] | None:
    try:
        return look(values)
    # NumPy says BufferError or ValueError of what has no place in a buffer, such as dates.
    except (AttributeError, BufferError, TypeError, ValueError):
        return None


def _own(values: Any) -> memoryview[Any]:
    return memoryview(values)


def _numpy(values: Any) -> memoryview[Any]:
    return memoryview(values.__array__())


def _dlpack(values: Any) -> memoryview[Any]:
    if not hasattr(values, "__dlpack__"):
        raise TypeError
    numpy: Any = importlib.import_module("numpy")
    return memoryview(numpy.from_dlpack(values))


def _converted(values: Any, kind: str, name: str) -> Packed:
    """Take what is not read as it is: half precision, other byte orders, lists in NumPy's arrays."""
    if kind == "O" and hasattr(values, "tolist"):
        return _listed(values.tolist(), name)
    if kind.lstrip("<>=!@") not in set("efdbBhHiIlLqQ") or not hasattr(values, "__array__"):
        raise _unfit(name, f"holds no numbers: its elements are of format `{kind}`")
    view = memoryview(values.__array__().astype("<f8"))
    return view.tobytes(), "<f8", list(view.shape or ())


def _listed(values: Sequence[object], name: str) -> Packed:
    """Take lists, or lists of lists of one length; None is a number that is missing."""
    rows = [
        cast("Sequence[object]", row.tolist() if hasattr(row, "tolist") else row)
        for row in cast("Sequence[Any]", values)
    ]
    if not any(isinstance(row, (list, tuple)) for row in rows):
        return *_flat(rows, name), [len(rows)]
    widths = {len(row) if isinstance(row, (list, tuple)) else -1 for row in rows}
    if len(widths) != 1 or -1 in widths:
        raise _unfit(name, "has rows that are not of one length")
    return *_flat([item for row in rows for item in row], name), [len(rows), widths.pop()]


def _flat(items: Sequence[object], name: str) -> tuple[bytes, str]:
    if items and all(isinstance(item, bool) for item in items):
        return bytes(cast("list[bool]", items)), "|b1"
    if items and all(isinstance(item, int) and abs(item) < _EXACT for item in items):
        return array("q", cast("Sequence[int]", items)).tobytes(), "<i8"
    try:
        numbers = [
            float("nan") if item is None else float(cast("float", item))
            for item in items
            if not isinstance(item, (str, bytes))
        ]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != len(items):
        # The item itself may be personal, and so is never told.
        raise _unfit(name, "holds something that is no number")
    return array("d", numbers).tobytes(), "<f8"


def _unfit(name: str, what: str) -> DataError:
    return DataError(f"`{name}` {what}", "ALO-D006", None, 3)


_EXACT = 2**53
"""Whole numbers below it are numbers of double precision."""

_KINDS = {
    ("f", 4): "<f4",
    ("d", 8): "<f8",
    ("?", 1): "|b1",
    ("b", 1): "|i1",
    ("B", 1): "|u1",
    ("h", 2): "<i2",
    ("H", 2): "<u2",
    ("i", 4): "<i4",
    ("I", 4): "<u4",
    ("l", 4): "<i4",
    ("L", 4): "<u4",
    ("l", 8): "<i8",
    ("q", 8): "<i8",
}
"""Kinds by format and size, as the ``struct`` module names them."""
