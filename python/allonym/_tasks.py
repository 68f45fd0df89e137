"""What is asked about a model: whose rows, which targets, and the measurement made of them."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import json
import math
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from allonym import _allonym, _references, _signals
from allonym._references import Plan, Progress, Says, Store, Table
from allonym._signals import packed
from allonym.exceptions import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Action(NamedTuple):
    """What to do about one training row."""

    row: int
    action: str
    column: str | None
    """What to generalize."""


class Older(NamedTuple):
    """Training rows older than a period are exposed more often than the others."""

    years: int
    n_older: int
    older_exposed: int
    """How many of the older rows are among the most exposed."""
    n_younger: int
    younger_exposed: int
    p_value: float
    """Probability of so many by chance, corrected for the periods that were tried."""


class Measuring:
    """A measurement that can be made again with more references."""

    def __init__(
        self,
        task: Task,
        store: Store,
        options: dict[str, Any],
        *,
        budget: float | None,
        progress: bool | Callable[[int, int], None] | None,
        cache_key: str | None,
    ) -> None:
        self.task = task
        self.store = store
        self.options = options
        self.budget = budget
        self.progress = progress
        self.cache_key = cache_key
        self.said: list[Says] = []
        self.right: Any = None
        """Where the target is right, of the scored rows it was not trained on."""
        self.signals: dict[str, Any] = {}
        """Arrays of models x records by name, the target first."""

    def measure(self, wanted: int) -> tuple[_allonym.ExposureCore, Measuring]:
        target = self.task.target()
        self.said = self._references(wanted)
        numpy: Any = importlib.import_module("numpy")
        plan = self.task.plan
        scored = len(plan.scored)
        models = [target, *self.said]
        masks = numpy.array([plan.members, *(plan.mask(at) for at in range(len(self.said)))], bool)
        first = numpy.stack([says.conf for says in models])
        logit = numpy.stack([says.logit for says in models])
        right = numpy.stack([says.right for says in models])
        self.right = right[0, :scored][~masks[0]]
        if self.task.is_regression:
            # The law of the residuals of those who have not seen the record, the same for all.
            apart = first[:, :scored][~masks]
            spread = float(numpy.nanmean(apart)) if apart.size else 1.0
            conf = numpy.exp(-first / (2 * max(spread, 1e-300)))
        else:
            conf = first
        options = dict(self.options)
        options["rows"] = self.task.rows()
        options["subjects"] = self.task.subjects()
        options["unit"] = self.task.unit
        signals = {"conf": conf[:, :scored], "logit": logit[:, :scored], "members": masks}
        if plan.population:
            signals["pop_conf"] = conf[:, scored:]
        entropy = numpy.stack([says.entropy[:scored] for says in models])
        if not numpy.isnan(entropy).all():
            signals["gap"] = right[:, :scored]
            signals["entropy"] = entropy
        features = self.task.features() if plan.population else None
        if features is not None:
            signals["features"], signals["pop_features"] = features[:scored], features[scored:]
        if options["subjects"] is not None:
            signals["subject"] = numpy.array(options["subjects"], dtype="i8")
        self.signals = signals
        core = _allonym.measure_signals(
            packed(signals["conf"], "conf"),
            packed(signals["logit"], "logit"),
            packed(masks, "members"),
            packed(signals["pop_conf"], "population") if plan.population else None,
            _signals.looks(signals),
            target=0,
            context=json.dumps(self._context(masks, right[:, :scored], wanted)),
            options=options,
        )
        return core, self

    def _references(self, wanted: int) -> list[Says]:
        said: list[Says] = []
        progress = Progress(self.progress)
        started = time.monotonic()
        count = len(self.task.plan.scored) + len(self.task.plan.population)
        for reference in range(wanted):
            parts = self.task.key(reference)
            # A user's function has no name for its code, unless the user gives one.
            on_disk = parts["model"] is not None or self.cache_key is not None
            key = _references.key_of({**parts, "cache_key": self.cache_key})
            says = self.store.load(key, count) if on_disk or key in self.store.memory else None
            known = says is not None
            if says is None:
                spent = time.monotonic() - started
                if self.budget is not None and spent > self.budget and reference >= _PAIR:
                    break
                says = self.task.train(reference)
                self.store.keep(key, says, on_disk=on_disk)
            said.append(says)
            progress.step(reference + 1, wanted, trained=not known)
        # Masks come in pairs of complements: half a pair would leave records with uneven sides.
        return said if len(said) == wanted else said[: len(said) // _PAIR * _PAIR]

    def _context(self, masks: Any, right: Any, wanted: int) -> dict[str, Any]:
        plan = self.task.plan
        warnings = list(self.task.warnings)
        if len(self.said) < wanted:
            warnings.append(
                f"the time was enough for {len(self.said)} of {wanted} references; "
                "the same call goes on where it stopped"
            )

        def mean(values: Any) -> float | None:
            return float(values.mean()) if values.size else None

        utility = {
            "metric": "mean squared error" if self.task.is_regression else "accuracy",
            "train": mean(right[0][masks[0]]),
            "holdout": mean(right[0][~masks[0]]),
            "references_out": mean(right[1:][~masks[1:]]),
        }
        target, others = mean(right[0][~masks[0]]), mean(right[1:][~masks[1:]])
        known = target is not None and others is not None and not self.task.is_regression
        if known and abs(cast("float", target) - cast("float", others)) > _GAP:
            warnings.append(
                "the references do not work as well as the target, so they tell less of it: "
                "are they trained in the same way?"
            )
        return {
            "model": self.task.name,
            "measured_at": now(),
            "seed": self.options["seed"],
            "masks": "keyed BLAKE2b of each record or person, in pairs of complements",
            "train_rows": plan.n_train if self.task.has_sides else None,
            "holdout_rows": plan.n_rows - plan.n_train if self.task.has_sides else None,
            "set_aside": plan.set_aside,
            "utility": utility,
            "warnings": warnings,
        }

    def older(self, actions: list[Action], dates: Sequence[object], as_of: dt.date) -> Older | None:
        """Tell whether the rows of some actions are older than the other scored training rows.

        Of the periods of whole years that leave enough rows on both sides, the one that parts the
        exposed from the others best; none where that may be chance.
        """
        plan = self.task.plan
        exposed = {action.row for action in actions}
        members = (row for row, is_in in zip(plan.scored, plan.members, strict=True) if is_in)
        born = {row: day for row in members if (day := _day(dates[row])) is not None}
        latest = as_of.year - min((day.year for day in born.values()), default=as_of.year)
        found: list[Older] = []
        for years in range(1, latest + 1):
            cut = _years_before(as_of, years)
            old = [row in exposed for row, day in born.items() if day < cut]
            new = [row in exposed for row, day in born.items() if day >= cut]
            if min(len(old), len(new)) >= _SIDE_MIN:
                p_value = _at_least(sum(old), len(old), sum(new), len(new))
                found.append(Older(years, len(old), sum(old), len(new), sum(new), p_value))
        if not found:
            return None
        best = min(found, key=lambda older: (older.p_value, -older.years))
        best = best._replace(p_value=min(1.0, best.p_value * len(found)))
        return best if best.p_value < 1 - self.options["confidence"] else None

    def mitigation(self, top: float) -> list[Action]:
        numpy: Any = importlib.import_module("numpy")
        plan = self.task.plan
        scored = len(plan.scored)
        if not self.said:
            _misused("without references no row is more exposed than another")
        masks = numpy.array([plan.mask(at) for at in range(len(self.said))], bool)
        logit = numpy.stack([says.logit[:scored] for says in self.said])
        limit = self.options["logit_limit"]
        if limit is not None:
            # The logit of all votes is a floor's, and would drown what the others show.
            logit = numpy.clip(logit, -limit, limit)
        members = numpy.array(plan.members)
        # Every record has as many references with as without it.
        unseen = numpy.where(masks, 0.0, logit).sum(axis=0) / (~masks).sum(axis=0)
        jump = numpy.where(masks, logit, 0.0).sum(axis=0) / masks.sum(axis=0) - unseen
        jump[~members | numpy.isnan(jump)] = -numpy.inf
        count = max(1, round(top * int(members.sum())))
        order = sorted(range(scored), key=lambda at: (-jump[at], at))[:count]
        rare = self.task.rare_columns()
        often: dict[bytes, int] = {}
        for row in range(plan.n_train):
            often[plan.units[row]] = often.get(plan.units[row], 0) + 1
        actions: list[Action] = []
        for at in order:
            row = plan.scored[at]
            if not members[at] or not jump[at] > 0:
                continue
            if often[plan.units[row]] > 1 and not self.task.by_subject:
                actions.append(Action(row, "deduplicate", None))
            elif not self.task.is_regression and unseen[at] < _SURE_OF_ANOTHER:
                actions.append(Action(row, "check_label", None))
            elif row in rare:
                actions.append(Action(row, "generalize", rare[row]))
            else:
                actions.append(Action(row, "drop", None))
        return actions


class Task:
    """What is trained on which rows; the two ways of asking differ in their rows."""

    plan: Plan
    name: str
    is_regression = False
    has_sides = True
    by_subject = False
    unit = "records"

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._subjects: list[int] | None = None

    def votes(self) -> int | None:
        return None

    def target(self) -> Says:
        raise NotImplementedError

    def train(self, reference: int) -> Says:
        raise NotImplementedError

    def key(self, reference: int) -> dict[str, Any]:
        raise NotImplementedError

    def column(self, name: str) -> list[Any]:
        raise NotImplementedError

    def training_column(self, name: str) -> list[Any]:
        """Give a column of the table that the target was trained on."""
        raise NotImplementedError

    def rows(self) -> list[int]:
        """Give the row of each scored record in its own table."""
        return [row for _, row in self.places()]

    def places(self) -> list[tuple[str, int]]:
        raise NotImplementedError

    def subjects(self) -> list[int] | None:
        return self._subjects

    def _count_units(self, by_subject: bool) -> None:  # noqa: FBT001
        """Say what the intervals are of: rows, unless several share a coin and so a fate."""
        units = [self.plan.units[row] for row in self.plan.scored]
        if by_subject or len(set(units)) < len(units):
            self._subjects = numbered(units)
            self.unit = "people" if by_subject else "distinct records"
        self.by_subject = by_subject

    def rare_columns(self) -> dict[int, str]:
        return {}

    def features(self) -> Any:
        """Give what the scored rows and then the population look like; none where that is no number."""
        return None


class GivenTask(Task):
    """A fitted model, what it was trained on, and a holdout."""

    def __init__(
        self,
        model: Any,
        train: tuple[Any, Any],
        holdout: tuple[Any, Any],
        subject: Any,
        callables: tuple[Callable[..., Any] | None, Callable[..., Any] | None],
        seed: int,
        units: list[bytes] | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.seed = seed
        self.train_model, self.predict_model = callables
        self.name = type(model).__name__
        self.X = Table(train[0], "X_train"), Table(holdout[0], "X_holdout")
        y = [_labels(part, name) for part, name in zip((train[1], holdout[1]), _Y, strict=True)]
        for table, labels in zip(self.X, y, strict=True):
            if table.n_rows != len(labels):
                message = f"`{table.name}` has {table.n_rows} rows and {len(labels)} labels"
                _unfit(message)
        self.y_parts = train[1], holdout[1]
        self.y: list[Any] = y[0] + y[1]
        self.n_train = self.X[0].n_rows
        self.n_rows = len(self.y)
        people = _people(subject, self.X)
        if units is None:
            units = _references.hashed(self._records(people), seed)
        elif len(units) != self.n_rows:
            _unfit("the treatments have different numbers of rows")
        self.plan = _references.plan(units, self.n_train, by_subject=people is not None)
        self._count_units(people is not None)
        self.is_regression = self._is_regression()
        self.asked = [*self.plan.scored, *self.plan.population]
        # Equal units may stand for other content: a person's, or another treatment's.
        content = b"".join(_references.hashed(self._records(None), seed))
        self.data_key = _references.data_key(units, [*self.asked, *self.plan.always], content)

    def _records(self, people: list[Any] | None) -> list[bytes]:
        """Give what each row's coins hang on: its person, or its content and label."""
        if people is not None:
            return [repr(person).encode("utf-8", "surrogatepass") for person in people]
        content = [record for table in self.X for record in table.records()]
        return [
            record + b"|" + repr(label).encode("utf-8", "surrogatepass")
            for record, label in zip(content, self.y, strict=True)
        ]

    def votes(self) -> int | None:
        return _references.votes_of(self.model) if self.predict_model is None else None

    def target(self) -> Says:
        return self._says(self.model, "the model")

    def train(self, reference: int) -> Says:
        rows = self.plan.rows(reference)
        features, labels = self._take(rows), self._take_labels(rows)
        if self.train_model is not None:
            train = self.train_model
            model = _references.guarded("`train`", lambda: train(features, labels))
        else:
            model = _references.guarded(
                "cloning the model", lambda: _references.cloned(self.model, self.seed, reference)
            )
            _references.guarded("fitting a reference", lambda: model.fit(features, labels))
        return self._says(model, "a reference")

    def key(self, reference: int) -> dict[str, Any]:
        described = None if self.train_model is not None else _references.described(self.model)
        return {
            "version": _CACHE_VERSION,
            "data": self.data_key,
            "seed": self.seed,
            "reference": reference,
            "model": described,
        }

    def places(self) -> list[tuple[str, int]]:
        n = self.n_train
        return [("train", row) if row < n else ("holdout", row - n) for row in self.plan.scored]

    def column(self, name: str) -> list[Any]:
        parts = [table.columns() for table in self.X]
        if any(part is None or name not in part for part in parts):
            _misused("no such column in both tables; pass a group for each scored record")
        whole = [value for part in parts if part is not None for value in part[name]]
        return [whole[row] for row in self.plan.scored]

    def training_column(self, name: str) -> list[Any]:
        return _named(self.X[0], name)

    def rare_columns(self) -> dict[int, str]:
        columns = self.X[0].columns()
        return {} if columns is None else _rare(columns)

    def features(self) -> Any:
        numpy: Any = importlib.import_module("numpy")
        inside = [row for row in self.asked if row < self.n_train]
        outside = [row - self.n_train for row in self.asked if row >= self.n_train]
        parts = [table.numbers(rows) for table, rows in zip(self.X, (inside, outside), strict=True)]
        if any(part is None for part in parts) or parts[0].shape[1] != parts[1].shape[1]:
            return None
        # Training rows come first in what is asked. A record is told by its label too, where labels
        # are few.
        classes = [] if self.is_regression else _classes_of_labels(self.y)[1:]
        labels = [self.y[row] for row in self.asked]
        ones = [
            numpy.array([label == other for label in labels], dtype="f8")
            for other in (classes if len(classes) < _CLASSES_MAX else [])
        ]
        return numpy.column_stack([numpy.concatenate(parts), *ones])

    def _take(self, rows: Sequence[int]) -> Any:
        return _taken(self.X[0], self.X[1], rows, self.n_train)

    def _take_labels(self, rows: Sequence[int]) -> Any:
        parts = [Table(part, name) for part, name in zip(self.y_parts, _Y, strict=True)]
        return _taken(parts[0], parts[1], rows, self.n_train)

    def _is_regression(self) -> bool:
        if self.predict_model is not None:
            return False
        if hasattr(self.model, "predict_proba") or hasattr(self.model, "decision_function"):
            return False
        if not hasattr(self.model, "predict"):
            _misused("the model has no `predict_proba` and no `predict`; pass `predict`")
        tags = getattr(self.model, "__sklearn_tags__", None)
        kind = getattr(self.model, "_estimator_type", None)
        kind = kind or (getattr(tags(), "estimator_type", None) if tags is not None else None)
        if kind == "classifier":
            _misused(
                "the model gives labels and no confidences, of which little can be told; pass "
                "`predict` for another look at it"
            )
        return True

    def _says(self, model: Any, what: str) -> Says:
        features = self._take(self.asked)
        labels = [self.y[row] for row in self.asked]
        if self.predict_model is not None:
            predict = self.predict_model
            told = _references.guarded("`predict`", lambda: predict(model, features))
            return _said(told, labels, _classes_of_labels(self.y))
        if self.is_regression:
            told = _references.guarded(f"{what}'s `predict`", lambda: model.predict(features))
            return _references.said_of_numbers(told, labels)
        if hasattr(model, "predict_proba"):
            call = model.predict_proba
            told = _references.guarded(f"{what}'s `predict_proba`", lambda: call(features))
        else:
            call = model.decision_function
            told = _references.guarded(f"{what}'s `decision_function`", lambda: call(features))
            told = _softened(told)
        if isinstance(told, list):
            _unfit("the model predicts several things at once; measure each on its own")
        known = getattr(model, "classes_", None)
        classes = _classes_of_labels(self.y) if known is None else _plain(known)
        return _said(told, labels, classes)


class OwnTask(Task):
    """One table, of which fair coins decide what a target of our own is trained on."""

    has_sides = False

    def __init__(
        self,
        data: Any,
        label: str | None,
        subject: Any,
        train: Callable[..., Any],
        predict: Callable[..., Any],
        seed: int,
    ) -> None:
        super().__init__()
        self.name = "model"
        self.seed = seed
        self.train_model, self.predict_model = train, predict
        self.table = Table(data, "data")
        if label is None:
            _misused("`label` names the column of `data` that is predicted")
        columns = self.table.columns()
        if columns is None or label not in columns:
            _unfit("`data` has no column of the name that `label` gives")
        self.labels = _labels(columns[label], "label")
        people = _people(subject, (self.table,))
        if people is not None:
            records = [repr(person).encode("utf-8", "surrogatepass") for person in people]
        else:
            records = list(self.table.records())
        units = _references.hashed(records, seed)
        self.plan = _references.plan_by_coins(units)
        self._count_units(people is not None)
        self.asked = [*self.plan.scored, *self.plan.population]
        self.data_key = _references.data_key(units, self.asked, label.encode())
        self._target: Says | None = None

    def target(self) -> Says:
        if self._target is None:
            rows = [
                row
                for row, inside in zip(self.plan.scored, self.plan.members, strict=True)
                if inside
            ]
            rows.sort(key=lambda row: (self.plan.units[row], row))
            self._target = self._trained(rows)
        return self._target

    def train(self, reference: int) -> Says:
        return self._trained(self.plan.rows(reference))

    def key(self, reference: int) -> dict[str, Any]:
        return {
            "version": _CACHE_VERSION,
            "data": self.data_key,
            "seed": self.seed,
            "reference": reference,
            "model": None,
        }

    def places(self) -> list[tuple[str, int]]:
        return [("data", row) for row in self.plan.scored]

    def column(self, name: str) -> list[Any]:
        columns = self.table.columns()
        if columns is None or name not in columns:
            _misused("no such column; pass a group for each scored record")
        return [columns[name][row] for row in self.plan.scored]

    def training_column(self, name: str) -> list[Any]:
        return _named(self.table, name)

    def rare_columns(self) -> dict[int, str]:
        columns = self.table.columns()
        return {} if columns is None else _rare(columns)

    def _trained(self, rows: list[int]) -> Says:
        part = self.table.take(rows)
        model = _references.guarded("`train`", lambda: self.train_model(part))
        asked = self.table.take(self.asked)
        told = _references.guarded("`predict`", lambda: self.predict_model(model, asked))
        labels = [self.labels[row] for row in self.asked]
        return _said(told, labels, _classes_of_labels(self.labels))


def _said(told: Any, labels: list[Any], classes: list[Any]) -> Says:
    """Turn probabilities, or confidences in the true class, into signals."""
    numpy: Any = importlib.import_module("numpy")
    if hasattr(told, "detach"):
        told = told.detach().cpu()
    table = _references.guarded("reading the probabilities", lambda: numpy.asarray(told, "f8"))
    if table.shape[:1] != (len(labels),) or table.ndim > _PAIR:
        message = f"probabilities are of shape {table.shape}, for {len(labels)} rows"
        _unfit(message)
    if table.ndim == 1:
        outside = numpy.isfinite(table) & ((table < 0) | (table > 1))
        if outside.any():
            _unfit("a confidence must lie in [0, 1]; `predict` gives something else")
        both = numpy.stack([table, 1 - table], axis=1)
        says = _references.said_of_classes(both, numpy.zeros(len(labels), dtype="i8"))
        # Of the other classes nothing is known.
        return says._replace(entropy=numpy.full(len(labels), numpy.nan))
    if table.shape[1] != len(classes):
        message = f"probabilities are of {table.shape[1]} classes, the labels of {len(classes)}"
        _unfit(message)
    if (table < 0).any() or (table > 1 + 1e-6).any():
        _unfit("probabilities must lie in [0, 1]; `predict` gives something else")
    at = {label: place for place, label in enumerate(classes)}
    places = numpy.array([at.get(label, -1) for label in labels])
    return _references.said_of_classes(table, places)


def _softened(margins: Any) -> Any:
    """Turn margins into probabilities: of two classes by the logistic law, of more by softmax."""
    numpy: Any = importlib.import_module("numpy")
    margins = numpy.asarray(margins, dtype="f8")
    if margins.ndim == 1:
        second = 1 / (1 + numpy.exp(-margins))
        return numpy.stack([1 - second, second], axis=1)
    powers = numpy.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _labels(labels: Any, name: str) -> list[Any]:
    """Give labels as Python's own objects; none may be missing."""
    if labels is None:
        _unfit(f"`{name}` is missing; an attacker who knows the label is the one to fear")
    told = _plain(labels)
    if any(label is None or label != label for label in told):
        _unfit(f"`{name}` has rows without a label; leave them out on both sides")
    return told


def _plain(values: Any) -> list[Any]:
    """Give Python's own objects, one for each row; a column of one is one."""
    listed = getattr(values, "tolist", None) or getattr(values, "to_list", None)
    listed = listed or getattr(values, "to_pylist", None)
    told = cast("list[Any]", listed() if listed is not None else list(values))
    if any(isinstance(value, list) for value in told):
        if any(not isinstance(value, list) or len(cast("list[Any]", value)) != 1 for value in told):
            _unfit("labels must be one for each row")
        told = [value[0] for value in told]
    return told


def _classes_of_labels(labels: list[Any]) -> list[Any]:
    try:
        return sorted(set(labels))
    except TypeError:
        _unfit("labels must be of one kind, which can be sorted")


def _people(subject: Any, tables: Sequence[Table]) -> list[Any] | None:
    if subject is None:
        return None
    if isinstance(subject, str):
        parts = [table.columns() for table in tables]
        if any(part is None or subject not in part for part in parts):
            _unfit("the tables have no column of the name that `subject` gives")
        return [value for part in parts if part is not None for value in part[subject]]
    people = _plain(subject)
    if len(people) != sum(table.n_rows for table in tables):
        message = f"`subject` has {len(people)} people for {sum(t.n_rows for t in tables)} rows"
        _unfit(message)
    return people


def numbered(people: Sequence[object]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(person, len(numbers)) for person in _plain(people)]


def _taken(first: Table, second: Table, rows: Sequence[int], n_first: int) -> Any:
    """Give rows of two tables, in the order that is asked for."""
    inside = [row for row in rows if row < n_first]
    outside = [row - n_first for row in rows if row >= n_first]
    if not outside:
        return first.take(inside)
    if not inside:
        return second.take(outside)
    parts = _references.joined(first.take(inside), second.take(outside))
    places: dict[bool, int] = {True: 0, False: len(inside)}
    order: list[int] = []
    for row in rows:
        order.append(places[row < n_first])
        places[row < n_first] += 1
    return Table(parts, first.name).take(order)


def _named(table: Table, name: str) -> list[Any]:
    columns = table.columns()
    if columns is None or name not in columns:
        _misused(
            "the training table has no column of the name that `anchor` gives; pass its `dates`"
        )
    return columns[name]


def _rare(columns: dict[str, list[Any]]) -> dict[int, str]:
    """Name, for each row that has one, a column whose value is rare."""
    rare: dict[int, str] = {}
    for name, values in columns.items():
        counts: dict[object, int] = {}
        with contextlib.suppress(TypeError):
            for value in values:
                counts[value] = counts.get(value, 0) + 1
        if not counts or len(counts) > len(values) / 20:
            continue
        for row, value in enumerate(values):
            if counts[value] < _RARE:
                rare.setdefault(row, name)
    return rare


def _day(value: Any) -> dt.date | None:
    """Read a date, a time, or ISO 8601; none of what is missing or is none."""
    if isinstance(value, dt.datetime):
        # A missing time of pandas is one, and has no date.
        return value.date() if value == value else None
    if isinstance(value, dt.date):
        return value
    if hasattr(value, "astype"):
        value = str(value.astype("datetime64[D]"))
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return dt.date.fromisoformat(value.strip()[:10])
    return None


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _at_least(hits: int, of: int, hits_rest: int, of_rest: int) -> float:
    """Give the probability of at least so many hits, were all rows alike (Fisher's exact test)."""

    def ln_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    every, hit = of + of_rest, hits + hits_rest
    tables = (
        math.exp(ln_choose(of, k) + ln_choose(of_rest, hit - k) - ln_choose(every, hit))
        for k in range(hits, min(of, hit) + 1)
        if hit - k <= of_rest
    )
    return min(1.0, sum(tables))


def now() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    seconds = int(epoch) if epoch is not None and epoch.isdigit() else int(time.time())
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unfit(message: str) -> NoReturn:
    # What went before may quote data.
    raise DataError(message, "ALO-D006", None, 3) from None


def _misused(message: str) -> NoReturn:
    raise UsageError(message, "ALO-U010", None, 2) from None


_Y = ("y_train", "y_holdout")
_PAIR = 2
_RARE = 10
_CLASSES_MAX = 10
_SIDE_MIN = 10
_GAP = 0.1
"""Accuracies this far apart are no chance in a few hundred records."""
_SURE_OF_ANOTHER = -3.0
"""Logit of models that have not seen the record: they give its label less than one in twenty."""
_CACHE_VERSION = 2
