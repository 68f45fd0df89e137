"""How well the detector does on labelled text."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import allonym as al
import pytest

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "Grüße an zora@example.org und otto@example.org"


def marked(text: str, value: str, label: str) -> dict[str, Any]:
    start = text.index(value)
    return {"text": text, "spans": [{"start": start, "end": start + len(value), "label": label}]}


def test_documents_and_files_give_the_same(tmp_path: Path) -> None:
    documents = [marked(TEXT, "zora@example.org", "EMAIL"), marked("x 1234", "1234", "EMAIL")]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    evaluation = al.evaluate(documents)
    assert evaluation.to_json() == al.evaluate(path).to_json()
    mail = evaluation.entities["EMAIL_ADDRESS"]
    assert (mail["gold"], mail["found"]) == (2, 2)
    assert mail["strict"]["precision"]["value"] == 0.5
    assert mail["leak_rate"]["value"] == 4 / 20
    assert mail["leak_rate"]["low"] <= 0.2 <= mail["leak_rate"]["high"]


def test_labels_of_ones_own_and_a_baseline() -> None:
    documents = [marked(TEXT, "zora@example.org", "Kontakt")]
    assert al.evaluate(documents).overall["gold"] == 0
    before = al.evaluate(documents, labels={"Kontakt": "EMAIL_ADDRESS"})
    assert before.entities["EMAIL_ADDRESS"]["gold"] == 1
    after = al.evaluate(
        documents,
        labels={"Kontakt": ["EMAIL_ADDRESS", "PHONE_NUMBER"]},
        entities=["PHONE_NUMBER"],
        baseline=before,
    )
    assert after.entities["Kontakt"]["found"] == 0
    assert after.changes is not None
    assert after.changes["overall"]["overlap_recall"] == -1.0
    with pytest.raises(al.UsageError, match="EMAIL_ADRESS"):
        al.evaluate(documents, labels={"Kontakt": "EMAIL_ADRESS"})


def test_it_shows_rates_and_no_text() -> None:
    evaluation = al.evaluate([marked(TEXT, "zora@example.org", "EMAIL")])
    for shown in (repr(evaluation), evaluation._repr_html_(), evaluation.to_json()):
        assert "EMAIL_ADDRESS" in shown
        assert "zora" not in shown
    assert pickle.loads(pickle.dumps(evaluation)).to_json() == evaluation.to_json()
    frame = evaluation.to_polars()
    assert frame.columns[:3] == ["entity", "gold", "found"]
    assert frame.row(0)[:3] == ("EMAIL_ADDRESS", 1, 2)


def test_spans_outside_their_text_are_refused_without_it() -> None:
    document = {"text": "canary-7f3a", "spans": [{"start": 0, "end": 99, "label": "EMAIL"}]}
    with pytest.raises(al.DataError, match="line 1") as raised:
        al.evaluate([document])
    assert "canary" not in str(raised.value)
