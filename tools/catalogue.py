"""Writes docs/catalogue.md: what is looked for, where it is described, and how well it is found.

allonym eval TRAINING.jsonl --format json > docs/measured.json
allonym rules list --format json | python tools/catalogue.py docs/measured.json > docs/catalogue.md
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

HEAD = """# What is looked for

{entities} entities, {rules} rules, {countries} countries; written by `tools/catalogue.py` from the rule files in
`recognizers/`. Precision and recall are by overlap, with 95 % intervals, on labelled text that rules were
tuned on (`docs/measured.json`, {documents} documents); they stand where ten or more findings or marked spans
were counted. Where nothing stands, nothing was measured: examples, near-misses and the published cases of
other tools are what speaks for such a rule.
"""


def page(rules: dict, measured: dict) -> str:
    """Write the page, from the JSON of `rules list` and of `eval`."""
    checks = defaultdict(set)
    for rule in rules["rules"]:
        checks[rule["entity"]].update(rule["checks"])
    head = HEAD.format(
        entities=len(rules["entities"]),
        rules=len(rules["rules"]),
        countries=len(rules["countries"]),
        documents=f"{measured['documents']:,}",
    )
    lines = [head]
    for group in ("direct", "quasi", "sensitive", "secret"):
        lines += [
            f"## {group.capitalize()}",
            "",
            "| entity | what | countries | category | check | precision | recall | source |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for entity in rules["entities"]:
            if entity["group"] == group:
                cells = [
                    f"`{entity['name']}`",
                    entity["title"],
                    " ".join(entity["countries"]),
                    entity["category"],
                    " ".join(sorted(checks[entity["name"]])),
                    *rates(measured["entities"].get(entity["name"])),
                    entity["source"],
                ]
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def rates(scored: dict | None) -> list[str]:
    """Spell precision and recall for the table."""
    if scored is None:
        return ["", ""]
    counts = (scored["found"], scored["gold"])
    values = (scored["overlap"]["precision"], scored["overlap"]["recall"])
    return [
        f"{value['value']:.3f} ({value['low']:.3f}–{value['high']:.3f})" if count >= 10 else ""
        for count, value in zip(counts, values, strict=True)
    ]


if __name__ == "__main__":
    sys.stdout.write(page(json.load(sys.stdin), json.loads(Path(sys.argv[1]).read_text())))
