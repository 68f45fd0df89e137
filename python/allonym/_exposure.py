"""How much a model gives away about who was in its training data."""

from __future__ import annotations

import datetime as dt
import importlib
import itertools
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from allonym import _allonym, _html, _references
from allonym._references import Store
from allonym._signals import looks, packed
from allonym._tasks import GivenTask, Measuring, OwnTask, Task, now, numbered
from allonym.exceptions import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from allonym._allonym import Roc, Scores
    from allonym._signals import Numbers
    from allonym._tasks import Action, Older


def exposure(
    model: Any = None,
    X_train: Any = None,
    y_train: Any = None,
    X_holdout: Any = None,
    y_holdout: Any = None,
    *,
    train: Callable[..., Any] | None = None,
    predict: Callable[..., Any] | None = None,
    data: Any = None,
    label: str | None = None,
    subject: Any = None,
    references: int = 8,
    seed: int = 0,
    fpr: float = 0.01,
    confidence: float = 0.95,
    prior: float = 0.5,
    budget: float | None = None,
    cache: bool | str | os.PathLike[str] = True,
    cache_key: str | None = None,
    progress: bool | Callable[[int, int], None] | None = None,
    votes: int | None = None,
) -> Exposure:
    """Measure how well an attacker tells a model's training records from others.

    References, models of the same kind, are trained on halves of the records by keyed coins; each is
    of the target's training size. Attacks compare what the target and the references say.

    Parameters
    ----------
    model
        A fitted classifier or regressor in the manner of scikit-learn: ``predict_proba`` (or
        ``predict``), ``get_params``. References are clones of it. With ``train`` and ``predict`` any
        object will do.
    X_train, y_train
        What the model was trained on, row by row: arrays, frames, sparse matrices or lists.
    X_holdout, y_holdout
        Rows it was not trained on, of the same source and time.
    train
        For other frameworks: ``train(X, y)`` gives a new model; with ``data``, ``train(rows)``.
    predict
        ``predict(model, X)`` gives probabilities (rows x classes), or confidences in the true class
        (one for each row); with ``data``, ``predict(model, rows)``.
    data
        Instead of ``model`` and its two tables: one frame, of which fair coins decide what a target
        of our own is trained on. Only so can a lower bound of epsilon be proven.
    label
        Column of ``data`` that is predicted.
    subject
        Whose each row is: a column's name, or the people of the training rows and then of the
        holdout. One person's rows stay together, and intervals are of people.
    references
        How many; 0 runs only attacks that need none, which are weak.
    seed
        Of masks and models: the same seed and data give the same numbers.
    fpr
        Rate of false alarms that the attack is chosen by and the verdict speaks of.
    confidence
        Of every interval.
    prior
        Share of members among the people an attacker tests, for what a flag is worth.
    budget
        Seconds for training references; what is trained by then is used, and the rest later.
    cache
        Where signals of references are kept: ``True`` is the user's cache folder, ``False`` nowhere.
        Files hold confidences, and no record.
    cache_key
        With ``train``: names its code, so that its references can be kept on disk.
    progress
        ``True``, ``False``, or a function of the references done and wanted; by default a line
        where somebody looks.
    votes
        Trees (or neighbours) whose votes the confidences are shares of; known of scikit-learn's.

    Returns
    -------
    Exposure
        The report, in a notebook as HTML. ``references += 8`` on it trains more.

    Raises
    ------
    DataError
        Tables that do not fit, labels missing, nobody to compare with, a person on both sides, a
        model that fails.
    UsageError
        Arguments that do not go together.

    Notes
    -----
    What is not found may still be there. Attacks and metrics: ``allonym.attacks`` and
    ``allonym.metrics``.
    """
    options = _options(fpr=fpr, confidence=confidence, prior=prior, seed=seed)
    _references.checked_references(references)
    if data is not None:
        if model is not None or X_train is not None or train is None or predict is None:
            _misused("`data` goes with `train`, `predict` and `label`, and with no model")
        task: Task = OwnTask(data, label, subject, train, predict, seed)
        # Without a target there is nothing to look at, and the target is the first model trained.
        options["coins"] = True
    else:
        if model is None or X_train is None or X_holdout is None:
            _misused("pass `model, X_train, y_train, X_holdout, y_holdout`, or `data`")
        if (train is None) != (predict is None):
            _misused("`train` and `predict` go together")
        task = GivenTask(
            model, (X_train, y_train), (X_holdout, y_holdout), subject, (train, predict), seed
        )
    options["logit_limit"] = _references.limit_of(votes or task.votes())
    measuring = Measuring(
        task,
        Store(_references.cache_folder(cache)),
        options,
        budget=budget,
        progress=progress,
        cache_key=cache_key,
    )
    return Exposure(*measuring.measure(references))


def exposure_from_signals(
    target: Numbers | str | os.PathLike[str],
    references: Numbers | None = None,
    members: Numbers | None = None,
    *,
    target_members: Numbers | None = None,
    population: Numbers | None = None,
    population_references: Numbers | None = None,
    signal: str = "conf",
    subject: Sequence[object] | None = None,
    target_row: int = 0,
    fpr: float = 0.01,
    confidence: float = 0.95,
    prior: float = 0.5,
    coins: bool = False,
    votes: int | None = None,
    model: str | None = None,
) -> Exposure:
    """Measure exposure from what models said, without any model.

    Parameters
    ----------
    target
        The target's signals, N numbers; or the path of an ``.npz`` archive (or a folder of ``.npy``
        files) with ``conf`` and/or ``logit`` and ``members`` of models x records, and perhaps
        ``pop_conf`` of models x population, ``gap`` and ``entropy`` of models x records, ``features``
        and ``pop_features`` with a row for each record; or of a Parquet or Arrow IPC file with a row for each
        record and, in those columns, lists of one number for each model (a folder with such files
        ``records`` and ``population`` for both).
    references
        The references' signals, K x N.
    members
        Whether each reference was trained on each record, K x N truth values.
    target_members
        Whether the target was, N truth values.
    population, population_references
        Signals of the target (Z) and the references (K x Z) in records that no model was trained
        on.
    signal
        ``"conf"`` for probabilities of the true class, ``"logit"`` for
        ``log p - log(sum of the others)``.
    subject
        Whose each record is.
    target_row
        Which of the models of a file is the target.
    fpr, confidence, prior, votes
        As for :func:`exposure`.
    coins
        Whether fair, independent coins decided which records the target was trained on.
    model
        What the report calls the model.

    Returns
    -------
    Exposure
        As from :func:`exposure`; more references cannot be trained.

    Raises
    ------
    DataError
        Shapes that do not fit, masks that are all in or all out, fewer than two references,
        confidences outside of [0, 1], nobody on one side.
    """
    options = _options(fpr=fpr, confidence=confidence, prior=prior, seed=0)
    options.update(coins=coins, logit_limit=_references.limit_of(votes))
    if subject is not None:
        options["subjects"] = numbered(subject)
        options["unit"] = "people"
    context = json.dumps({"model": model, "measured_at": now()})
    if isinstance(target, (str, os.PathLike)):
        path = Path(cast("str | os.PathLike[str]", target))
        core = _allonym.measure_file(path, target=target_row, context=context, options=options)
        return Exposure(core, None)
    if signal not in {"conf", "logit"}:
        _misused('`signal` must be one of "conf", "logit"')
    if target_members is None:
        _misused("`target_members` says which records the target was trained on")
    if (references is None) != (members is None):
        _misused("`references` and `members` go together")
    numpy: Any = importlib.import_module("numpy")
    signals = _stacked(numpy, target, references, "references")
    masks = _stacked(numpy, target_members, members, "members")
    if masks.dtype.kind in "fc" or not ((masks == 0) | (masks == 1)).all():
        _unfit("`members` must hold truth values (or 0 and 1) and nothing else")
    others = None
    if population is not None:
        others = _stacked(numpy, population, population_references, "population_references")
        if signal == "logit":
            others = 1 / (1 + numpy.exp(-others))
    core = _allonym.measure_signals(
        packed(signals, "references") if signal == "conf" else None,
        packed(signals, "references") if signal == "logit" else None,
        packed(masks.astype(bool), "members"),
        None if others is None else packed(others, "population"),
        looks({}),
        target=0,
        context=context,
        options=options,
    )
    return Exposure(core, None)


class Exposure:
    """What was measured: counts, rates and rows, never a record.

    Numbers come with intervals; a rate that so few non-members cannot show has none. A notebook
    shows the report; ``print`` shows its summary. A pickle keeps the evidence, and not the models.
    """

    def __init__(self, core: _allonym.ExposureCore, measuring: Measuring | None) -> None:
        self._core: _allonym.ExposureCore | None = core
        self._measuring = measuring
        self._json = core.to_json()
        self._said: dict[str, Any] = json.loads(self._json)

    @property
    def found(self) -> str:
        """``"leak"``, ``"none_found"`` or ``"not_resolvable"``."""
        return self._said["told"]["found"]

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        return self._said["told"]["sentence"]

    @property
    def attack(self) -> str:
        """The attack that was chosen, on references and not on the target."""
        return self._said["told"]["attack"]

    @property
    def auc(self) -> float:
        """Area under the chosen attack's curve."""
        return self._said["curve"]["auc"]

    @property
    def utility(self) -> dict[str, Any]:
        """How well the models work: ``metric``, ``train``, ``holdout``, ``references_out``."""
        return dict(self._said["context"]["utility"] or {})

    @property
    def not_tested(self) -> list[str]:
        """What the measurement says nothing about."""
        return list(self._said["told"]["not_tested"])

    @property
    def references(self) -> int:
        """Number of reference models; raise it to train more."""
        return self._said["method"]["references"]

    @references.setter
    def references(self, count: int) -> None:
        if self._measuring is None:
            _misused("only a measurement that trained its references can train more")
        if count < self.references:
            _misused("references are added, not taken away")
        _references.checked_references(count)
        self._take(*self._measuring.measure(count))

    @property
    def rows(self) -> list[tuple[str, int]]:
        """The scored rows: ``"train"`` or ``"holdout"``, and the row there."""
        if self._measuring is None:
            _misused("rows are those of the signals")
        return self._measuring.task.places()

    def tpr_at(self, fpr: float) -> _allonym.TprAt:
        """Tell how many members the chosen attack recognises at so few false alarms."""
        return self.roc().tpr_at(fpr)

    def roc(self) -> Roc:
        """Give the chosen attack's curve."""
        return self._asked().roc()

    def scores(self) -> Scores:
        """Give the chosen attack's score of each scored record, in their order."""
        return self._asked().scores()

    @property
    def confidence(self) -> float:
        """Of every interval."""
        return self._said["method"]["confidence"]

    def right(self) -> Any:
        """Give, for each scored holdout row, 1 where the target is right (or its squared error)."""
        if self._measuring is None:
            _misused("signals do not say where a model is right")
        return self._measuring.right

    def signals(self) -> dict[str, Any]:
        """Give what all models said, as arrays of models x records, the target first.

        ``numpy.savez(path, **report.signals())`` makes the file that ``allonym exposure`` and
        :func:`exposure_from_signals` read. It holds confidences, and no record.
        """
        if self._measuring is None:
            _misused("the signals are those that were given")
        return dict(self._measuring.signals)

    def records(self, top: int = 50) -> list[dict[str, Any]]:
        """Give the most exposed training rows by position, at most 50.

        Each has ``row``, ``n_in`` and ``n_out`` (references with and without it),
        ``likelihood_ratio``, ``separation``, ``posterior``, ``recognised`` (share of the models
        trained on it that give it away, with its interval), ``percentile`` and ``flags``. Below 16
        references on each side the order is a hint.
        """
        told = self._said["records"]
        return [] if told is None else list(told["worst"][:top])

    def by(self, column: str | Sequence[object], name: str | None = None) -> list[dict[str, Any]]:
        """Compare groups of people: who is recognised more than the rest.

        Parameters
        ----------
        column
            A column of the frames that were measured, or a group for each scored record. Numbers of
            more than twenty kinds become five bins.
        name
            What the report calls it.

        Returns
        -------
        list of dict
            The groups with at least ten members and ten non-members, the most exposed first:
            ``name``, ``n_members``, ``n_non_members``, ``auc``, ``tpr``, ``tpr_rest``,
            ``p_corrected`` (Holm). The report shows them from now on. Smaller groups are counted and
            not told.
        """
        core = self._asked()
        if isinstance(column, str):
            if self._measuring is None:
                _misused("signals have no columns; pass a group for each record")
            values = self._measuring.task.column(column)
            name = name or column
        else:
            values = list(column)
        names, of = _grouped(values)
        core.by(name or "group", of, names)
        self._json = core.to_json()
        self._said = json.loads(self._json)
        found = next(told for told in self._said["groups"] if told["by"] == (name or "group"))
        return list(found["groups"])

    def gate(self, *, auc: float | None = None, tpr_at: dict[float, float] | None = None) -> Gate:
        """Judge by limits: the highest area, and the highest rates at rates of false alarms.

        Undecided, where an interval spans its limit or a rate cannot be seen, is no pass.

        >>> report.gate(auc=0.6, tpr_at={0.001: 0.01}).ok  # doctest: +SKIP
        True
        """
        limits = list((tpr_at or {}).items())
        return Gate(*_allonym.gate_exposure(self._json, auc, limits))

    def mitigate(
        self,
        *,
        top: float = 0.05,
        anchor: str | None = None,
        dates: Sequence[object] | None = None,
        as_of: dt.date | None = None,
    ) -> Mitigation:
        """Say what to do about the most exposed training rows.

        Parameters
        ----------
        top
            Share of the scored training rows to act on.
        anchor
            The column of dates that a period of retention is counted from.
        dates
            Its dates (ISO 8601, or Python's, pandas' or NumPy's own), one for each training row, where
            the measured frames lack the column.
        as_of
            The day that ages are told on; today when left out (``SOURCE_DATE_EPOCH``, else the
            clock).

        Returns
        -------
        Mitigation
            With an ``anchor``, and where the most exposed rows are older than the others by more than
            chance would have it, ``shorten_retention`` says so with numbers, and :meth:`~Mitigation.to_toml`
            drafts the ``[retention]`` that would let them go. An action for each row, by position: ``deduplicate`` what occurs several times,
            ``check_label`` where models that have not seen the row are sure of another label,
            ``generalize`` where a value of a column is rare, else ``drop``. ``train`` again without
            them and measure again: removing the most exposed exposes the next
            (arXiv 2206.10469).
        """
        if self._measuring is None:
            _misused("signals have no rows to act on; see `records`")
        if not 0 < top <= 1:
            _misused("`top` must be above 0 and at most 1")
        actions = self._measuring.mitigation(top)
        if anchor is None:
            if dates is not None:
                _misused("`dates` are of the column that `anchor` names")
            return Mitigation(actions)
        dates = self._measuring.task.training_column(anchor) if dates is None else _listed(dates)
        if len(dates) != self._measuring.task.plan.n_train:
            message = (
                f"`dates` are {len(dates)}, the training rows {self._measuring.task.plan.n_train}"
            )
            _unfit(message)
        day = dt.date.fromisoformat(now()[:10]) if as_of is None else as_of
        return Mitigation(actions, anchor, self._measuring.older(actions, dates, day))

    def summary(self) -> str:
        """Give what was found and what was not tested, in words."""
        return _allonym.render_exposure(self._json, "text")

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give the evidence, schema ``allonym.exposure/1``; write it to a path if there is one."""
        return _written(self._json, path)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give the report as one page without scripts or requests; write it to a path if any."""
        return _written(_allonym.render_exposure(self._json, "html"), path)

    def to_polars(self, what: str = "attacks") -> pl.DataFrame:
        """Give a polars frame of ``"attacks"``, ``"records"`` or ``"groups"``."""
        import polars as pl

        if what == "attacks":
            rows = [_flat_attack(attack) for attack in self._said["attacks"]]
            return pl.DataFrame(rows, infer_schema_length=None)
        if what == "records":
            return pl.DataFrame([_flattened(told) for told in self.records()])
        if what == "groups":
            told = [
                {"by": groups["by"], **_flattened(group)}
                for groups in self._said["groups"]
                for group in groups["groups"]
            ]
            return pl.DataFrame(told)
        return _misused('`what` must be one of "attacks", "records", "groups"')

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return _allonym.render_exposure(self._json, "fragment")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __getstate__(self) -> str:
        return self._json

    def __setstate__(self, state: str) -> None:
        self._core = None
        self._measuring = None
        self._json = state
        self._said = json.loads(state)

    @property
    def core(self) -> _allonym.ExposureCore:
        """The measurement itself; lost in a pickle."""
        return self._asked()

    def _asked(self) -> _allonym.ExposureCore:
        if self._core is None:
            _misused("a report that was pickled has its numbers, and not its scores")
        return self._core

    def _take(self, core: _allonym.ExposureCore, measuring: Measuring) -> None:
        self._core = core
        self._measuring = measuring
        self._json = core.to_json()
        self._said = json.loads(self._json)


@dataclass(frozen=True)
class Gate:
    """What limits say: ``decision`` is ``"pass"``, ``"fail"`` or ``"undecided"``."""

    decision: str
    exit_code: int
    """0, 1 or 7, as of ``allonym exposure gate``."""
    sentence: str
    records_factor: int | None
    """About how many times as many records would decide it."""

    @property
    def ok(self) -> bool:
        """Whether every interval lies under its limit; undecided is not."""
        return self.decision == "pass"

    def __bool__(self) -> bool:
        _misused("a gate has three answers: use `.ok` or `.decision`")


class Comparison:
    """Two measurements of the same records, before and after."""

    def __init__(self, told: str, text: str) -> None:
        self._json = told
        self._text = text
        self._said: dict[str, Any] = json.loads(told)

    @property
    def found(self) -> str:
        """``"less"``, ``"more"`` or ``"undecided"``: what is given away after."""
        return self._said["found"]

    @property
    def auc_difference(self) -> dict[str, float]:
        """After less before: ``value``, ``low``, ``high``."""
        return dict(self._said["auc_difference"])

    @property
    def tpr_difference(self) -> dict[str, float | None]:
        """The same of members recognised; ``None`` where that is not resolvable."""
        return dict(self._said["tpr_difference"])

    def to_json(self) -> str:
        """Give the evidence, schema ``allonym.exposure-comparison/1``."""
        return self._json

    def __repr__(self) -> str:
        return self._text


def compare(before: Exposure, after: Exposure) -> Comparison:
    """Compare two measurements of the same records with the same members.

    Parameters
    ----------
    before, after
        Measurements with the same ``seed`` and rows: of the model before and after a mitigation, or
        of two treatments of the data. Each counts by its own chosen attack.

    Returns
    -------
    Comparison
        Differences with intervals (DeLong's paired test for the area, McNemar's for the rate).

    Raises
    ------
    DataError
        Measurements of other records.
    """
    return Comparison(*before.core.compare(after.core))


def exposure_by_treatment(
    model: Any,
    treatments: dict[str, tuple[Any, Any]],
    y_train: Any,
    y_holdout: Any,
    *,
    references: int = 8,
    seed: int = 0,
    fpr: float = 0.01,
    confidence: float = 0.95,
    cache: bool | str | os.PathLike[str] = True,
    progress: bool | Callable[[int, int], None] | None = None,
) -> Treatments:
    """Measure what each treatment of the data changes: exposure beside usefulness.

    Parameters
    ----------
    model
        An estimator in the manner of scikit-learn; a copy of it is fitted to each treatment.
    treatments
        By name, the training and the holdout rows: columns raw, tokenized, generalized, dropped.
        The rows are the same people in the same order; the first treatment is what the others are
        compared with, and its rows decide all masks.
    y_train, y_holdout
        Labels, the same for all.
    references, seed, fpr, confidence, cache, progress
        As for :func:`exposure`.

    Returns
    -------
    Treatments
        Change of exposure with its interval, beside change of accuracy with its interval.

    Raises
    ------
    DataError
        As :func:`exposure`, and treatments with another number of rows.
    """
    if not treatments:
        _misused("`treatments` names at least one pair of tables")
    options = _options(fpr=fpr, confidence=confidence, prior=0.5, seed=seed)
    _references.checked_references(references)
    options["logit_limit"] = _references.limit_of(_references.votes_of(model))
    store = Store(_references.cache_folder(cache))
    units: list[bytes] | None = None
    reports: dict[str, Exposure] = {}
    for name, (train, holdout) in treatments.items():
        copy = _references.guarded(
            "cloning the model", lambda: _references.cloned(model, seed, _TARGET)
        )
        _references.guarded("fitting the model", lambda c=copy, t=train: c.fit(t, y_train))
        task = GivenTask(
            copy, (train, y_train), (holdout, y_holdout), None, (None, None), seed, units
        )
        units = task.plan.units
        measuring = Measuring(task, store, options, budget=None, progress=progress, cache_key=None)
        reports[name] = Exposure(*measuring.measure(references))
    return Treatments(reports)


class Treatments:
    """Treatments of the same rows, side by side; the first is what the others are compared with."""

    def __init__(self, reports: dict[str, Exposure]) -> None:
        self.reports = reports
        """The whole report of each."""
        first = next(iter(reports.values()))
        self.rows: list[dict[str, Any]] = []
        for name, report in reports.items():
            told = compare(first, report)
            self.rows.append(
                {
                    "treatment": name,
                    "auc": report.auc,
                    "auc_difference": told.auc_difference,
                    "tpr_difference": told.tpr_difference,
                    "found": told.found if report is not first else "",
                    "utility": report.utility["holdout"],
                    "utility_difference": _paired(first, report),
                }
            )

    def to_polars(self) -> pl.DataFrame:
        """Give a polars frame with one row for each treatment."""
        import polars as pl

        return pl.DataFrame([_flattened(row) for row in self.rows])

    def __repr__(self) -> str:
        return _html.text(_CAPTION, _TREATMENTS, self._cells(), _NOTE)

    def _repr_html_(self) -> str:
        return _html.page(_CAPTION, _TREATMENTS, self._cells(), _NOTE)

    def _cells(self) -> list[list[str]]:
        def change(ends: dict[str, Any]) -> str:
            if ends["value"] is None or ends["low"] is None:
                return "–"
            return f"{ends['value']:+.3f} ({ends['low']:+.3f} to {ends['high']:+.3f})"

        return [
            [
                row["treatment"],
                f"{row['auc']:.3f}",
                change(row["auc_difference"]),
                change(row["tpr_difference"]),
                f"{row['utility']:.3f}",
                change(row["utility_difference"]),
            ]
            for row in self.rows
        ]


class Mitigation:
    """What to do about the most exposed training rows, by position."""

    def __init__(
        self, actions: list[Action], anchor: str | None = None, older: Older | None = None
    ) -> None:
        self.actions = actions
        self._anchor = anchor
        self._older = older

    @property
    def shorten_retention(self) -> dict[str, Any] | None:
        """Whether a shorter retention would let the most exposed rows go; none where dates do not matter.

        ``anchor``, ``duration`` (ISO 8601), ``n_older`` rows of which ``older_exposed`` are among the
        most exposed, ``n_younger`` and ``younger_exposed``, ``p_value`` (exact, corrected for the
        periods that were tried), ``sentence``.
        """
        if self._older is None:
            return None
        told = self._older
        share = 100 * told.older_exposed / told.n_older
        rest = 100 * told.younger_exposed / told.n_younger
        return {
            "anchor": self._anchor,
            "duration": f"P{told.years}Y",
            **{name: value for name, value in told._asdict().items() if name != "years"},
            "sentence": (
                f"Of {told.n_older:,} training rows older than {told.years} "
                f"year{'s' if told.years > 1 else ''}, {told.older_exposed:,} ({share:.1f} %) are among "
                f"the most exposed; of {told.n_younger:,} younger, {told.younger_exposed:,} "
                f"({rest:.1f} %)."
            ),
        }

    @property
    def drop_rows(self) -> list[int]:
        """Every row that is named, in the order of the table: what a drop would leave out."""
        return sorted(action.row for action in self.actions)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each action names."""
        told: dict[str, int] = {}
        for action in self.actions:
            told[action.action] = told.get(action.action, 0) + 1
        return told

    def to_toml(self) -> str:
        """Draft lines for a policy: columns with rare values to generalize, and a shorter retention."""
        columns = sorted({action.column for action in self.actions if action.column is not None})
        lines = [
            f"[columns.{json.dumps(column)}]\n# rare values single people out: generalize or drop"
            for column in columns
        ]
        shorter = self.shorten_retention
        if shorter is not None:
            lines.append(
                f"[retention.dataset]\n# {shorter['sentence']}\n"
                f"# a statutory floor, where there is one, goes into `retain_at_least`\n"
                f"anchor = {json.dumps(self._anchor)}\n"
                f'duration = "{shorter["duration"]}"\non_expiry = "drop_row"'
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {action}" for action, count in sorted(self.counts.items()))
        if self._older is not None:
            told += f", keep rows for {self._older.years} years at most"
        return f"Mitigation({told or 'nothing to do'}; measure again: the next become exposed)"


def _paired(first: Exposure, second: Exposure) -> dict[str, float]:
    """Give the change of usefulness on the scored holdout rows, with its normal interval."""
    import statistics

    numpy: Any = importlib.import_module("numpy")
    right = second.right() - first.right()
    confidence = second.confidence
    half = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    half *= float(right.std(ddof=1)) / math.sqrt(len(right)) if len(right) > 1 else numpy.nan
    value = float(right.mean())
    return {"value": value, "low": value - half, "high": value + half}


def _listed(values: Any) -> list[object]:
    listed = getattr(values, "tolist", None) or getattr(values, "to_list", None)
    # NumPy's own list of times is of bare numbers.
    if getattr(getattr(values, "dtype", None), "kind", "") == "M" or listed is None:
        return list(values)
    return cast("list[object]", listed())


def _grouped(values: list[Any]) -> tuple[list[str], list[int]]:
    """Give groups names and numbers; many numbers become five bins."""
    kinds: set[object] = set(values)
    numbers = [
        value
        for value in values
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    ]
    if len(kinds) > _KINDS_MAX and numbers:
        ordered = sorted(numbers)
        cuts = sorted({ordered[len(ordered) * part // 5] for part in range(1, 5)})
        names = [
            f"below {cuts[0]:g}",
            *(f"{low:g} to below {high:g}" for low, high in itertools.pairwise(cuts)),
            f"{cuts[-1]:g} and above",
            "missing",
        ]
        of = [
            sum(value >= cut for cut in cuts)
            if isinstance(value, (int, float)) and value == value
            else len(cuts) + 1
            for value in values
        ]
        return names, of
    numbered: dict[str, int] = {}
    of = [numbered.setdefault("missing" if v is None else str(v), len(numbered)) for v in values]
    return list(numbered), of


def _options(*, fpr: float, confidence: float, prior: float, seed: int) -> dict[str, Any]:
    for name, rate in (("fpr", fpr), ("confidence", confidence), ("prior", prior)):
        if not 0 < rate < 1:
            _misused(f"`{name}` must lie between 0 and 1")
    if seed < 0:
        _misused("`seed` must be at least 0")
    return {
        "fpr": fpr,
        "confidence": confidence,
        "prior": prior,
        "logit_limit": None,
        "subjects": None,
        "unit": "records",
        "coins": False,
        "rows": None,
        "worst_records": 50,
        "delta": 1e-5,
        "seed": seed,
    }


def _stacked(numpy: Any, first: Any, rest: Any, name: str) -> Any:
    """Put the target's row above those of the references."""
    one = numpy.asarray(first)
    if one.ndim != 1:
        _unfit(f"the target's signals have {one.ndim} axes; they must have 1")
    if rest is None:
        return one[None, :]
    many = numpy.asarray(rest)
    if many.ndim != _PAIR or many.shape[1] != len(one):
        message = f"`{name}` must be of references x {len(one)} records; it is of {many.shape}"
        _unfit(message)
    return numpy.concatenate([one[None, :], many])


def _flat_attack(attack: dict[str, Any]) -> dict[str, Any]:
    told = {key: attack[key] for key in ("name", "chosen", "worst", "dropped")}
    told.update({f"auc_{end}": number for end, number in attack["auc"].items()})
    for rate in attack["rates"]:
        told.update({f"tpr_at_{rate['fpr']:g}_{e}": n for e, n in rate["tpr"].items()})
    return told


def _flattened(told: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, dict):
            ends = cast("dict[str, Any]", value)
            flat.update({f"{key}_{end}": number for end, number in ends.items()})
        elif isinstance(value, list):
            flat[key] = ", ".join(str(item) for item in cast("list[object]", value))
        else:
            flat[key] = value
    return flat


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        aside = Path(f"{os.fspath(path)}.part")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    return text


def _unfit(message: str) -> NoReturn:
    # What went before may quote data.
    raise DataError(message, "ALO-D006", None, 3) from None


def _misused(message: str) -> NoReturn:
    raise UsageError(message, "ALO-U010", None, 2) from None


_PAIR = 2
_KINDS_MAX = 20
_TARGET = -1
"""Number of the target among the seeds of models; references count from 0."""
_CAPTION = "Exposure by treatment, compared with the first"
_TREATMENTS = ("treatment", "AUC", "change of AUC", "change of rate", "accuracy", "change")
_NOTE = "In brackets: intervals. Less exposure is a negative change; the attack is each one's own."
