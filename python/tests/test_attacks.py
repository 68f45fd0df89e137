import array
import json
import math
import os
import pathlib

import allonym as al
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

# Two records with everything, over four references: worked by hand in the crate's own tests.
LOGIT = [1.5, 1.5]
REFERENCES = [[1.0, 1.0], [-2.0, -2.0], [3.0, 3.0], [0.0, 0.0]]
MEMBERS = [[True, True], [False, False], [True, True], [False, False]]


def numpied(dtype=float):
    return np.array(LOGIT, dtype), np.array(REFERENCES, dtype), np.array(MEMBERS)


def test_scores_worked_by_hand():
    assert list(al.attacks.lira(LOGIT, REFERENCES, MEMBERS)) == pytest.approx([3.0, 3.0])
    offline = al.attacks.lira(LOGIT, REFERENCES, MEMBERS, mode="offline")
    assert offline[0] == pytest.approx(math.log(0.9937903346742238))
    assert list(al.attacks.offset(LOGIT, REFERENCES, MEMBERS, mode="online")) == [1.0, 1.0]
    assert list(al.attacks.offset(LOGIT, REFERENCES, MEMBERS, mode="offline")) == [2.5, 2.5]
    expected = 3.5 * math.log((1 + 6.25 / 9) / (1 + 0.25 / 9))
    assert al.attacks.t_lira(LOGIT, REFERENCES, MEMBERS)[1] == pytest.approx(expected)
    assert al.attacks.loss([1.0, 0.5]).tolist() == [0.0, math.log(0.5)]
    assert al.attacks.population([0.5, 0.9], [0.1, 0.6]).tolist() == [0.5, 1.0]
    grouped = al.attacks.population(
        [0.5, 0.9], [0.1, 0.6], groups=["x", "y"], population_groups=["y", "x"]
    )
    assert grouped.tolist() == [0.0, 1.0]
    probs = [[0.75, 0.25], [0.5, 0.5]]
    assert al.attacks.gap(probs, [0, 1]).tolist() == [1.0, 0.0]
    assert al.attacks.modified_entropy(probs, [0, 1])[0] == pytest.approx(0.5 * math.log(0.75))


def test_rmia_worked_by_hand():
    masks = [[True], [False]]
    population = [0.8, 0.5, 0.64, 0.1]
    others = [[0.4, 0.6, 0.4, 0.2], [0.4, 0.4, 0.4, 0.6]]
    scores = al.attacks.rmia([0.9], [[0.8], [0.4]], masks, population, others)
    assert scores.tolist() == [0.5]
    assert scores.ratio[0] == pytest.approx(1.5)
    assert scores.population_dropped == 0
    twice = al.attacks.rmia([0.9], [[0.8], [0.4]], masks, population, others, gamma=2.0)
    assert twice.tolist() == [0.25]


def test_quantiles_follow_the_features():
    x = np.repeat(np.arange(5.0), 100)
    logit = 2 * x + np.tile(np.arange(100) / 100, 5)
    scores = al.attacks.qmia(logit, x[:, None], logit, x[:, None], fpr=0.1)
    assert (np.asarray(scores) > 0).sum() <= 50
    assert scores[0] == pytest.approx(-0.895, abs=0.02)


@pytest.mark.parametrize(
    "convert",
    [
        np.array,
        np.float32,
        np.float16,
        lambda values: np.array(values, ">f8"),
        lambda values: np.asfortranarray(values),
        lambda values: np.repeat(values, 2, axis=-1)[..., ::2],
        lambda values: pd.DataFrame(values) if np.ndim(values) == 2 else pd.Series(values),
        lambda values: tuple(values),
        lambda values: [np.array(row) for row in values] if np.ndim(values) == 2 else values,
    ],
)
def test_every_container_of_numbers(convert):
    scores = al.attacks.lira(convert(LOGIT), convert(REFERENCES), np.array(MEMBERS))
    assert scores.tolist() == pytest.approx([3.0, 3.0])


@pytest.mark.parametrize("column", [pl.Series, pa.array, lambda values: array.array("d", values)])
def test_columns_of_numbers(column):
    assert al.attacks.loss(column([1.0, 0.5])).tolist() == [0.0, math.log(0.5)]


def test_what_numpy_is_not_needed_for_does_without():
    class Dlpack:
        def __dlpack__(self, **options):
            return np.array([1.0]).__dlpack__(**options)

        def __dlpack_device__(self):
            return np.array([1.0]).__dlpack_device__()

    assert al.attacks.loss(Dlpack()).tolist() == [0.0]


def test_scores_go_where_numbers_go():
    scores = al.attacks.lira(*numpied())
    taken = np.asarray(scores)
    assert taken.dtype == np.float64
    assert taken.tolist() == scores.tolist()
    assert pl.Series(scores).to_list() == scores.tolist()
    assert pa.array(scores).to_pylist() == scores.tolist()
    assert len(scores) == 2
    assert scores[-1] == scores[1]
    assert repr(scores) == "Scores(2 records, 0 dropped)"
    with pytest.raises(IndexError):
        scores[2]


def test_flags_say_why_a_record_has_no_number():
    logit, references, members = (np.tile(part, 3) for part in numpied())
    references[0, 1] = np.nan
    logit[2] = np.inf
    members[:, 3] = True
    members[:, 4] = False
    references[:, 5] = 7.0
    scores = al.attacks.lira(logit, references, members)
    assert scores.dropped == 4
    assert scores.counts == {"not_finite": 2, "never_in": 1, "never_out": 1, "no_spread": 1}
    assert scores.flagged("not_finite") == [1, 2]
    assert scores.flags(3) == ["never_out"]
    assert scores.flags(0) == []
    assert np.isnan(np.asarray(scores)[1:5]).all()
    assert math.isfinite(scores[5])
    with pytest.raises(al.UsageError, match="no_spread"):
        scores.flagged("nonsense")
    shrunken = al.attacks.t_lira(logit, references, members)
    assert shrunken.flags(3) == ["never_out"]
    assert math.isfinite(shrunken[3])


def test_a_curve_worked_by_hand():
    scores = [0.9, 0.6, 0.6, 0.2, 0.8, 0.6, 0.1, 0.1, 0.0, None]
    members = [True] * 4 + [False] * 5 + [True]
    roc = al.metrics.roc(scores, members)
    assert roc.auc == 0.75
    assert (roc.n_members, roc.n_non_members, roc.dropped) == (4, 5, 1)
    low, high = roc.auc_interval
    assert low < 0.75 < high
    assert roc.auc_interval.low == low
    at = roc.tpr_at(0.2)
    assert (at.value, at.resolvable, at.threshold) == (0.25, True, 0.8)
    assert at.low < at.value < at.high
    assert at.band.low <= at.low
    assert at.fpr.value == 0.2
    assert at.precision(0.5).value == pytest.approx(0.25 / 0.45)
    fine = roc.tpr_at(0.001)
    assert (fine.resolvable, fine.non_members_needed) == (False, 1000)
    assert repr(fine) == "TprAt(fpr<=0.001: not resolvable: needs 1000 non-members)"
    assert roc.points()[0] == (math.inf, 0.0, 0.0)
    assert roc.points()[-1][1:] == (1.0, 1.0)
    assert roc.advantage.value == pytest.approx(0.6)
    narrow = al.metrics.roc(scores, members, confidence=0.5).auc_interval
    assert narrow.high - narrow.low < high - low


def test_order_does_not_matter():
    chance = np.random.default_rng(3)
    references = chance.normal(size=(12, 700)).astype(np.float32)
    members = chance.random((12, 700)) < 0.5
    logit = chance.normal(size=700)
    order = chance.permutation(700)
    for variance in ("per_record", "fixed", "authors_fixed"):
        plain = al.attacks.lira(logit, references, members, variance=variance)
        mixed = al.attacks.lira(
            logit[order], references[:, order], members[:, order], variance=variance
        )
        assert np.array_equal(np.asarray(plain)[order], np.asarray(mixed), equal_nan=True)
    plain = al.attacks.t_lira(logit, references, members)
    mixed = al.attacks.t_lira(logit[order], references[:, order], members[:, order])
    assert np.array_equal(np.asarray(plain)[order], np.asarray(mixed), equal_nan=True)


BAD = [
    ("at least two", lambda: al.attacks.lira(LOGIT, REFERENCES[:1], MEMBERS[:1])),
    ("references x", lambda: al.attacks.lira(LOGIT, REFERENCES, MEMBERS[:3])),
    ("expected 2", lambda: al.attacks.lira(LOGIT, [[1.0], [2.0]], [[True], [False]])),
    ("axes", lambda: al.attacks.lira(LOGIT, REFERENCES[0], MEMBERS)),
    ("axes", lambda: al.attacks.lira(LOGIT, REFERENCES, MEMBERS[0])),
    ("axes", lambda: al.attacks.lira(REFERENCES, REFERENCES, MEMBERS)),
    ("one length", lambda: al.attacks.lira(LOGIT, [[1.0, 2.0], [1.0]], MEMBERS)),
    ("every record", lambda: al.attacks.lira(LOGIT, REFERENCES, np.ones((4, 2), bool))),
    ("on any record", lambda: al.attacks.lira(LOGIT, REFERENCES, np.zeros((4, 2), bool))),
    ("truth values", lambda: al.attacks.lira(LOGIT, REFERENCES, np.full((4, 2), 0.5))),
    ("truth values", lambda: al.attacks.lira(LOGIT, REFERENCES, np.full((4, 2), 3))),
    ("no number", lambda: al.attacks.loss(["0.5"])),
    ("no number", lambda: al.attacks.loss([object()])),
    ("holds no numbers", lambda: al.attacks.loss(7)),
    ("no number", lambda: al.attacks.loss(np.array(["secret"], dtype=object))),
    ("holds no numbers", lambda: al.attacks.loss(np.array(["secret"]))),
    ("holds no numbers", lambda: al.attacks.loss(np.array([b"secret"]))),
    ("holds no numbers", lambda: al.attacks.loss("secret")),
    ("holds no numbers", lambda: al.attacks.loss(np.array(["2026-01-01"], "datetime64[D]"))),
    (r"\[0, 1\]", lambda: al.attacks.loss([0.5, 1.5])),
    (r"\[0, 1\]", lambda: al.attacks.rmia([2.0], [[0.8], [0.4]], [[1], [0]], [1], [[1], [1]])),
    ("usable", lambda: al.attacks.rmia([0.9], [[0.8], [0.4]], [[1], [0]], [], [[], []])),
    ("usable", lambda: al.attacks.population([0.5], [math.nan])),
    ("label", lambda: al.attacks.gap([[0.5, 0.5]], [2])),
    ("label", lambda: al.attacks.gap([[0.5, 0.5]], [None])),
    ("label", lambda: al.attacks.modified_entropy([[0.5, 0.5]], [0.5])),
    ("`labels`", lambda: al.attacks.gap([[0.5, 0.5]], [])),
    ("fpr", lambda: al.attacks.qmia([1.0], [[1.0]], [1.0], [[1.0]], fpr=0.1)),
    ("features", lambda: al.attacks.qmia([1.0], [[1.0]], [1.0], [[1.0, 2.0]], fpr=0.1)),
    ("holdout", lambda: al.metrics.roc([0.5, 0.4], [True, True])),
    ("no scored record is a member", lambda: al.metrics.roc([0.5, 0.4], [False, False])),
    ("holdout", lambda: al.metrics.roc([0.5, math.nan], [True, False])),
    ("infinite", lambda: al.metrics.roc([0.5, math.inf], [True, False])),
    ("`members`", lambda: al.metrics.roc([0.5], [True, False])),
    ("truth values", lambda: al.metrics.roc([0.5, 0.4], [0.5, 0.4])),
]


@pytest.mark.parametrize(("told", "call"), BAD)
def test_bad_data_is_refused_and_not_quoted(told, call):
    with pytest.raises(al.DataError, match=told) as caught:
        call()
    assert caught.value.code == "ALO-D006"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: al.attacks.lira(LOGIT, REFERENCES, MEMBERS, mode="sideways"),
        lambda: al.attacks.lira(LOGIT, REFERENCES, MEMBERS, variance="none"),
        lambda: al.attacks.t_lira(LOGIT, REFERENCES, MEMBERS, nu0=0),
        lambda: al.attacks.offset(LOGIT, REFERENCES, MEMBERS, mode=""),
        lambda: al.attacks.population([0.5], [0.5], groups=["x"]),
        lambda: al.attacks.qmia([1.0], [[1.0]], [1.0], [[1.0]], fpr=0.0),
        lambda: al.metrics.roc([0.5, 0.4], [True, False], confidence=1.0),
        lambda: al.metrics.roc([0.5, 0.4], [True, False]).tpr_at(2.0),
        lambda: al.metrics.roc([0.5, 0.4], [True, False]).tpr_at(0.1).precision(1.0),
        lambda: al.attacks.rmia([0.9], [[0.8], [0.4]], [[1], [0]], [1], [[1], [1]], gamma=0),
        lambda: al.attacks.rmia([0.9], [[0.8], [0.4]], [[1], [0]], [1], [[1], [1]], a=2),
    ],
)
def test_senseless_parameters_are_refused(call):
    with pytest.raises(al.UsageError):
        call()


def test_texts_are_scored_by_their_tokens():
    tokens = [[-1.0, -4.0, -2.0, -3.0], [-0.5], [], [-1.0, math.nan]]
    means = al.attacks.text(tokens)
    assert means.tolist()[:2] == [-2.5, -0.5]
    assert (means.dropped, means.counts) == (2, {"not_finite": 2})
    assert al.attacks.text(tokens, score="min_k", k=0.5)[0] == -3.5
    short = al.attacks.text([[-3.0], [-3.0]], score="zlib", texts=["a" * 200, "kxqzjv wpy"])
    assert short[0] < short[1] < 0
    assert al.attacks.text([[-3.0]], score="reference", reference=[[-5.0]]) == [2.0]
    with pytest.raises(al.DataError, match="1 texts"):
        al.attacks.text([[-3.0]] * 2, score="reference", reference=[[-5.0]])
    with pytest.raises(al.DataError, match="numbers") as caught:
        al.attacks.text([["secret"]])
    assert "secret" not in str(caught.value)
    for wrong in ({"score": "zlib"}, {"score": "reference"}, {"score": "min_k", "k": 0.0}):
        with pytest.raises(al.UsageError):
            al.attacks.text([[-1.0]], **wrong)


DATA = pathlib.Path(os.environ.get("ALLONYM_DATA", "nowhere")) / "exposure"


@pytest.fixture(scope="module")
def digits():
    if not DATA.is_dir():
        pytest.skip("left out: ALLONYM_DATA names no folder with exposure cases")
    case = np.load(DATA / "digits_case.npz")
    golden = json.loads((DATA / "digits_golden.json").read_text())
    return case, np.load(DATA / "digits_golden.scores.npz"), golden["figures"]


def check_figures(scores, members, figures, tolerance=1e-9):
    roc = al.metrics.roc(scores, members)
    assert roc.auc == pytest.approx(figures["auc"], abs=tolerance)
    for fpr in ("0.1", "0.01", "0.001", "0"):
        at = roc.tpr_at(float(fpr))
        assert at.value == pytest.approx(figures[f"tpr@fpr<={fpr}"], abs=max(tolerance, 1e-12))
        ends = figures[f"tpr@fpr<={fpr}/clopper_pearson95"]
        if tolerance < 1e-6:
            assert [at.low, at.high] == pytest.approx(ends, abs=1e-9)
        assert at.resolvable is (fpr in {"0.1", "0.01"})


@pytest.mark.parametrize(
    ("name", "mode", "variance"),
    [
        ("official_lira_online", "online", "per_record"),
        ("official_lira_online_fixvar", "online", "authors_fixed"),
        ("official_lira_offline", "offline_density", "per_record"),
        ("official_lira_offline_fixvar", "offline_density", "authors_fixed"),
        ("tfp_lira_both_var_median", "online", "per_record"),
        ("tfp_lira_both_fixvar_median", "online", "fixed"),
        ("tfp_lira_out_var_median", "offline_density", "per_record"),
        ("tfp_lira_out_fixvar_median", "offline_density", "fixed"),
    ],
)
def test_likelihood_ratios_of_the_worked_case(digits, name, mode, variance):
    case, golden, figures = digits
    scores = al.attacks.lira(
        case["logit"][0], case["logit"][2:], case["member"][2:], mode=mode, variance=variance
    )
    np.testing.assert_allclose(np.asarray(scores), golden[name], rtol=1e-9, atol=1e-12)
    check_figures(scores, case["member"][0], figures[name])


@pytest.mark.parametrize(
    ("name", "mode"), [("tfp_offset_both_median", "online"), ("tfp_offset_out_median", "offline")]
)
def test_offsets_of_the_worked_case(digits, name, mode):
    case, golden, figures = digits
    scores = al.attacks.offset(case["logit"][0], case["logit"][2:], case["member"][2:], mode=mode)
    np.testing.assert_allclose(np.asarray(scores), golden[name], rtol=1e-9)
    check_figures(scores, case["member"][0], figures[name])


@pytest.mark.parametrize("gamma", [1, 2])
@pytest.mark.parametrize("a", [None, 0, 0.3, 0.7, 1])
def test_rmia_of_the_worked_case(digits, gamma, a):
    case, golden, figures = digits
    mode = "online" if a is None else "offline"
    name = f"ref_rmia_{mode}{'' if a is None else f'_a{a}'}_gamma{gamma}"
    scores = al.attacks.rmia(
        case["conf"][0],
        case["conf"][2:],
        case["member"][2:],
        case["pop_conf"][0],
        case["pop_conf"][2:],
        mode=mode,
        gamma=gamma,
        a=0.3 if a is None else a,
    )
    np.testing.assert_allclose(np.asarray(scores), golden[name], atol=2 / 597)
    check_figures(scores, case["member"][0], figures[name], 1e-4)


def test_attacks_without_references_of_the_worked_case(digits):
    case, golden, figures = digits
    members = case["member"][0]
    check_figures(al.attacks.loss(case["conf"][0]), members, figures["loss_threshold"])
    scores = al.attacks.population(
        case["conf"][0],
        case["pop_conf"][0],
        groups=case["label"],
        population_groups=case["pop_label"],
    )
    np.testing.assert_allclose(np.asarray(scores), golden["ref_population_per_class"], atol=1e-12)
    check_figures(scores, members, figures["ref_population_per_class"])
    gap = np.asarray(al.attacks.gap(case["target_probs"], case["label"]))
    assert [gap[members].mean(), gap[~members].mean()] == pytest.approx(case["acc"][0], abs=1e-6)
