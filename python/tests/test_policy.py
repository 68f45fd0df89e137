import copy
import json
import pathlib
import pickle
import warnings

import allonym as al
import polars as pl
import pyarrow as pa
import pytest
from invented import CANARY, POLICY


def test_what_a_policy_says(policy):
    assert policy.name == "people"
    assert policy.purpose == "a test"
    assert policy.columns == {
        "id": "pseudonymize",
        "email": "pseudonymize",
        "notes": "text",
        "fax": "drop",
        "age": "keep",
    }
    assert len(bytes.fromhex(policy.digest)) == 32
    assert repr(policy) == f"Policy('people', 5 columns, digest={policy.digest[:12]}…)"


def test_mistakes_have_a_place():
    with pytest.raises(al.PolicyError, match=r"policy:3:9: ") as caught:
        al.Policy.parse('version = 1\n[columns.fax]\ntreat = "redcat"\n')
    assert caught.value.exit_code == 2
    assert caught.value.code.startswith("ALO-P")
    with pytest.raises(al.PolicyError):
        al.Policy.parse("version = 2\n")
    with pytest.raises(al.PolicyError):
        al.Policy.parse("")
    with pytest.raises(al.PolicyError):
        al.Policy.parse("version = 1\n[polcy]\n")


def test_load_looks_upward(tmp_path, monkeypatch):
    deep = tmp_path / "project" / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    with pytest.raises(al.PolicyError, match=r"no `allonym\.toml`") as caught:
        al.Policy.load()
    assert "allonym init" in str(caught.value)
    pyproject = tmp_path / "project" / "pyproject.toml"
    pyproject.write_text('[tool.allonym]\nversion = 1\n[tool.allonym.columns.a]\ntreat = "drop"\n')
    assert al.Policy.load().columns == {"a": "drop"}
    (tmp_path / "project" / "allonym.toml").write_text(POLICY)
    assert al.Policy.load().name == "people"
    other = tmp_path / "other.toml"
    other.write_text('version = 1\n[policy]\nname = "other"\n')
    monkeypatch.setenv("ALLONYM_POLICY", str(other))
    assert al.Policy.load().name == "other"
    assert al.Policy.load(tmp_path / "project" / "allonym.toml").name == "people"


def test_load_names_the_file(tmp_path):
    with pytest.raises(al.PolicyError, match=r"nowhere\.toml"):
        al.Policy.load(tmp_path / "nowhere.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 1\n[columns.x]\n")
    with pytest.raises(al.PolicyError, match=r"bad\.toml:2:"):
        al.Policy.load(bad)
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(al.PolicyError, match=r"bad\.toml"):
        al.Policy.load(bad)


def test_relative_rings_start_from_the_policy(tmp_path, ring, monkeypatch):
    path = pathlib.Path(ring.path).parent / "allonym.toml"
    path.write_text(
        'version = 1\n[keys]\nring = "file:test.keyring"\n'
        '[columns.a]\ntreat = "pseudonymize"\njoin = "x"\n'
    )
    policy = al.Policy.load(path)
    frame = pl.DataFrame({"a": ["v"]})
    assert policy.apply(frame)["a"].to_list() == al.tokenize(["v"], keys=ring, field="x")
    again = pickle.loads(pickle.dumps(policy))
    monkeypatch.chdir(tmp_path)
    assert again.apply(frame).equals(policy.apply(frame))


def test_save_and_load(policy, tmp_path):
    policy.save(tmp_path / "allonym.toml")
    again = al.Policy.load(tmp_path / "allonym.toml")
    assert again == policy
    assert hash(again) == hash(policy)
    assert again != al.Policy.parse("version = 1\n")


def test_keep_gives_a_new_policy(policy):
    kept = policy.keep("fax", "id", reason="a test")
    assert kept.columns["fax"] == kept.columns["id"] == "keep"
    assert policy.columns["fax"] == "drop"
    assert kept.digest != policy.digest
    with pytest.raises(al.PolicyError, match="reason"):
        policy.keep("fax", reason=" ")
    with pytest.raises(al.PolicyError):
        policy.keep(reason="nothing")


def test_a_pickle_is_the_text(policy, ring, columns):
    pickled = pickle.dumps(policy)
    assert pickle.dumps(copy.copy(policy)) == pickled
    again = pickle.loads(pickled)
    assert again == policy
    frame = pl.DataFrame(columns)
    assert again.apply(frame, keys=ring).equals(policy.apply(frame, keys=ring))
    assert ring.id.encode() not in pickle.dumps(again)


@pytest.mark.filterwarnings("ignore:tokens in text")
def test_two_lines_on_a_fresh_machine(columns, tmp_path):
    frame = pl.DataFrame(columns)
    policy = al.Policy.draft(frame, purpose="a test")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        out = policy.apply(frame)
    (made,) = [str(said.message) for said in told if "created keyring" in str(said.message)]
    assert str(tmp_path / "config" / "default.keyring") in made
    assert al.Keyring.open().keys[0].id in made
    assert policy.columns["email"] == "pseudonymize"
    assert out["email"].to_list() != columns["email"]
    # The second time the ring is there, and the tokens are the same.
    assert policy.keep("age", reason="why not").apply(frame)["email"].equals(out["email"])


def test_no_ring_is_minted_for_a_loaded_policy(policy, columns, tmp_path):
    frame = pl.DataFrame(columns)
    for loaded in (policy, pickle.loads(pickle.dumps(al.Policy.draft(frame)))):
        with pytest.raises(al.KeyStoreError) as caught:
            loaded.apply(frame)
        assert caught.value.exit_code == 4
        assert "allonym key new" in str(caught.value)
    assert not (tmp_path / "config").exists()


def test_keys_by_reference(policy, ring, keys, columns, monkeypatch):
    frame = pl.DataFrame(columns)
    wanted = policy.apply(frame, keys=ring)
    assert policy.apply(frame, keys=keys).equals(wanted)
    monkeypatch.setenv("ALLONYM_KEYS", keys)
    assert policy.apply(frame).equals(wanted)


def test_no_ring_is_opened_where_none_is_needed():
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "redact"\n')
    assert policy.apply(pl.DataFrame({"a": ["x"]}))["a"].to_list() == [None]


def test_draft_lists_every_column(columns):
    policy = al.Policy.draft(pl.DataFrame(columns), purpose="pricing", name="people")
    assert list(policy.columns) == list(columns)
    assert policy.purpose == "pricing"
    assert policy.name == "people"
    assert al.Policy.parse(policy.to_toml()) == policy
    assert "@example.org" not in policy.to_toml()


def test_run_gives_a_receipt(policy, ring, columns):
    frame = pl.DataFrame(columns)
    run = policy.run(frame, keys=ring)
    assert run.data.equals(policy.apply(frame, keys=ring))
    assert run.receipt["schema"] == "allonym.receipt/1"
    assert run.receipt["rows"] == 40
    assert run.receipt["policy"] == {"sha256": policy.digest}
    assert run.receipt["keys"] == [{"id": ring.keys[0].id, "epoch": 1, "domain": "default"}]
    assert run.receipt["inputs"] == run.receipt["outputs"] == []
    told = {column["name"]: column for column in run.receipt["columns"]}
    assert told["email"]["treatment"] == "pseudonymize"
    assert told["email"]["treated"] == 40
    assert told["notes"]["findings"] == {"EMAIL_ADDRESS": 40}
    assert told["fax"]["nulls"] == 14
    assert "@example.org" not in json.dumps(run.receipt)
    assert run.warnings == []
    assert repr(run) == "Run(polars.DataFrame, 40 rows, 0 warnings)"


def test_a_policy_names_its_ledger(ring, columns, tmp_path):
    policy = al.Policy.parse(
        POLICY.replace(
            "version = 1",
            f'''version = 1
[keys]
ledger = "{tmp_path}/audit"''',
        )
    )
    policy.run(pl.DataFrame(columns), keys=ring)
    assert (tmp_path / "audit" / "segments").is_dir()
    assert not (tmp_path / "keys" / "test.keyring.ledger").exists()


def test_a_run_that_cannot_be_written_down_says_so(policy, ring, columns, tmp_path):
    (tmp_path / "keys" / "test.keyring.ledger").write_text("in the way")
    run = policy.run(pl.DataFrame(columns), keys=ring)
    (told,) = run.warnings
    assert "stands in no ledger" in told
    assert run.receipt["signature"] is None
    assert run.receipt["warnings"] == []


def test_receipts_can_be_repeated(policy, ring, columns, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    frame = pl.DataFrame(columns)
    assert policy.run(frame, keys=ring).receipt == policy.run(frame, keys=ring).receipt


def test_few_distinct_values_are_told(ring):
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    frame = pl.DataFrame({"a": ["x", "y"] * 6000})
    with pytest.warns(al.AllonymWarning, match="2 distinct values"):
        policy.apply(frame, keys=ring)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (told,) = policy.run(frame, keys=ring).warnings
    assert "`a`" in told


def test_check_says_what_would_be_done(policy, ring, columns):
    check = policy.check(pl.DataFrame(columns), keys=ring)
    assert check.ok
    assert check.problems == ()
    assert [(column.name, column.treatment) for column in check.columns] == list(
        policy.columns.items()
    )
    assert "pseudonymize" in repr(check)
    assert check._repr_html_().count("<td>pseudonymize</td>") == 2
    assert check.to_polars().rows() == [tuple(column) for column in check.columns]
    for schema in (
        pl.DataFrame(columns).schema,
        pa.table(columns).schema,
        pl.DataFrame(columns).lazy(),
        pa.table(columns).to_reader(),
    ):
        assert policy.check(schema, keys=ring).columns == check.columns


def test_check_finds_what_is_wrong_without_raising(policy, ring, columns):
    frame = pl.DataFrame({**columns, "extra": [1] * 40}).drop("age")
    check = policy.check(frame, keys=ring)
    assert not check.ok
    (problem,) = check.problems
    assert isinstance(problem, al.AllonymError)
    assert "extra" in str(problem)
    assert "age" in str(problem)
    assert check.columns == ()
    assert repr(check).startswith("does not fit")
    assert "does not fit" in check._repr_html_()
    assert check.to_polars().shape == (0, 4)
    keyless = policy.check(pl.DataFrame(columns))
    assert isinstance(keyless.problems[0], al.KeyStoreError)
    with pytest.raises(TypeError, match=r"\.ok"):
        bool(check)


def test_match_by_entity_looks_at_the_rows_first(ring):
    policy = al.Policy.parse(
        'version = 1\n[policy]\nunlisted = "keep"\nunlisted_reason = "a test"\n'
        '[[match]]\nentity = "EMAIL_ADDRESS"\ntreat = "redact"\n'
    )
    frame = pl.DataFrame({"c": [f"p{n}@example.org" for n in range(50)], "d": list(range(50))})
    out = policy.apply(frame, keys=ring)
    assert out["c"].null_count() == 50
    assert out["d"].equals(frame["d"])
    for once in (frame.lazy(), frame.to_arrow().to_reader()):
        with pytest.raises(al.PolicyError, match="twice"):
            policy.apply(once, keys=ring)


def test_nothing_shows_a_cell(ring):
    frame = pl.DataFrame({"email": [CANARY] * 50, "age": list(range(50))})
    policy = al.Policy.draft(frame)
    run = policy.run(frame, keys=ring)
    shown = [
        repr(policy),
        policy._repr_html_(),
        str(policy._repr_mimebundle_()),
        policy.to_toml(),
        repr(run),
        json.dumps(run.receipt),
        repr(policy.check(frame, keys=ring)),
        str(pickle.dumps(policy)),
    ]
    for text in shown:
        assert CANARY not in text
        assert "kanarie" not in text
