import pickle
import subprocess
import sys
import textwrap
import traceback

import allonym as al
import polars as pl
import pyarrow as pa
import pytest
from allonym import _allonym
from invented import CANARY

KINDS = [
    al.DataError,
    al.InternalError,
    al.KeyStoreError,
    al.PolicyError,
    al.RuleError,
    al.StorageError,
    al.UsageError,
]


@pytest.mark.parametrize("kind", KINDS)
def test_exceptions_pickle(kind):
    error = kind("what is wrong", "ALO-D001", "what to do", 3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert isinstance(again, al.AllonymError)
    assert (again.code, again.hint, again.exit_code) == ("ALO-D001", "what to do", 3)
    assert str(again) == "what is wrong; what to do [ALO-D001]"


@pytest.mark.parametrize(
    ("text", "kind", "exit_code"),
    [
        ('version = 1\n[columns.b]\ntreat = "drop"\n', al.DataError, 3),
        ("version = 1\n", al.PolicyError, 1),
        ('version = 1\n[columns.a]\ntreat = "pseudonymize"\n', al.KeyStoreError, 4),
        (
            'version = 1\n[columns.a]\ntreat = "generalize"\nbits = 24\n[columns.b]\n',
            al.PolicyError,
            2,
        ),
        ('version = 1\n[find]\nrules = ["nowhere/"]\n', al.RuleError, 2),
    ],
)
def test_each_mistake_has_its_kind(text, kind, exit_code):
    with pytest.raises(al.AllonymError) as caught:
        al.Policy.parse(text).apply(pl.DataFrame({"a": [CANARY]}))
    error = caught.value
    # A missing column and an unlisted one together: the graver counts.
    assert error.exit_code == exit_code
    assert CANARY not in "".join(traceback.format_exception(error))
    if kind is al.DataError:
        assert isinstance(error, (al.DataError, al.PolicyError))
    else:
        assert type(error) is kind


def test_errors_of_cells_do_not_quote_them(ring):
    mixed = [CANARY, 7]
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    attempts = [
        lambda: al.find_batch(mixed),
        lambda: al.redact([*mixed]),
        lambda: al.tokenize([CANARY, 1.5], keys=ring, field="x"),
        lambda: al.tokenize([CANARY, object()], keys=ring, field="x"),
        lambda: al.validate("NO_SUCH_ENTITY", CANARY),
        lambda: policy.apply(pl.DataFrame({"a": [True]}), keys=ring),
        lambda: policy.apply(pl.DataFrame({"a": [1.5], CANARY[:3]: [CANARY]}), keys=ring),
        lambda: al.find(CANARY, names=CANARY[:0]),
    ]
    for attempt in attempts:
        with pytest.raises((al.AllonymError, TypeError)) as caught:
            attempt()
        told = "".join(traceback.format_exception(caught.value))
        assert "kanarie" not in told
        assert "kanarie" not in repr(caught.value.__dict__)


def test_text_that_is_no_utf8_is_refused(ring):
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(al.DataError, match="UTF-8"):
        policy.apply(pa.table({"a": bad}), keys=ring)
    with pytest.raises(al.DataError):
        policy.apply(pa.table({"a": bad}).to_reader(), keys=ring).read_all()


@pytest.mark.skipif(not hasattr(_allonym, "panic_with"), reason="a release build cannot panic so")
def test_a_panic_is_an_internal_error_without_its_text():
    code = f"""
        import allonym as al
        from allonym import _allonym
        try:
            _allonym.panic_with("{CANARY}")
        except al.InternalError as error:
            print(error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert "internal error at" in run.stdout
    assert "failure.rs" in run.stdout
    assert "ALO-X005" in run.stdout
    assert run.stderr == ""
    assert CANARY not in run.stdout
