"""Sets the scores of rules to what was measured.

    allonym eval TRAINING.jsonl --format json > measured.json
    python tools/calibrate.py measured.json recognizers

A score is a probability: of findings of a rule on the same grounds (a check that passed, a phrase near
by), the share that is right. Where at least FINDINGS_MIN were measured, the score becomes the mean of the
beta distribution that starts from the present score, as if seen PRIOR times, and has then seen them. A
finding that counts (0.5 and more) stays one, whatever was measured: what is looked for is decided by
people.
"""

import json
import re
import sys
from pathlib import Path

FINDINGS_MIN = 10
PRIOR = 5
COUNTS_FROM = 0.5
MOST = 0.99


def calibrated(score: float, row: dict | None) -> float:
    """Give a score what was measured of it."""
    if row is None or score < COUNTS_FROM:
        return score
    right = row["precision"]["value"] * row["findings"]
    mean = (score * PRIOR + right) / (PRIOR + row["findings"])
    return min(max(round(mean, 2), COUNTS_FROM), MOST)


def scores(rule: str, line: str, measured: dict[tuple[str, str], dict]) -> str:
    """Set the scores of one pattern, without and with a phrase near by."""
    old = {name: float(score) for name, score in re.findall(r"(\w+) = ([0-9.]+)", line)}
    rows = {name: measured.get((rule, name)) for name in old}
    new = {name: calibrated(score, rows[name]) for name, score in old.items()}
    if len(new) == 2 and new != old:
        # A phrase never speaks against: the less measured of the two follows the other.
        plain, best = new
        if new[best] < new[plain]:
            seen = {name: row["findings"] if row else 0 for name, row in rows.items()}
            less, more = (plain, best) if seen[plain] < seen[best] else (best, plain)
            new[less] = new[more]
    return "score = { " + ", ".join(f"{name} = {score:g}" for name, score in new.items()) + " }"


def rewrite(text: str, measured: dict[tuple[str, str], dict]) -> str:
    """Set the scores of one rule file; everything else stays as it is."""
    entity = re.search(r'(?m)^entity = "(\w+)"', text).group(1)
    patterns = re.split(r"(?m)^(?=\[\[pattern\]\])", text)
    for at, pattern in enumerate(patterns[1:], 1):
        name = re.search(r'(?m)^id = "([^"]+)"', pattern)
        rule = f"{entity}/{name.group(1)}" if name else entity
        line = re.search(r"(?m)^score = .*$", pattern)
        if line and any(known == rule for known, _ in measured):
            line = line.group(0)
            patterns[at] = pattern.replace(line, scores(rule, line, measured), 1)
    return "".join(patterns)


def main() -> None:
    """Rewrite the rule files and name those that changed."""
    report, folder = sys.argv[1:]
    rows = json.loads(Path(report).read_text())["by_rule"]
    measured = {
        (row["rule"], row["grounds"]): row for row in rows if row["findings"] >= FINDINGS_MIN
    }
    for path in sorted(Path(folder).rglob("*.toml")):
        text = path.read_text()
        if path.parent.name != "sets" and (new := rewrite(text, measured)) != text:
            path.write_text(new)
            print(path)


if __name__ == "__main__":
    main()
