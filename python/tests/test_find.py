import pickle

import allonym as al
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from invented import CANARY

TEXTS = ["Grüße 😀 an zoe@example.org, danke", None, "nichts", "a@example.org b@example.org"]
MAIL = {"entities": ["EMAIL_ADDRESS"]}


def places(spans):
    return [(span.start, span.end, span.entity) for span in spans]


def test_positions_count_code_points():
    text = TEXTS[0]
    (span,) = al.find(text, **MAIL)
    assert text[span.start : span.end] == "zoe@example.org"
    assert span.entity == "EMAIL_ADDRESS"
    assert 0.5 <= span.score <= 1.0
    assert span.rule.startswith("EMAIL_ADDRESS")


def test_nothing_is_found_in_nothing():
    assert al.find("") == []
    assert al.find("zoe@example.org", entities=["IBAN_CODE"]) == []


def test_weak_shapes_are_told_on_request():
    shape = "123456789"
    strong = al.find(shape, entities=["US_SSN"])
    weak = al.find(shape, entities=["US_SSN"], min_score=0.0)
    assert len(weak) >= len(strong)
    assert all(span.score < 0.5 for span in weak if span not in strong)


def test_span_is_a_value_without_text():
    (span,) = al.find("mail " + CANARY, **MAIL)
    again = pickle.loads(pickle.dumps(span))
    assert again == span
    assert hash(again) == hash(span)
    assert again != al.Span(0, 1, "EMAIL_ADDRESS", 0.5, "EMAIL_ADDRESS")
    assert CANARY not in repr(span)
    assert CANARY.encode() not in pickle.dumps(span)
    assert repr(al.Span(1, 3, "IBAN_CODE", 0.95, "IBAN_CODE")) == (
        'Span(start=1, end=3, entity="IBAN_CODE", score=0.95, rule="IBAN_CODE")'
    )


def test_batch_equals_one_by_one():
    spans = al.find_batch(TEXTS, **MAIL)
    one_by_one = [al.find(text or "", **MAIL) for text in TEXTS]
    assert spans.by_document() == one_by_one
    assert len(spans) == 3
    assert spans.documents == 4


@pytest.mark.parametrize(
    "texts",
    [
        tuple(TEXTS),
        pl.Series(TEXTS),
        pl.Series(TEXTS, dtype=pl.Categorical),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype=object),
        pd.Series(TEXTS, dtype="category"),
        np.array(TEXTS, dtype=object),
        pa.array(TEXTS),
        pa.array(TEXTS, pa.large_string()),
        pa.array(TEXTS, pa.string_view()),
        pa.array(TEXTS).dictionary_encode(),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
    ],
    ids=lambda texts: f"{type(texts).__module__}.{type(texts).__name__}",
)
def test_every_container_of_text(texts):
    assert al.find_batch(texts, **MAIL).by_document() == al.find_batch(TEXTS, **MAIL).by_document()


def test_spans_are_an_arrow_table():
    spans = al.find_batch(TEXTS, **MAIL)
    frame = pl.DataFrame(spans)
    assert frame.columns == ["doc", "start", "end", "entity", "score", "rule"]
    assert frame["doc"].to_list() == [0, 3, 3]
    assert frame["start"].to_list() == [11, 0, 14]
    table = pa.table(spans)
    assert table.num_rows == 3
    assert table.schema.field("start").type == pa.int64()
    assert repr(spans) == "Spans(3 in 4 documents)"
    assert pa.table(al.find_batch([])).num_rows == 0


def test_redact_gives_back_what_it_was_given():
    assert al.redact("an zoe@example.org, danke", **MAIL) == "an <EMAIL>, danke"
    wanted = ["Grüße 😀 an <EMAIL>, danke", None, "nichts", "<EMAIL> <EMAIL>"]
    assert al.redact(TEXTS, **MAIL) == wanted
    assert al.redact(tuple(TEXTS), **MAIL) == tuple(wanted)
    series = al.redact(pl.Series("t", TEXTS), **MAIL)
    assert series.to_list() == wanted
    assert series.dtype == pl.String
    assert series.name == "t"
    frame = pd.Series(TEXTS, index=[4, 5, 6, 7], name="t")
    redacted = al.redact(frame, **MAIL)
    assert redacted.index.tolist() == [4, 5, 6, 7]
    assert redacted.name == "t"
    assert redacted.dtype == frame.dtype
    assert redacted.tolist()[0] == wanted[0]
    for array in (
        pa.array(TEXTS),
        pa.array(TEXTS, pa.string_view()),
        pa.array(TEXTS, pa.large_string()),
        pa.array(TEXTS).dictionary_encode(),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
    ):
        out = al.redact(array, **MAIL)
        assert type(out) is type(array)
        assert out.type == array.type
        assert out.to_pylist() == wanted
    out = al.redact(np.array(TEXTS, dtype=object), **MAIL)
    assert out.dtype == object
    assert out.tolist() == wanted


def test_names_of_entities_are_checked():
    with pytest.raises(al.RuleError, match="EMAIL_ADDRESS"):
        al.find("x", entities=["EMAIL_ADRESS"])
    with pytest.raises(al.UsageError, match="min_score"):
        al.find("x", min_score=1.5)
    with pytest.raises(al.UsageError, match="min_score"):
        al.find("x", min_score=float("nan"))
    with pytest.raises(al.UsageError, match="recall, balanced, precision, off"):
        al.find("x", names="all")
    with pytest.raises(TypeError):
        al.find("x", entities="EMAIL_ADDRESS")


def test_what_is_no_text_is_refused_without_quoting_it():
    with pytest.raises(TypeError, match="expected a string, not `int`"):
        al.find(4711471147)
    with pytest.raises(TypeError, match="item 1: expected a string, not `int`") as caught:
        al.find_batch(["a", 4711471147])
    assert "4711471147" not in str(caught.value)
    with pytest.raises(al.DataError, match="expected text"):
        al.find_batch(pa.array([4711471147]))
    with pytest.raises(TypeError, match="capsule"):
        al.find_batch(object())
    with pytest.raises(al.DataError, match="surrogate") as caught:
        al.find(CANARY + "\ud800")
    assert CANARY not in str(caught.value)


def test_bytes_that_are_no_utf8_are_refused():
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(al.DataError, match="UTF-8"):
        al.find_batch(bad)


def test_validate():
    assert al.validate("IBAN_CODE", "DE89 3704 0044 0532 0130 00")
    assert not al.validate("IBAN_CODE", "DE88 3704 0044 0532 0130 00")
    assert not al.validate("IBAN_CODE", "")
    assert al.validate("CREDIT_CARD", "4012 8888 8888 1881")
    assert not al.validate("CREDIT_CARD", "4012 8888 8888 1882")
    with pytest.raises(al.RuleError, match="IBAN_CODE") as caught:
        al.validate("IBAN_COD", CANARY)
    assert isinstance(caught.value, ValueError)
    assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        al.validate("IBAN_CODE", 7)


def test_rules_are_listed():
    rules = al.rules()
    assert [rule["id"] for rule in rules] == sorted(rule["id"] for rule in rules)
    assert {"EMAIL_ADDRESS", "IBAN_CODE", "CREDIT_CARD"} <= {rule["entity"] for rule in rules}
    assert all(rule["source"] for rule in rules)
