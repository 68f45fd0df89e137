"""Reference models: who is trained on what, and what each model says of every record."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from allonym import _allonym, attacks
from allonym.exceptions import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class Says(NamedTuple):
    """What one model says of each record."""

    conf: Any
    """Confidence in the true class; of a regressor, the squared residual."""
    logit: Any
    right: Any
    """1 where the model is right; of a regressor, the squared residual."""
    entropy: Any
    """Modified entropy; NaN where the classes' probabilities are not known."""


@dataclass
class Plan:
    """Which rows are scored, which no model sees, and which reference sees what.

    Rows are numbered through the training data first, then the holdout. A unit is a person, or all
    rows that are equal; its keyed hash decides everything about it, so that neither the order of
    rows nor who else is there changes a mask.
    """

    n_train: int
    n_rows: int
    units: list[bytes]
    always: list[int]
    """Rows every reference is trained on, as the target was."""
    scored: list[int]
    population: list[int]
    members: list[bool]
    """Of the scored rows, whether the target was trained on them."""
    set_aside: dict[str, int] = field(default_factory=dict[str, int])

    def mask(self, reference: int) -> list[bool]:
        """Say which scored rows a reference is trained on; every second is the complement."""
        at, flip = divmod(reference, 2)
        return [coin(self.units[row], at) != bool(flip) for row in self.scored]

    def rows(self, reference: int) -> list[int]:
        """Give the rows that a reference is trained on, in the order of their hashes."""
        inside = [
            row for row, is_in in zip(self.scored, self.mask(reference), strict=True) if is_in
        ]
        return sorted(self.always + inside, key=lambda row: (self.units[row], row))


def plan(units: list[bytes], n_train: int, *, by_subject: bool) -> Plan:
    """Split rows whose sides are given: training data and holdout."""
    train, holdout = range(n_train), range(n_train, len(units))
    if not train or not holdout:
        side = "training data has" if not train else "holdout has"
        _unfit(f"the {side} no rows; both members and non-members are needed")
    inside = {units[row] for row in train}
    shared = [row for row in holdout if units[row] in inside]
    if shared and by_subject:
        people = len({units[row] for row in shared})
        message = f"{people} subjects have training and holdout rows; split by subject"
        _unfit(message)
    if len(shared) == len(holdout):
        _unfit("every holdout row equals a training row; there is nobody to compare with")
    apart = set(shared)
    outside = [row for row in holdout if row not in apart]
    # What exceeds the training data would only narrow the side that is wide already.
    aside = max(len(outside) - n_train, len(outside) // _POPULATION_PART)
    aside = min(aside, _POPULATION_MAX) if len(outside) >= _POPULATION_FROM else 0
    population, rest = _first_units(outside, units, aside)
    compared, unused = _first_units(rest, units, n_train)
    chosen, always = _first_units(list(train), units, len(compared))
    made = Plan(
        n_train=n_train,
        n_rows=len(units),
        units=units,
        always=always,
        scored=sorted(chosen) + sorted(compared),
        population=sorted(population),
        members=[True] * len(chosen) + [False] * len(compared),
    )
    if shared:
        made.set_aside["holdout rows that equal a training row"] = len(shared)
    if unused:
        made.set_aside["holdout rows beyond the number of training rows"] = len(unused)
    return made


def plan_by_coins(units: list[bytes]) -> Plan:
    """Split one table by fair coins, so that what is found can be proven."""
    rows = list(range(len(units)))
    aside = len(rows) // _POPULATION_PART_OF_ALL if len(rows) >= _POPULATION_FROM else 0
    population, scored = _first_units(rows, units, min(aside, _POPULATION_MAX))
    scored = sorted(scored)
    members = [coin(units[row], _TARGET_COIN) for row in scored]
    if all(members) or not any(members):
        _unfit(f"{len(rows)} rows are too few: all of them fell on one side")
    return Plan(
        n_train=len(units),
        n_rows=len(units),
        units=units,
        always=[],
        scored=scored,
        population=sorted(population),
        members=members,
    )


def coin(unit: bytes, at: int) -> bool:
    """Throw a unit's coin: one bit of its keyed hash, beyond those that it is sorted by."""
    return bool(unit[_SORT_BYTES + at // 8] >> (at % 8) & 1)


def _first_units(
    rows: Sequence[int], units: Sequence[bytes], count: int
) -> tuple[list[int], list[int]]:
    """Take whole units by their hashes until there are about ``count`` rows."""
    by_unit: dict[bytes, list[int]] = {}
    for row in rows:
        by_unit.setdefault(units[row], []).append(row)
    taken: list[int] = []
    left: list[int] = []
    for unit in sorted(by_unit):
        of_unit = by_unit[unit]
        # A unit that would overshoot is left, so that no side grows beyond the other.
        (taken if len(taken) + len(of_unit) <= count else left).extend(of_unit)
    return taken, left


def hashed(records: Iterable[bytes], seed: int) -> list[bytes]:
    """Give each record's keyed hash; it stays in memory."""
    key = hashlib.blake2b(f"allonym exposure masks {seed}".encode(), digest_size=32).digest()
    return [hashlib.blake2b(record, key=key).digest() for record in records]


class Table:
    """Rows of an array, a frame, a sparse matrix or a list, without importing its library."""

    def __init__(self, data: Any, name: str) -> None:
        self.data = data
        self.name = name
        shape = getattr(data, "shape", None)
        try:
            self.n_rows = int(shape[0]) if shape is not None else len(data)
        except (TypeError, IndexError):
            _unfit(f"`{name}` holds no rows: it is a `{type(data).__name__}`")

    def take(self, rows: Sequence[int]) -> Any:
        """Give some rows, in their own kind."""
        data = self.data
        if hasattr(data, "iloc"):
            return data.iloc[list(rows)]
        if isinstance(data, (list, tuple)):
            items = cast("Sequence[Any]", data)
            return [items[row] for row in rows]
        if hasattr(data, "take") and type(data).__module__.startswith("pyarrow"):
            return data.take(list(rows))
        return data[list(rows)]

    def records(self) -> Iterator[bytes]:
        """Give each row's content as bytes that are equal where rows are."""
        data = self.data
        if self.n_rows == 0:
            return
        numpy: Any = importlib.import_module("numpy")
        if hasattr(data, "tocsr"):
            sparse = data.tocsr()
            sparse.sort_indices()
            for row in range(self.n_rows):
                inside = slice(sparse.indptr[row], sparse.indptr[row + 1])
                yield sparse.indices[inside].tobytes() + b"|" + sparse.data[inside].tobytes()
            return
        columns = self.columns()
        if columns is not None:
            for values in zip(*columns.values(), strict=True):
                yield repr(values).encode("utf-8", "surrogatepass")
            return
        array = numpy.asarray(data)
        if array.dtype == object or array.dtype.kind in "US":
            for values in array.tolist():
                yield repr(values).encode("utf-8", "surrogatepass")
            return
        flat = numpy.ascontiguousarray(array).reshape(self.n_rows, -1)
        # Minus zero equals zero.
        flat = flat + 0 if flat.dtype.kind == "f" else flat
        for row in range(self.n_rows):
            yield flat[row].tobytes()

    def columns(self) -> dict[str, list[Any]] | None:
        """Give a frame's columns as lists; none of what has no names."""
        data = self.data
        if hasattr(data, "to_pydict"):
            return cast("dict[str, list[Any]]", data.to_pydict())
        if hasattr(data, "iloc") and hasattr(data, "columns"):
            return {str(name): data[name].tolist() for name in data.columns}
        if hasattr(data, "get_columns"):
            return {column.name: column.to_list() for column in data.get_columns()}
        return None

    def numbers(self, rows: Sequence[int]) -> Any:
        """Give the columns of numbers of some rows, rows x columns; none where there are none.

        A column that lacks a number is left out, and so is every one of a table of many.
        """
        numpy: Any = importlib.import_module("numpy")
        columns = self.columns()
        if columns is not None:
            kept = [
                [values[row] for row in rows]
                for values in columns.values()
                if all(isinstance(value, (int, float)) for value in values)
            ]
            table = numpy.array(kept, dtype="f8").T if kept else None
        elif getattr(self.data, "ndim", 0) == _AXES and hasattr(self.data, "__array__"):
            array = numpy.asarray(self.data)
            table = array[list(rows)].astype("f8") if array.dtype.kind in "biuf" else None
        else:
            table = None
        if table is None or not 0 < table.shape[1] <= _FEATURES_MAX:
            return None
        return numpy.ascontiguousarray(table[:, numpy.isfinite(table).all(axis=0)])


def joined(first: Any, second: Any) -> Any:
    """Put two parts of one kind below each other."""
    if isinstance(first, (list, tuple)):
        return [*cast("Sequence[Any]", first), *cast("Sequence[Any]", second)]
    if hasattr(first, "iloc"):
        return importlib.import_module("pandas").concat([first, second])
    if hasattr(first, "get_columns"):
        return importlib.import_module("polars").concat([first, second])
    if hasattr(first, "tocsr"):
        return importlib.import_module("scipy.sparse").vstack([first, second]).tocsr()
    if type(first).__module__.startswith("pyarrow"):
        return importlib.import_module("pyarrow").concat_tables([first, second])
    if type(first).__module__.startswith("torch"):
        return importlib.import_module("torch").cat([first, second])
    return importlib.import_module("numpy").concatenate([first, second])


def said_of_classes(probabilities: Any, places: Any) -> Says:
    """Turn probabilities (records x classes) into signals; ``places`` holds the true columns."""
    numpy: Any = importlib.import_module("numpy")
    table = numpy.array(probabilities, dtype="f8")
    rows = numpy.arange(len(places))
    known = places >= 0
    at = numpy.where(known, places, 0)
    conf = numpy.where(known, table[rows, at], 0.0)
    right = (table.argmax(axis=1) == places).astype("f8")
    # The sum of the others, never 1 - p, which loses every digit of a sure model.
    others = table.copy()
    others[rows[known], at[known]] = 0.0
    logit = numpy.log(numpy.maximum(conf, _FLOOR))
    logit -= numpy.log(numpy.maximum(others.sum(axis=1), _FLOOR))
    missing = ~numpy.isfinite(table).all(axis=1)
    conf = numpy.clip(conf, 0.0, 1.0)
    conf[missing] = numpy.nan
    logit[missing] = numpy.nan
    shares = numpy.clip(table, 0.0, 1.0)
    scores = attacks.modified_entropy(shares, at.astype("i8"))
    entropy = numpy.frombuffer(scores.tobytes(), dtype="<f8").copy()
    entropy[missing | ~known] = numpy.nan
    return Says(conf, logit, right, entropy)


def said_of_numbers(predicted: Any, truth: Any) -> Says:
    """Turn a regressor's predictions into signals."""
    numpy: Any = importlib.import_module("numpy")
    residual = numpy.asarray(truth, dtype="f8") - numpy.asarray(predicted, dtype="f8").reshape(-1)
    squared = residual**2
    return Says(squared, -squared, squared, numpy.full(len(squared), numpy.nan))


class Store:
    """Signals of references that were trained before, by the content of all that made them."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.memory: dict[str, Says] = {}

    def load(self, key: str, count: int) -> Says | None:
        """Give what was kept, if it is whole."""
        if key in self.memory:
            return self.memory[key]
        if self.folder is None:
            return None
        numpy: Any = importlib.import_module("numpy")
        try:
            stored = numpy.fromfile(self.folder / f"{key}.f8", dtype="<f8")
        except OSError:
            return None
        parts = len(Says._fields)
        if len(stored) != parts * count:
            return None
        return Says(*stored.reshape(parts, count))

    def keep(self, key: str, says: Says, *, on_disk: bool) -> None:
        """Keep signals; a file appears whole or not at all."""
        self.memory[key] = says
        if self.folder is None or not on_disk:
            return
        import tempfile

        numpy: Any = importlib.import_module("numpy")
        stored = numpy.concatenate([numpy.asarray(part, dtype="<f8") for part in says])
        # A cache that cannot be written costs time, not the measurement.
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(stored.tobytes())
            Path(aside).replace(self.folder / f"{key}.f8")


def cache_folder(cache: bool | str | os.PathLike[str]) -> Path | None:  # noqa: FBT001
    """Say where signals are kept; none of them quotes a record."""
    if cache is False:
        return None
    if cache is not True:
        return Path(cache)
    own = os.environ.get("ALLONYM_CACHE_HOME")
    if own:
        return Path(own) / "exposure"
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "allonym" / "exposure"


def key_of(parts: dict[str, Any]) -> str:
    """Name everything that made a reference."""
    text = json.dumps(parts, sort_keys=True).encode()
    return hashlib.blake2b(text, digest_size=20).hexdigest()


def data_key(units: Sequence[bytes], rows: Sequence[int], more: bytes) -> str:
    """Name the rows of a plan, in the order in which they are scored."""
    whole = hashlib.blake2b(more, digest_size=20)
    for row in rows:
        whole.update(units[row][:_SORT_BYTES])
    return whole.hexdigest()


class Progress:
    """A line that is written over, where somebody looks; or the caller's function."""

    def __init__(self, told: bool | Callable[[int, int], None] | None) -> None:  # noqa: FBT001
        self.tell = told if callable(told) else None
        self.line = told is True or (told is None and _somebody_looks())
        self.started = time.monotonic()
        self.trained = 0

    def step(self, done: int, total: int, *, trained: bool) -> None:
        """Tell that one more reference is there."""
        self.trained += trained
        if self.tell is not None:
            self.tell(done, total)
        elif self.line:
            each = (time.monotonic() - self.started) / max(self.trained, 1)
            left = each * (total - done) if self.trained else 0.0
            bar = "━" * round(20 * done / total)
            sys.stderr.write(f"\rreferences [{bar:<20}] {done}/{total} · {left:.0f} s left  ")
            if done == total:
                sys.stderr.write("\n")
            sys.stderr.flush()


def _somebody_looks() -> bool:
    shell = sys.modules.get("IPython")
    notebook = shell is not None and cast("Any", shell).get_ipython() is not None
    return notebook or sys.stderr.isatty()


def cloned(model: Any, seed: int, reference: int) -> Any:
    """Give an unfitted copy with random states of its own."""
    try:
        base: Any = importlib.import_module("sklearn.base")
        copy = base.clone(model)
    except ImportError:
        copy = type(model)(**model.get_params(deep=False))
    states = [name for name in copy.get_params(deep=True) if name.endswith("random_state")]
    if states:
        copy.set_params(**{name: model_seed(seed, reference, name) for name in states})
    return copy


def model_seed(seed: int, reference: int, name: str) -> int:
    """Give a seed that differs by model and place, and is the same tomorrow."""
    text = f"allonym exposure model {seed} {reference} {name}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "little") >> 1


def described(model: Any) -> str | None:
    """Describe an estimator by class, versions and parameters; none where that cannot be done."""
    kind = cast("type[Any]", type(model))
    library = sys.modules.get(kind.__module__.partition(".")[0])
    version = getattr(library, "__version__", "")
    params = sorted(model.get_params(deep=True).items(), key=lambda item: item[0])
    text = f"{kind.__module__}.{kind.__qualname__} {version} {params!r}"
    # An address names another object tomorrow.
    return None if " at 0x" in text else text


def votes_of(model: Any) -> int | None:
    """Say how many votes a model's confidences are shares of, where they are."""
    steps = getattr(model, "steps", None)
    last = steps[-1][1] if steps else model
    name = type(last).__name__
    if name.startswith(("RandomForestC", "ExtraTreesC", "BaggingC")):
        return int(last.n_estimators)
    if name == "KNeighborsClassifier":
        return int(last.n_neighbors)
    return None


def limit_of(votes: int | None) -> float | None:
    """Say within what logits are kept for so many votes."""
    return None if votes is None else _allonym.logit_limit(votes)


def guarded(what: str, call: Callable[[], Any]) -> Any:
    """Call the model's own code; what it says of its failure may quote a record."""
    try:
        return call()
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        kind = type(error).__name__
        message = f"{what} failed with {kind}; its words are not shown, since they may quote data"
        raise DataError(message, "ALO-D006", None, 3) from None


def checked_references(count: int) -> int:
    """Refuse what no attack can use."""
    if count < 0 or count == 1 or count > REFERENCES_MAX:
        message = f"`references` must be 0, or from 2 to {REFERENCES_MAX}"
        raise UsageError(message, "ALO-U010", None, 2)
    return count


def _unfit(message: str) -> NoReturn:
    # What went before may quote data.
    raise DataError(message, "ALO-D006", None, 3) from None


_FLOOR = 1e-45
_AXES = 2
_FEATURES_MAX = 32
"""Of a linear quantile, which is fitted to at most a few thousand rows."""
_SORT_BYTES = 16
_TARGET_COIN = 383
REFERENCES_MAX = 2 * _TARGET_COIN
"""Each pair of references needs a bit of the hash, and the target its own."""
_POPULATION_FROM = 80
_POPULATION_PART = 4
_POPULATION_PART_OF_ALL = 6
_POPULATION_MAX = 2_500
"""More population records narrow nothing: the score is a rank among them."""
