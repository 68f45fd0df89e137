"""Ten million rows by six known columns: the command, and polars' group_by doing the same counts.

    python python/benches/risk.py target/release/allonym [ROWS]

Each side runs in a process of its own on the same Parquet file, one after the other, three times in turn;
the least time and the largest memory of each are printed. The counts of both have to agree.

What both count: rows that are alike in all six columns (how many groups, how small, how many rows alone),
rows alone by each column, and rows alone without each: thirteen groupings.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = ["born", "postcode", "sex", "job", "education", "children"]
PEER = """
import json, sys
import polars as pl
rows = pl.read_parquet(sys.argv[1])
columns = rows.columns
def sizes(by):
    return rows.group_by(by).len()["len"]
def alone(by):
    return int((sizes(by) == 1).sum())
every = sizes(columns)
print(json.dumps({
    "classes": len(every), "k": int(every.min()), "uniques": int((every == 1).sum()),
    "alone": [alone([c]) for c in columns],
    "without": [alone([o for o in columns if o != c]) for c in columns],
}))
"""


def invented(path, rows):
    """Write people who are spread as people are: few towns hold many."""
    import numpy as np
    import polars as pl

    drawn = np.random.default_rng(5)
    town = np.minimum(drawn.pareto(1.2, rows) * 40, 8_000).astype(int)
    pl.DataFrame(
        {
            "born": pl.Series(drawn.integers(-10_000, 13_000, rows).astype("int32")).cast(pl.Date),
            "postcode": pl.Series(10_000 + town * 7).cast(pl.String),
            "sex": pl.Series(drawn.choice(["f", "m", "x"], rows, p=[0.5, 0.49, 0.01])),
            "job": pl.Series(drawn.integers(0, 300, rows)).cast(pl.String) + " job",
            "education": drawn.integers(0, 16, rows),
            "children": np.minimum(drawn.geometric(0.45, rows) - 1, 9),
        }
    ).write_parquet(path)


def timed(command):
    """Run a command; give its output, seconds and the largest memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command  # noqa: S101
    return json.loads(output), time.perf_counter() - started, used.ru_maxrss / 1024


def main():
    """Measure and print."""
    binary, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "people.parquet")
        subprocess.run([sys.executable, __file__, "--write", path, str(rows)], check=True)  # noqa: S603
        ours = [binary, "risk", path, "--quasi", ",".join(COLUMNS), "--sets-max", "0"]
        ours += ["--format", "json", "--no-progress"]
        best = {}
        for _ in range(3):
            for name, command in (
                ("allonym", ours),
                ("polars", [sys.executable, "-c", PEER, path]),
            ):
                said, seconds, memory = timed(command)
                known = best.get(name, (None, float("inf"), 0))
                best[name] = (said, min(seconds, known[1]), max(memory, known[2]))
        told, peer = best["allonym"][0], best["polars"][0]
        assert told["classes"]["count"] == peer["classes"]  # noqa: S101
        assert told["classes"]["k"] == peer["k"]  # noqa: S101
        assert told["classes"]["uniques"] == peer["uniques"]  # noqa: S101
        assert [c["uniques_alone"] for c in told["quasi"]] == peer["alone"]  # noqa: S101
        assert [c["uniques_without"] for c in told["quasi"]] == peer["without"]  # noqa: S101
        for name, (_, seconds, memory) in best.items():
            print(f"{name:8} {seconds:7.2f} s {memory:9.0f} MiB")


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        invented(sys.argv[2], int(sys.argv[3]))
    else:
        main()
