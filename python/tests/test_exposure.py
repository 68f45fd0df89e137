"""The one line: a fitted model, its training data, a holdout."""

import datetime as dt
import json
import pickle
import time

import allonym as al
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

CANARY = "zoe.muster@example.org"


def table(rows, seed=1, noise=0.3):
    chance = np.random.default_rng(seed)
    features = chance.normal(size=(rows, 6))
    labels = (features[:, 0] + features[:, 1] > 0) ^ (chance.random(rows) < noise)
    return features, labels.astype(int)


def fitted(model, rows=400):
    features, labels = table(2 * rows)
    model.fit(features[:rows], labels[:rows])
    return model, features[:rows], labels[:rows], features[rows:], labels[rows:]


@pytest.fixture(scope="module")
def forest():
    return fitted(RandomForestClassifier(20, random_state=0))


@pytest.fixture(scope="module")
def leak(forest, tmp_path_factory):
    return al.exposure(*forest, fpr=0.1, cache=tmp_path_factory.mktemp("cache"))


def test_a_forest_that_knows_its_rows_by_heart_leaks(leak):
    assert leak.found == "leak"
    assert leak.references == 8
    assert leak.auc > 0.8
    for words in ("Leak: at 1 false alarm in", "Attacker assumed:", "Not tested:"):
        assert words in leak.summary()
    # Three hundred non-members show no rate of one in a thousand.
    assert "not resolvable (needs 1,000 non-members)" in leak.summary()
    assert not leak.tpr_at(0.001).resolvable
    assert leak.tpr_at(0.1).value > 0.3
    assert any("weights" in line for line in leak.not_tested)


def test_the_report_is_one_page_without_a_record(leak, tmp_path):
    page = leak.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == page
    assert page.startswith("<!doctype html>")
    fragment = leak._repr_html_()
    assert fragment.startswith('<div class="allonym-page"')
    assert "<svg" in fragment
    for absent in ("<script", "http:", "https:", "NaN"):
        assert absent not in page
    evidence = json.loads(leak.to_json())
    assert evidence["schema"] == "allonym.exposure/1"
    assert evidence["context"]["model"] == "RandomForestClassifier"
    assert evidence["context"]["utility"]["train"] > evidence["context"]["utility"]["holdout"]
    assert leak.to_polars().height == len(evidence["attacks"])
    assert leak.to_polars("records").height == 50


def test_a_simple_model_of_much_data_shows_nothing():
    report = al.exposure(*fitted(LogisticRegression(), 1500), cache=False, references=4)
    assert report.found == "none_found"
    assert "no proof that there is none" in report.verdict
    assert report.gate(auc=0.6).ok
    assert report.gate(auc=0.5).decision == "undecided"


def test_gates_have_three_answers(leak):
    assert (leak.gate(auc=0.6).decision, leak.gate(auc=0.6).exit_code) == ("fail", 1)
    assert leak.gate(auc=0.99, tpr_at={0.1: 0.99}).exit_code == 0
    undecided = leak.gate(tpr_at={0.001: 0.9})
    assert (undecided.exit_code, undecided.ok) == (7, False)
    assert undecided.records_factor > 1
    with pytest.raises(al.UsageError, match="three answers"):
        bool(undecided)
    with pytest.raises(al.UsageError, match="limit"):
        leak.gate()


def test_the_same_seed_gives_the_same_numbers_in_any_order_of_rows(forest, leak):
    model, features, labels, others, other_labels = forest
    again = al.exposure(*forest, fpr=0.1, cache=False)
    strip = {"measured_at": None}
    first, second = (json.loads(report.to_json()) for report in (leak, again))
    assert first["context"] | strip == second["context"] | strip
    assert first["attacks"] == second["attacks"]
    order = np.random.default_rng(0).permutation(len(features))
    mixed = al.exposure(
        model, features[order], labels[order], others, other_labels, fpr=0.1, cache=False
    )
    assert mixed.auc == leak.auc
    rows = [row["row"] for row in leak.records()]
    assert [order[row["row"]] for row in mixed.records()] == rows
    other = al.exposure(*forest, fpr=0.1, cache=False, seed=1)
    assert other.auc != leak.auc


def test_references_are_added_and_kept(forest, tmp_path):
    trained, kept = [], tmp_path / "cache"
    report = al.exposure(
        *forest, references=4, cache=kept, progress=lambda done, of: trained.append((done, of))
    )
    assert trained == [(1, 4), (2, 4), (3, 4), (4, 4)]
    files = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(files) == 4
    report.references += 2
    assert report.references == 6
    assert len(list(kept.iterdir())) == 6
    straight = al.exposure(*forest, references=6, cache=kept, progress=False)
    assert straight.auc == report.auc
    assert all(path.stat().st_mtime_ns == written for path, written in files.items())
    with pytest.raises(al.UsageError, match="not taken away"):
        report.references = 2
    # A file that was cut is made again.
    next(iter(files)).write_bytes(b"short")
    assert al.exposure(*forest, references=6, cache=kept, progress=False).auc == report.auc


def test_a_budget_ends_training_and_the_next_call_goes_on(forest, tmp_path):
    class Slow(RandomForestClassifier):
        def fit(self, features, labels):
            time.sleep(0.05)
            return super().fit(features, labels)

    slow = Slow(5, random_state=0).fit(forest[1], forest[2])
    report = al.exposure(slow, *forest[1:], references=20, budget=0.2, cache=tmp_path)
    assert 2 <= report.references < 20
    assert report.references % 2 == 0
    assert "the time was enough for" in report.summary()


def test_without_references_only_weak_attacks_are_run(forest):
    report = al.exposure(*forest, references=0, cache=False)
    assert report.references == 0
    assert "lower bound" in report.summary()
    alone = {"gap", "loss", "modified entropy", "population", "quantile regression"}
    assert set(report.to_polars()["name"]) == alone
    assert report.records() == []


def people(rows, seed=3):
    features, labels = table(rows, seed)
    chance = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "email": [f"{n}.{CANARY}" for n in range(rows)],
            "age": chance.integers(18, 90, rows),
            "region": chance.choice(["north", "south", "west"], rows),
            "x": features[:, 0],
        }
    ), pd.Series(np.where(labels == 1, "yes", "no"))


def frame_model():
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["region"]), ("passthrough", ["age", "x"])
    )
    return make_pipeline(encode, DecisionTreeClassifier(random_state=0))


@pytest.fixture(scope="module")
def framed():
    frame, labels = people(600)
    # One group is a person: it must not be told.
    frame.loc[0, "region"] = "attic-of-zoe"
    model = frame_model().fit(frame[:300], labels[:300])
    return al.exposure(
        model, frame[:300], labels[:300], frame[300:], labels[300:], cache=False, fpr=0.1
    )


def test_frames_pipelines_and_groups(framed):
    groups = framed.by("region")
    assert {group["name"] for group in groups} == {"north", "south", "west"}
    ages = framed.by("age")
    assert len(ages) == 5
    assert any(group["name"].startswith("below ") for group in ages)
    assert "Groups by age" in framed.to_html()
    assert framed.to_polars("groups").height == 8
    side = [part == "train" for part, _ in framed.rows]
    assert framed.by(side, "side") == []
    with pytest.raises(al.UsageError, match="no such column"):
        framed.by("zip")
    with pytest.raises(al.DataError, match="groups"):
        framed.by(["a"])


def test_nothing_that_is_kept_holds_a_record(framed):
    framed.by("region")
    for text in (
        framed.to_json(),
        framed.to_html(),
        framed.summary(),
        repr(framed.mitigate()),
        framed.mitigate().to_toml(),
        str(framed.records()),
        pickle.dumps(framed).decode("latin-1"),
    ):
        assert "zoe" not in text
        assert "example.org" not in text
    kept = pickle.loads(pickle.dumps(framed))
    assert kept.auc == framed.auc
    assert kept.summary() == framed.summary()
    with pytest.raises(al.UsageError, match="pickled"):
        kept.roc()


def test_polars_frames_and_lists_give_the_same_numbers():
    features, labels = table(200, noise=0.1)
    tree = DecisionTreeClassifier(random_state=0)
    whole = pl.DataFrame(features, schema=list("abcdef"))

    def measured(rows, answers):
        model = tree.fit(rows[:100], answers[:100])
        return al.exposure(
            model, rows[:100], answers[:100], rows[100:], answers[100:], references=4, cache=False
        )

    lists = measured(features.tolist(), labels.tolist())
    frames = measured(whole, pl.Series(labels))
    assert lists.references == frames.references == 4
    assert lists.found in {"leak", "none_found", "not_resolvable"}
    assert frames.found in {"leak", "none_found", "not_resolvable"}


def test_a_regressor_is_measured_by_its_residuals():
    chance = np.random.default_rng(5)
    features = chance.normal(size=(600, 3))
    answers = features[:, 0] + chance.normal(size=600)
    model = DecisionTreeRegressor(random_state=0).fit(features[:300], answers[:300])
    report = al.exposure(
        model, features[:300], answers[:300], features[300:], answers[300:], cache=False, fpr=0.1
    )
    assert report.found == "leak"
    assert "mean squared error" in report.summary()
    line = LinearRegression().fit(features[:300], answers[:300])
    report = al.exposure(
        line, features[:300], answers[:300], features[300:], answers[300:], cache=False, fpr=0.1
    )
    assert report.auc < 0.6


def test_margins_will_do():
    report = al.exposure(*fitted(RidgeClassifier()), cache=False, references=4)
    assert report.auc < 0.6


def test_lightgbm_is_measured_like_any_other():
    lightgbm = pytest.importorskip("lightgbm", reason="left out: lightgbm is not installed")
    model = lightgbm.LGBMClassifier(n_estimators=60, min_child_samples=2, verbose=-1, n_jobs=1)
    report = al.exposure(*fitted(model), cache=False, references=4, fpr=0.1)
    assert report.found == "leak"


class Neighbour:
    """A framework of one's own: the answer of the nearest row, with a doubt that grows with it."""

    def __init__(self, rows):
        self.features = rows.select("a", "b").to_numpy()
        self.labels = rows["y"].to_numpy()

    def probabilities(self, rows):
        features = rows.select("a", "b").to_numpy()
        apart = np.linalg.norm(features[:, None] - self.features[None], axis=2)
        nearest = apart.argmin(axis=1)
        sure = 1 - 0.5 * np.minimum(apart.min(axis=1), 1)
        ones = np.where(self.labels[nearest] == 1, sure, 1 - sure)
        return np.stack([1 - ones, ones], axis=1)


def own_table(rows=600):
    features, labels = table(rows)
    return pl.DataFrame(
        {"a": features[:, 0], "b": features[:, 1], "y": labels, "who": np.arange(rows) // 2}
    )


def test_two_callables_and_one_table_prove_an_epsilon():
    rows = own_table()
    report = al.exposure(
        train=Neighbour, predict=Neighbour.probabilities, data=rows, label="y", fpr=0.1
    )
    assert report.found == "leak"
    evidence = json.loads(report.to_json())
    assert evidence["epsilon"]["method"] == "one_run"
    assert evidence["epsilon"]["proves"] is True
    assert evidence["epsilon"]["at_least"] > 0.5
    assert not any("differ by themselves" in line for line in report.not_tested)
    assert {side for side, _ in report.rows} == {"data"}

    def coin(data):
        return np.full((data.height, 2), 0.5) + np.array([0.1, -0.1])

    blind = al.exposure(
        train=lambda data: data.height, predict=lambda _, data: coin(data), data=rows, label="y"
    )
    evidence = json.loads(blind.to_json())
    assert evidence["epsilon"]["at_least"] == 0
    assert blind.found in {"none_found", "not_resolvable"}


def test_people_stay_together():
    report = al.exposure(
        train=Neighbour,
        predict=Neighbour.probabilities,
        data=own_table(),
        label="y",
        subject="who",
        fpr=0.1,
    )
    evidence = json.loads(report.to_json())
    assert evidence["method"]["unit"] == "people"
    assert evidence["curve"]["n_members"] + evidence["curve"]["n_non_members"] <= 300


def test_given_callables_train_references_of_any_framework(forest):
    model, *tables = forest

    def train(features, labels):
        return RandomForestClassifier(20, random_state=len(labels)).fit(features, labels)

    report = al.exposure(
        model, *tables, train=train, predict=lambda m, x: m.predict_proba(x), fpr=0.1, votes=20
    )
    assert report.found == "leak"
    confident = al.exposure(
        model,
        *tables,
        train=train,
        predict=lambda m, x: m.predict_proba(x)[:, 1],
        references=4,
    )
    assert confident.references == 4


def test_duplicates_share_their_fate_and_are_told(forest):
    model, features, labels, others, other_labels = forest
    twice = np.concatenate([features, features[:50]]), np.concatenate([labels, labels[:50]])
    both = np.concatenate([others, features[:30]]), np.concatenate([other_labels, labels[:30]])
    report = al.exposure(model, *twice, *both, cache=False, fpr=0.1)
    assert "30 rows were set aside: holdout rows that equal a training row" in report.summary()
    assert json.loads(report.to_json())["method"]["unit"] == "distinct records"


def test_before_and_after(forest):
    model, *tables = forest
    before = al.exposure(model, *tables, cache=False, fpr=0.1)
    calm = RandomForestClassifier(20, min_samples_leaf=30, random_state=0).fit(*tables[:2])
    after = al.exposure(calm, *tables, cache=False, fpr=0.1)
    told = al.compare(before, after)
    assert told.found == "less"
    assert told.auc_difference["high"] < 0
    assert "Less is given away" in repr(told)
    assert json.loads(told.to_json())["schema"] == "allonym.exposure-comparison/1"
    assert al.compare(before, before).found == "undecided"
    other = al.exposure(calm, *tables, cache=False, fpr=0.1, seed=3)
    with pytest.raises(al.DataError, match="not of the same records"):
        al.compare(before, other)


def test_mitigation_names_the_rows_that_stand_out(forest, leak):
    _, features, labels, others, other_labels = forest
    todo = leak.mitigate(top=0.2)
    assert set(todo.counts) <= {"drop", "check_label", "deduplicate", "generalize"}
    assert 0 < len(todo.drop_rows) <= 80
    # A forest knows best by heart what contradicts the rest: the labels that were flipped.
    flipped = labels != (features[:, 0] + features[:, 1] > 0)
    assert flipped[todo.drop_rows].mean() > 1.4 * flipped.mean()
    keep = np.setdiff1d(np.arange(len(labels)), todo.drop_rows)
    again = RandomForestClassifier(20, random_state=0).fit(features[keep], labels[keep])
    after = al.exposure(
        again, features[keep], labels[keep], others, other_labels, cache=False, references=4
    )
    assert set(todo.drop_rows).isdisjoint(keep[row["row"]] for row in after.records())
    with pytest.raises(al.UsageError, match="top"):
        leak.mitigate(top=0)


def test_a_shorter_retention_is_advised_where_old_rows_are_exposed(forest):
    labels = forest[2]
    report = al.exposure(*forest, cache=False, references=4)
    worst = set(report.mitigate(top=0.2).drop_rows)
    as_of = dt.date(2026, 1, 1)
    dates = [dt.date(2018 if row in worst else 2022, 3, 1) for row in range(len(labels))]
    todo = report.mitigate(top=0.2, anchor="closed_on", dates=dates, as_of=as_of)
    told = todo.shorten_retention
    assert (told["anchor"], told["duration"]) == ("closed_on", "P7Y")
    assert told["n_older"] == told["older_exposed"] == len(worst)
    assert told["younger_exposed"] == 0
    assert told["p_value"] < 1e-9
    assert f"Of {len(worst)} training rows older than 7 years" in told["sentence"]
    policy = al.Policy.parse("version = 1\n" + todo.to_toml())
    assert policy.digest != al.Policy.parse("version = 1\n").digest
    assert 'anchor = "closed_on"\nduration = "P7Y"\non_expiry = "drop_row"' in todo.to_toml()
    assert "keep rows for 7 years at most" in repr(todo)
    # Dates that have nothing to do with it, all of one day, or none: nothing is advised.
    spread = [dt.date(2012 + row % 13, 1, 1) for row in range(len(labels))]
    for other in (spread, [dates[0]] * len(labels), [None] * len(labels)):
        todo = report.mitigate(top=0.2, anchor="closed_on", dates=other, as_of=as_of)
        assert todo.shorten_retention is None
        assert "retention" not in todo.to_toml()
    # However dates are written.
    for written in (
        [day.isoformat() for day in dates],
        pd.Series(pd.to_datetime(dates)),
        np.array(dates, dtype="datetime64[D]"),
        pl.Series(dates),
    ):
        again = report.mitigate(top=0.2, anchor="closed_on", dates=written, as_of=as_of)
        assert again.shorten_retention == told
    with pytest.raises(al.UsageError, match="pass its `dates`"):
        report.mitigate(anchor="closed_on")
    with pytest.raises(al.DataError, match="`dates` are 3"):
        report.mitigate(anchor="closed_on", dates=dates[:3])
    with pytest.raises(al.UsageError, match="`anchor` names"):
        report.mitigate(dates=dates)


def test_attacks_without_references_are_in_the_running(leak, tmp_path):
    names = set(leak.to_polars()["name"])
    assert {"gap", "modified entropy"} <= names
    assert {"gap", "entropy", "features", "pop_features"} <= set(leak.signals())
    # A tenth of the non-members has no one in a hundred, so at this rate the quantile has enough.
    assert "quantile regression" in names
    assert not any("were not there" in line for line in leak.not_tested)
    np.savez(tmp_path / "signals.npz", **leak.signals())
    again = al.exposure_from_signals(tmp_path / "signals.npz", fpr=0.1, votes=20)
    assert set(again.to_polars()["name"]) == names
    frame = again.to_polars().join(leak.to_polars(), on="name")
    assert (frame["auc_value"] - frame["auc_value_right"]).abs().max() < 1e-12
    bare = leak.signals()
    for name in ("gap", "entropy", "features"):
        del bare[name]
    np.savez(tmp_path / "bare.npz", **bare)
    without = al.exposure_from_signals(tmp_path / "bare.npz", fpr=0.1, votes=20)
    assert names - set(without.to_polars()["name"]) == {
        "gap",
        "modified entropy",
        "quantile regression",
    }
    assert any("gap, modified entropy, quantile regression" in w for w in without.not_tested)


def test_rare_values_are_to_be_generalized():
    frame, labels = people(600)
    frame.loc[:4, "region"] = "islands"
    frame = frame.drop(columns="email")
    model = frame_model().fit(frame[:300], labels[:300])
    report = al.exposure(model, frame[:300], labels[:300], frame[300:], labels[300:], cache=False)
    todo = report.mitigate(top=1.0)
    assert "region" in todo.to_toml() or not any(a.action == "generalize" for a in todo.actions)
    assert "islands" not in todo.to_toml()


def test_treatments_stand_side_by_side(tmp_path):
    frame, labels = people(500)
    frame = frame.drop(columns=["email", "region"])
    raw = frame[:250], frame[250:]
    binned = frame.assign(age=frame["age"] // 40 * 40, x=frame["x"].round())
    told = al.exposure_by_treatment(
        DecisionTreeClassifier(random_state=0),
        {"raw": raw, "binned": (binned[:250], binned[250:])},
        labels[:250],
        labels[250:],
        references=4,
        fpr=0.1,
        cache=tmp_path / "cache",
    )
    raw_row, binned_row = told.rows
    assert raw_row["auc_difference"]["value"] == 0
    assert raw_row["utility_difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert binned_row["found"] == "less"
    assert binned_row["auc_difference"]["high"] < 0
    assert binned_row["utility_difference"]["low"] <= binned_row["utility_difference"]["high"]
    assert "binned" in repr(told)
    assert told._repr_html_().startswith("<div")
    assert told.to_polars().height == 2
    # The same coins for the same people, however they are treated.
    first, second = (told.reports[name].signals()["members"] for name in ("raw", "binned"))
    assert np.array_equal(first, second)
    with pytest.raises(al.DataError, match="rows"):
        al.exposure_by_treatment(
            DecisionTreeClassifier(), {"raw": raw, "cut": (raw[0], raw[1][:9])}, labels[:250],
            labels[250:], cache=False,
        )  # fmt: skip


ROWS, LABELS = table(60)
TREE = DecisionTreeClassifier(random_state=0).fit(ROWS[:30], LABELS[:30])


def bad(message, *arguments, **options):
    return pytest.param(message, arguments, options, id=message)


@pytest.mark.parametrize(
    ("message", "arguments", "options"),
    [
        bad("holdout has no rows", TREE, ROWS[:30], LABELS[:30], ROWS[:0], LABELS[:0]),
        bad("training data has no rows", TREE, ROWS[:0], LABELS[:0], ROWS[30:], LABELS[30:]),
        bad("every holdout row equals", TREE, ROWS[:30], LABELS[:30], ROWS[:9], LABELS[:9]),
        bad("`y_train` is missing", TREE, ROWS[:30], None, ROWS[30:], LABELS[30:]),
        bad("`y_holdout` is missing", TREE, ROWS[:30], LABELS[:30], ROWS[30:]),
        bad("without a label", TREE, ROWS[:2], [0, None], ROWS[30:], LABELS[30:]),
        bad("30 rows and 29 labels", TREE, ROWS[:30], LABELS[:29], ROWS[30:], LABELS[30:]),
        bad("holds no rows", TREE, 7, LABELS[:30], ROWS[30:], LABELS[30:]),
        bad("failed with ValueError", TREE, ROWS[:30, :2], LABELS[:30], ROWS[30:, :2], LABELS[30:]),
        bad(
            "failed with NotFittedError",
            DecisionTreeClassifier(),
            *(ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:]),
        ),
        bad(
            "1 subjects have training and holdout rows",
            *(TREE, ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:]),
            subject=[*range(30), 0, *range(31, 60)],
        ),
        bad(
            "59 people for 60 rows",
            *(TREE, ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:]),
            subject=[*range(59)],
        ),
    ],
)
def test_bad_data_is_refused_and_not_quoted(message, arguments, options):
    with pytest.raises(al.DataError, match=message) as caught:
        al.exposure(*arguments, **options, cache=False)
    assert caught.value.code == "ALO-D006"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: al.exposure(),
        lambda: al.exposure(TREE, ROWS, LABELS),
        lambda: al.exposure(TREE, ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:], references=1),
        lambda: al.exposure(TREE, ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:], fpr=0),
        lambda: al.exposure(TREE, ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:], seed=-1),
        lambda: al.exposure(TREE, ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:], train=len),
        lambda: al.exposure(data=own_table(), label="y", train=Neighbour),
        lambda: al.exposure(object(), ROWS[:30], LABELS[:30], ROWS[30:], LABELS[30:]),
    ],
)
def test_senseless_calls_are_refused(call):
    with pytest.raises(al.UsageError):
        call()


def test_what_a_function_of_the_users_raises_is_not_shown():
    def train(_):
        raise ValueError(CANARY)

    with pytest.raises(al.DataError, match="`train` failed with ValueError") as caught:
        al.exposure(train=train, predict=Neighbour.probabilities, data=own_table(), label="y")
    assert "zoe" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (np.full((500, 2), 2.0), "lie in"),
        (np.full((500, 3), 0.3), "of 3 classes"),
        (np.full(500, 7.0), "lie in"),
        (np.zeros((2, 2)), "shape"),
        (["x"] * 500, "reading the probabilities failed"),
    ],
)
def test_what_is_no_probability_is_refused(told, message):
    rows = own_table(500)
    with pytest.raises(al.DataError, match=message):
        al.exposure(train=len, predict=lambda *_: told, data=rows, label="y")


def test_not_a_number_is_dropped_and_counted():
    rows = own_table()

    def predict(model, data):
        told = model.probabilities(data)
        told[data["who"].to_numpy() == 0] = np.nan
        return told

    report = al.exposure(train=Neighbour, predict=predict, data=rows, label="y", fpr=0.1)
    dropped = report.to_polars()["dropped"].max()
    assert 0 < dropped <= 2
    assert "could not be scored" in report.summary() or "NaN or infinite" in report.summary()


def test_constant_signals_show_nothing():
    report = al.exposure(
        train=len,
        predict=lambda _, data: np.full((data.height, 2), 0.5),
        data=own_table(),
        label="y",
    )
    assert report.auc == 0.5
    assert report.found in {"none_found", "not_resolvable"}


def given(models=7, records=400, leak=2.0):
    chance = np.random.default_rng(2)
    members = chance.random((models, records)) < 0.5
    logit = chance.normal(size=records) + chance.normal(size=(models, records)) + leak * members
    others = chance.normal(size=100) + chance.normal(size=(models, 100))
    return logit, members, others


def test_signals_in_arrays_and_files_are_measured_alike(tmp_path):
    logit, members, others = given()
    report = al.exposure_from_signals(
        logit[0],
        logit[1:],
        members[1:],
        target_members=members[0],
        population=others[0],
        population_references=others[1:],
        signal="logit",
        model="mine",
        coins=True,
        fpr=0.1,
    )
    assert report.found == "leak"
    assert "mine" in report.summary()
    np.savez(tmp_path / "signals.npz", logit=logit, members=members, pop_logit=others)
    same = al.exposure_from_signals(tmp_path / "signals.npz", model="mine", coins=True, fpr=0.1)
    assert json.loads(same.to_json())["attacks"] == json.loads(report.to_json())["attacks"]
    conf = 1 / (1 + np.exp(-logit))
    alone = al.exposure_from_signals(conf[0], target_members=members[0])
    assert alone.references == 0


def listed(matrix, kind):
    """One list of a number for each model in each row."""
    return pa.array(matrix.T.tolist(), pa.list_(kind))


def test_signals_in_tables_are_measured_as_those_in_arrays(tmp_path):
    logit, members, others = given()
    subject = np.arange(400) + 7
    np.savez(
        tmp_path / "signals.npz", logit=logit, members=members, pop_logit=others, subject=subject
    )
    wanted = al.exposure_from_signals(tmp_path / "signals.npz", coins=True, fpr=0.1)
    records = pa.table(
        {
            "note": pa.array([CANARY] * 400),
            "members": listed(members, pa.bool_()),
            "logit": listed(logit, pa.float64()),
            "subject": pa.array(subject, pa.int32()),
        }
    )
    population = pa.table({"logit": listed(others, pa.float64())})
    folder = tmp_path / "tables"
    folder.mkdir()
    pq.write_table(records, folder / "records.parquet", row_group_size=33)
    feather.write_feather(population, str(folder / "population.feather"))
    told = al.exposure_from_signals(folder, coins=True, fpr=0.1)
    assert json.loads(told.to_json())["attacks"] == json.loads(wanted.to_json())["attacks"]
    assert json.loads(told.to_json())["method"]["unit"] == "people"

    # Of one file, without a population; single precision; fixed lists; a signal that is missing.
    conf = (1 / (1 + np.exp(-logit))).astype("float32")
    np.savez(tmp_path / "alone.npz", conf=conf, members=members)
    wanted = al.exposure_from_signals(tmp_path / "alone.npz", fpr=0.1)
    lists = [row.tolist() for row in conf.T]
    alone = pa.table(
        {
            "conf": pa.array(lists, pa.list_(pa.float32(), 7)),
            "member": pa.array(members.T.tolist(), pa.large_list(pa.bool_())),
        }
    )
    feather.write_feather(alone, str(tmp_path / "alone.arrow"))
    told = al.exposure_from_signals(tmp_path / "alone.arrow", fpr=0.1)
    assert json.loads(told.to_json())["attacks"] == json.loads(wanted.to_json())["attacks"]
    lists[0] = [None] * 7
    missing = alone.set_column(0, "conf", pa.array(lists, pa.list_(pa.float32(), 7)))
    pq.write_table(missing, tmp_path / "missing.parquet")
    told = al.exposure_from_signals(tmp_path / "missing.parquet", fpr=0.1)
    assert told.to_polars()["dropped"].min() == 1


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"conf": [[0.5, 0.5]] * 4}, "no column `members`"),
        ({"members": [[True, False]] * 4}, "no column `conf` or `logit`"),
        ({"conf": [[0.5], [0.5, 0.5]], "members": [[True]] * 2}, "1 before"),
        ({"conf": [0.5, 0.5], "members": [[True]] * 2}, "must hold lists, one"),
        ({"conf": [[0.5], None], "members": [[True]] * 2}, "no list in row 1"),
        ({"conf": [[1], [0]], "members": [[True]] * 2}, "floating-point"),
        ({"conf": [[0.5]] * 2, "members": [[1.0]] * 2}, "lists of truth values"),
        ({"conf": [[0.5]] * 2, "members": [[True], [None]]}, "truth value in row 1"),
        (
            {"conf": [[0.5]] * 2, "members": [[True]] * 2, "subject": [CANARY, CANARY]},
            "one whole number",
        ),
    ],
)
def test_tables_that_hold_no_signals_are_refused(tmp_path, columns, says):
    pq.write_table(pa.table(columns), tmp_path / "signals.parquet")
    with pytest.raises(al.DataError, match=says) as told:
        al.exposure_from_signals(tmp_path / "signals.parquet")
    assert "zoe" not in str(told.value)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("truth values", {"members": np.full((6, 400), 0.5)}),
        ("on any record", {"members": np.zeros((6, 400), bool)}),
        ("on every record", {"members": np.ones((6, 400), bool)}),
        ("references x 400", {"references": np.zeros((6, 9))}),
        ("models x", {"members": np.zeros((5, 400), bool)}),
        ("at least two", {"references": np.zeros((1, 400)), "members": np.zeros((1, 400), bool)}),
        ("axes", {"target": np.zeros((2, 400))}),
        ("holdout", {"target_members": np.ones(400, bool)}),
        ("is a member", {"target_members": np.zeros(400, bool)}),
        ("subjects have member and non-member", {"subject": [0] * 400}),
        ("not finite", {"references": np.full((6, 400), np.inf)}),
        ("no scored record|not finite", {"target": np.full(400, np.nan)}),
    ],
)
def test_signals_that_do_not_fit_are_refused(message, change):
    logit, members, _ = given()
    said = {
        "target": logit[0],
        "references": logit[1:],
        "members": members[1:],
        "target_members": members[0],
    }
    with pytest.raises(al.DataError, match=message):
        al.exposure_from_signals(**(said | change), signal="logit")
