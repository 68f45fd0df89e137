"""Writes the figures that python/tests/test_risk.py compares with: those of pycanon.

pycanon pins versions that the rest of our tools do not bear, so it is run once, in an environment of its
own, and its figures are kept:

    python -m venv pycanon && pycanon/bin/pip install numpy pandas pyarrow beartype
    pycanon/bin/pip install --no-deps pycanon==1.3.6
    ALLONYM_DATA=../shared/data pycanon/bin/python tools/pycanon_goldens.py

Only the columns that are used are taken, none of them with nulls: pycanon leaves out rows with a null
among the known columns, and we count a null as a value.
"""

import json
import os
from pathlib import Path

import pandas as pd
import pycanon.anonymity as pc

CASES = [
    ("adult", ["sex", "race"], ["income", "education_num"]),
    ("adult", ["age", "sex", "race"], ["income"]),
    (
        "german_credit",
        ["personal_status", "foreign_worker"],
        ["credit", "purpose", "credit_amount"],
    ),
    ("german_credit", ["age", "personal_status", "housing"], ["credit"]),
    ("compas_two_years_no_identifiers", ["sex", "age_cat"], ["decile_score", "score_text"]),
    ("compas_two_years_no_identifiers", ["sex", "age", "race"], ["decile_score"]),
]
PLACE = Path(__file__).resolve().parents[1] / "python" / "tests" / "data" / "pycanon.json"


def measured(rows: pd.DataFrame, quasi: list[str], secret: str) -> dict[str, float | None]:
    """Every measure of pycanon for one sensitive column."""
    recursive_c, recursive_l = pc.recursive_c_l_diversity(rows, quasi, [secret])
    alpha, k = pc.alpha_k_anonymity(rows, quasi, [secret])
    return {
        "k": int(k),
        "alpha": float(alpha),
        "distinct_l": int(pc.l_diversity(rows, quasi, [secret])),
        "entropy_l": int(pc.entropy_l_diversity(rows, quasi, [secret])),
        "recursive_c": None if recursive_l == 1 else float(recursive_c),
        "t": float(pc.t_closeness(rows, quasi, [secret])),
        "beta": float(pc.basic_beta_likeness(rows, quasi, [secret])),
        "enhanced_beta": float(pc.enhanced_beta_likeness(rows, quasi, [secret])),
        "delta": float(pc.delta_disclosure(rows, quasi, [secret])),
    }


def main() -> None:
    """Measure the cases and write them down."""
    folder = Path(os.environ["ALLONYM_DATA"]) / "exposure"
    told = []
    for name, quasi, secrets in CASES:
        rows = pd.read_parquet(folder / f"{name}.parquet")
        assert not rows[quasi + secrets].isna().any().any()  # noqa: S101
        figures = {secret: measured(rows, quasi, secret) for secret in secrets}
        told.append({"table": name, "quasi": quasi, "figures": figures})
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
