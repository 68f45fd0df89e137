"""Time the formulas of `benches/exposure.rs` in NumPy and SciPy: one core, the same sizes.

Run: python crates/allonym-exposure/benches/peer.py (needs numpy and scipy).
"""

import time

import numpy as np
from scipy.stats import binom, norm

REFERENCES, RECORDS, POPULATION = 254, 50_000, 2_500


def draw() -> tuple[np.ndarray, ...]:
    """Make signals up: those of the target first."""
    chance = np.random.default_rng(1)
    logit = chance.uniform(-2, 6, (REFERENCES + 1, RECORDS)).astype(np.float32)
    others = chance.uniform(-2, 6, (REFERENCES + 1, POPULATION)).astype(np.float32)
    members = chance.random((REFERENCES + 1, RECORDS)) < 0.5
    return logit, 1 / (1 + np.exp(-logit)), members, 1 / (1 + np.exp(-others))


def rmia(conf: np.ndarray, members: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Online, by one sort and binary searches."""
    references, inside = conf[1:], members[1:]
    count = inside.sum(axis=0)
    with_it = np.einsum("kn,kn->n", references, inside, dtype=np.float64) / count
    without = np.einsum("kn,kn->n", references, ~inside, dtype=np.float64) / (REFERENCES - count)
    ratio = conf[0] / ((with_it + without) / 2)
    ratio_others = np.sort(others[0] / others[1:].mean(axis=0, dtype=np.float64))
    return np.searchsorted(ratio_others, ratio, side="right") / len(ratio_others)


def lira(logit: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Online, median and spread of each record."""
    references, inside = logit[1:].astype(np.float64), members[1:]
    with_it = np.where(inside, references, np.nan)
    without = np.where(inside, np.nan, references)
    target = logit[0].astype(np.float64)
    laws = [
        norm.logpdf(target, np.nanmedian(side, axis=0), np.nanstd(side, axis=0))
        for side in (with_it, without)
    ]
    return laws[0] - laws[1]


def one_run(m: int, guesses: int, correct: int, delta: float, alpha: float) -> float:
    """Bisect as arXiv 2305.08846 does."""

    def p_value(epsilon: float) -> float:
        success = 1 / (1 + np.exp(-epsilon))
        density = binom.pmf(np.arange(correct - 1, -1, -1), guesses, success)
        means = np.cumsum(density) / np.arange(1, correct + 1)
        return binom.sf(correct - 1, guesses, success) + 2 * m * delta * means.max()

    low, high = 0.0, 1.0
    while p_value(high) < alpha:
        high += 1
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(middle) < alpha else (low, middle)
    return low


def main() -> None:
    """Print the median of some runs of each."""
    logit, conf, members, others = draw()
    for name, runs, work in [
        ("RMIA online", 7, lambda: rmia(conf, members, others)),
        ("LiRA online", 3, lambda: lira(logit, members)),
        (
            "one-run bound, 60,000 of 100,000",
            3,
            lambda: one_run(100_000, 100_000, 60_000, 1e-6, 0.05),
        ),
    ]:
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        print(f"{name}: {1000 * sorted(times)[runs // 2]:.1f} ms")


if __name__ == "__main__":
    main()
