"""Power: the verdict against the best single attack of the peers, on the same signals.

Run: ALLONYM_DATA=... python python/benches/power.py (needs numpy, scikit-learn and polars).

References are trained by ``al.exposure`` itself, 8 of them. The peers' attacks are stated here in
NumPy: those of the LiRA authors' script, TensorFlow Privacy's, RMIA as its paper has it, and
privacy_meter's. The best of them is picked on the target itself, which no attacker could do; the
verdict's attack was chosen on references. Intervals of the differences are percentiles of 2,000
bootstrap samples of records.
"""

import os
import pathlib
import sys
import time

import allonym as al
import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

DATA = pathlib.Path(os.environ["ALLONYM_DATA"]) / "exposure"
DRAWS = 2_000
FPR = 0.01


def digits():
    """Give digits with one label in ten changed, and a small network."""
    features, labels = load_digits(return_X_y=True)
    chance = np.random.default_rng(0)
    noisy = chance.random(len(labels)) < 0.1
    labels = np.where(noisy, (labels + chance.integers(1, 10, len(labels))) % 10, labels)
    return MLPClassifier((64,), max_iter=200, random_state=0), features / 16, labels


def adult(rows=12_000):
    """Give the census and a forest."""
    return framed(pl.read_parquet(DATA / "adult.parquet").head(rows), "forest")


def bank(rows=16_000):
    """Give the bank's calls and boosted trees."""
    return framed(pl.read_parquet(DATA / "bank_marketing.parquet").head(rows), "boosted")


def location():
    """Give the places people checked in at, and a network."""
    case = np.load(DATA / "location30.npz", allow_pickle=False)
    features = np.unpackbits(case["x_packed"], axis=1)[:, : int(case["n_features"])]
    labels = case["y"]
    return MLPClassifier((128,), max_iter=60, random_state=0), features.astype("f4"), labels


def framed(frame, kind):
    """Encode a table whose last column is the label."""
    frame = frame.to_pandas()
    label = frame.columns[-1]
    features, labels = frame.drop(columns=label), frame[label]
    words = [name for name in features.columns if features[name].dtype.kind not in "iufb"]
    numbers = [name for name in features.columns if name not in words]
    features[words] = features[words].astype(str)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
        (StandardScaler(), numbers),
    )
    if kind == "forest":
        model = RandomForestClassifier(50, random_state=0)
    else:
        model = HistGradientBoostingClassifier(max_iter=200, max_leaf_nodes=63, random_state=0)
    return make_pipeline(encode, model), features, labels


def peers(said):
    """Score by each peer's attack."""
    conf, logit, members = said["conf"], said["logit"], said["members"]
    target, others, inside = logit[0], logit[1:], members[1:]
    yield "LOSS (Yeom)", conf[0]
    for name, mode in (("online", "online"), ("offline", "offline_density")):
        for variance in ("per_record", "authors_fixed", "fixed"):
            scores = al.attacks.lira(target, others, inside, mode=mode, variance=variance)
            yield f"LiRA {name} {variance}", np.asarray(scores)
    for mode in ("both", "out"):
        yield f"offset {mode}", np.asarray(al.attacks.offset(target, others, inside, mode=mode))
    if "pop_conf" not in said:
        return
    population = said["pop_conf"]
    for name, mode, a in (("online", "online", 0.3), ("offline a=.3", "offline", 0.3)):
        scores = al.attacks.rmia(
            conf[0], conf[1:], inside, population[0], population[1:], mode=mode, a=a
        )
        yield f"RMIA {name}", np.asarray(scores)
    yield "RMIA (privacy_meter)", privacy_meter(conf, population)


def privacy_meter(conf, population, a=0.3):
    """Keep the largest half of each record's references, as that tool does."""
    half = (len(conf) - 1) // 2

    def ratio(said):
        out = np.sort(said[1:], axis=0)[-half:].mean(axis=0)
        return said[0] / (0.5 * ((1 + a) * out + 1 - a))

    ours, theirs = ratio(conf), np.sort(ratio(population))
    return np.searchsorted(theirs, ours, side="right") / len(theirs)


def figures(scores, members):
    """Give area and rate of one attack."""
    roc = al.metrics.roc(scores, members)
    return roc.auc, roc.tpr_at(FPR).value


def quick(scores, members):
    """Give the same, for one of many samples."""
    order = np.argsort(-scores, kind="stable")
    scores, inside = scores[order], members[order]
    edges = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    tp, fp = np.cumsum(inside)[edges], np.cumsum(~inside)[edges]
    tpr, fpr = np.append(0, tp / inside.sum()), np.append(0, fp / (~inside).sum())
    return np.trapezoid(tpr, fpr), tpr[np.searchsorted(fpr, FPR, side="right") - 1]


def differences(ours, theirs, members, chance):
    """Give 95 % intervals of ours less theirs, for area and rate."""
    sides = np.flatnonzero(members), np.flatnonzero(~members)
    drawn = []
    for _ in range(DRAWS):
        rows = np.concatenate([chance.choice(side, len(side)) for side in sides])
        first, second = quick(ours[rows], members[rows]), quick(theirs[rows], members[rows])
        drawn.append((first[0] - second[0], first[1] - second[1]))
    return np.percentile(np.array(drawn), [2.5, 97.5], axis=0).T


def main():
    """Print one line a data set, and fail if the verdict is below the best of the peers."""
    chance = np.random.default_rng(1)
    print("data      refs  verdict's attack             AUC    TPR@1%   best peer by AUC / TPR@1%")
    fine = True
    for case in (digits, location, bank, adult):
        started = time.time()
        model, features, labels = case()
        rows = chance.permutation(len(labels))
        half = len(rows) // 2
        train, rest = rows[:half], rows[half:]
        pick = (lambda t, at: t.iloc[at]) if hasattr(features, "iloc") else (lambda t, at: t[at])
        model.fit(pick(features, train), pick(labels, train))
        report = al.exposure(
            model,
            pick(features, train),
            pick(labels, train),
            pick(features, rest),
            pick(labels, rest),
            cache=os.environ.get("ALLONYM_CACHE_HOME", "0") != "0",
        )
        said = report.signals()
        members = said["members"][0]
        ours = np.asarray(report.scores())
        area, rate = figures(ours, members)
        them = [(name, scores, *figures(scores, members)) for name, scores in peers(said)]
        by_area = max(them, key=lambda one: one[2])
        by_rate = max(them, key=lambda one: one[3])
        seconds = time.time() - started
        print(
            f"{case.__name__:<9} {report.references:>4}  {report.attack:<27} {area:.3f}  "
            f"{100 * rate:>5.1f} %  {by_area[0]} {by_area[2]:.3f} / "
            f"{by_rate[0]} {100 * by_rate[3]:.1f} %   ({seconds:.0f} s)"
        )
        for name, at, best in (("AUC", 0, by_area), ("TPR@1%", 1, by_rate)):
            low, high = differences(ours, best[1], members, chance)[at]
            verdict = "not below" if high >= 0 else "BELOW"
            fine &= bool(high >= 0)
            print(f"          {name}: ours less theirs {low:+.4f} to {high:+.4f}: {verdict}")
        for name, _, a, r in sorted(them, key=lambda one: -one[3]):
            print(f"            {name:<26} {a:.3f}  {100 * r:.1f} %")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
