import json
import pathlib

import allonym as al
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from invented import data_folder

VALUES = ["Zoe Muster", None, "zoe muster", "Ada Beispiel", ""]

# Of the published vectors of the derivation; keys and names are invented.
SECRET = bytes.fromhex("43561244a461025a794c2123b85d697e75bf9ee31c76b732ed56679a02637266")
RING_ID = bytes.fromhex("58475f8b8487f8edf94ce1457f6ab65c")


def derive(value, **changed):
    arguments = {
        "epoch_secret": SECRET,
        "keyring_id": RING_ID,
        "tenant": "acme",
        "domain": "training",
        "field": "customer.name",
        "usage": "token",
        "profile": "casefold",
        "label": "PERSON",
    }
    return al.danger.derive_token(**{**arguments, **changed}, value=value)


def test_published_vectors():
    derived = derive("José  Ángel")
    assert derived == {
        "info_hex": (
            "616c6c6f6e796d2f76310005746f6b656e000461636d650008747261696e696e67000d63757374"
            "6f6d65722e6e616d65"
        ),
        "derived_key": "d540f1ba51f0d10b56628a383c8aebecd454c6ac9564361a5187692204e34e4b",
        "normalised": "josé  ángel",
        "mac": "51bc3598c697891f85bed582102174c458ab08d365f495a0d2b35afe65869cc3",
        "token_hex128": "51bc3598c697891f85bed582102174c4",
        "token_b32_130": "A6Y3B666JY4HZ1DYTP1108BMRH",
        "token_b62_128": "2UEOCiQeeGRwc6a33xmz9I",
        "typed_80": "PERSON_A6Y3B666JY4HZ1DYW",
    }
    assert derive("JOSÉ  ÁNGEL")["token_b62_128"] == derived["token_b62_128"]


@pytest.mark.parametrize(
    "changed",
    [
        {"tenant": "acme2"},
        {"domain": "train"},
        {"field": "customer"},
        {"usage": "vault"},
        {"profile": "exact"},
        {"epoch_secret": bytes(32)},
        {"keyring_id": bytes(16)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_everything_goes_into_the_token(changed):
    assert derive("josé ángel", **changed)["mac"] != derive("josé ángel")["mac"]


def test_derivation_refuses_wrong_arguments():
    with pytest.raises(al.UsageError, match="epoch_secret has 31 bytes; it must have 32"):
        derive("x", epoch_secret=bytes(31))
    with pytest.raises(al.UsageError, match="keyring_id has 17 bytes; it must have 16"):
        derive("x", keyring_id=bytes(17))
    with pytest.raises(al.UsageError, match="exact, casefold, iban"):
        derive("x", profile="phone")
    with pytest.raises(al.AllonymError):
        derive("x", label="person")


def test_all_published_vectors():
    path = pathlib.Path(data_folder(), "crypto_vectors", "proposal", "token_kat.json")
    cases = json.loads(path.read_text())["tests"]
    assert len(cases) >= 40
    for case in cases:
        derived = al.danger.derive_token(
            epoch_secret=bytes.fromhex(case["epoch_secret"]),
            keyring_id=bytes.fromhex(case["keyring_id"]),
            tenant=case["tenant"],
            domain=case["domain"],
            field=case["field"],
            usage=case["usage"],
            profile=case["norm_profile"],
            value=case["value"],
            label=case["typed_80"].rpartition("_")[0],
        )
        for name, value in derived.items():
            assert case[name] == value, name


def test_tokens_keep_equality_and_nulls(ring):
    tokens = al.tokenize(VALUES, keys=ring, field="name", profile="casefold")
    assert tokens[1] is None
    assert tokens[0] == tokens[2]
    assert len({tokens[0], tokens[3], tokens[4]}) == 3
    assert all(len(token) == 22 and token.isalnum() for token in tokens if token is not None)
    exact = al.tokenize(VALUES, keys=ring, field="name")
    assert exact[0] != exact[2]
    assert exact[0] != tokens[0]


@pytest.mark.parametrize(
    "changed", [{"field": "other"}, {"domain": "other"}], ids=lambda changed: next(iter(changed))
)
def test_fields_and_domains_do_not_join(ring, changed):
    one = al.tokenize(["a"], keys=ring, field="name")
    assert al.tokenize(["a"], keys=ring, **{"field": "name", **changed}) != one


def test_formats(ring):
    def token(name):
        return al.tokenize(["a", None], keys=ring, field="name", format=name)[0]

    assert len(token("hex")) == 32
    assert len(token("crockford")) == 26
    assert token("binary") == bytes.fromhex(token("hex"))
    out = al.tokenize(pa.array(["a", None]), keys=ring, field="name", format="binary")
    assert out.type == pa.binary(16)
    assert out.to_pylist() == [token("binary"), None]


def test_every_container_gives_its_like(ring):
    wanted = al.tokenize(VALUES, keys=ring, field="name")
    options = {"keys": ring, "field": "name"}
    series = al.tokenize(pl.Series("n", VALUES), **options)
    assert (series.name, series.dtype, series.to_list()) == ("n", pl.String, wanted)
    frame = pd.Series(VALUES, index=list("abcde"), name="n")
    out = al.tokenize(frame, **options)
    assert out.index.tolist() == list("abcde")
    assert (out.name, out.dtype) == ("n", frame.dtype)
    assert out.dropna().tolist() == [token for token in wanted if token]
    plain = al.tokenize(frame.astype(object), **options)
    assert plain.dtype == object
    for array in (
        pa.array(VALUES),
        pa.array(VALUES, pa.large_string()),
        pa.array(VALUES, pa.string_view()),
        pa.array(VALUES).dictionary_encode(),
        pa.chunked_array([VALUES[:2], VALUES[2:]]),
    ):
        out = al.tokenize(array, **options)
        assert type(out) is type(array)
        assert out.type == array.type
        assert out.to_pylist() == wanted
    out = al.tokenize(np.array(VALUES, dtype=object), **options)
    assert out.dtype == object
    assert out.tolist() == wanted
    assert al.tokenize([], **options) == []
    assert al.tokenize(pa.array([], pa.string()), **options).to_pylist() == []


def test_whole_numbers_are_their_decimal(ring):
    options = {"keys": ring, "field": "id"}
    wanted = al.tokenize(["7", "-12", None], **options)
    assert al.tokenize([7, -12, None], **options) == wanted
    assert al.tokenize(pl.Series([7, -12, None]), **options).to_list() == wanted
    assert al.tokenize(pa.array([7, -12, None], pa.int8()), **options).to_pylist() == wanted
    assert al.tokenize(np.array([7, -12]), **options).tolist() == wanted[:2]
    whole = pd.Series([7, -12, None], dtype="Int64")
    assert al.tokenize(whole, **options).tolist()[:2] == wanted[:2]
    assert al.tokenize([10**30], **options) == al.tokenize([str(10**30)], **options)
    assert al.tokenize([float("nan")], **options) == [None]


@pytest.mark.parametrize(
    "values",
    [[1.0], pl.Series([1.0]), pd.Series([1.0]), pa.array([1.0]), np.array([1.0])],
    ids=lambda values: f"{type(values).__module__}.{type(values).__name__}",
)
def test_floats_are_no_ids(ring, values):
    with pytest.raises(al.PolicyError, match="float"):
        al.tokenize(values, keys=ring, field="id")


def test_wrong_arguments(ring):
    with pytest.raises(al.UsageError, match="base62, hex, crockford, binary"):
        al.tokenize(["a"], keys=ring, field="x", format="base64")
    with pytest.raises(al.UsageError, match="exact, casefold, iban"):
        al.tokenize(["a"], keys=ring, field="x", profile="phone")
    with pytest.raises(TypeError, match="field"):
        al.tokenize(["a"], keys=ring)
    with pytest.raises(TypeError, match="item 1: expected a string or a whole number, not `bool`"):
        al.tokenize(["a", True], keys=ring, field="x")
    with pytest.raises(al.DataError, match="2 dimensions"):
        al.tokenize(np.array([["a"]], dtype=object), keys=ring, field="x")
    with pytest.raises(al.KeyStoreError):
        al.tokenize(["a"], keys=ring, field="x", key="no-such-key")
    with pytest.raises(al.KeyStoreError):
        al.tokenize(["a"], keys=ring, field="x", tenant="nobody")
    with pytest.raises(al.PolicyError):
        al.tokenize(["a"], keys=ring, field="")


def test_names_that_look_like_toml_are_names(ring):
    hostile = 'x"\n[columns.y]\ntreat = "keep'
    assert al.tokenize(["a"], keys=ring, field=hostile) != al.tokenize(["a"], keys=ring, field="x")


def test_key_by_label_and_id(ring):
    wanted = al.tokenize(["a"], keys=ring, field="x")
    assert al.tokenize(["a"], keys=ring, field="x", key="test-2026") == wanted
    assert al.tokenize(["a"], keys=ring, field="x", key=ring.keys[0].id) == wanted


def test_keys_left_out(keys, monkeypatch):
    with pytest.raises(al.KeyStoreError) as caught:
        al.tokenize(["a"], field="x")
    assert caught.value.exit_code == 4
    assert "allonym key new" in str(caught.value)
    wanted = al.tokenize(["a"], keys=keys, field="x")
    monkeypatch.setenv("ALLONYM_KEYS", keys)
    assert al.tokenize(["a"], field="x") == wanted
    monkeypatch.delenv("ALLONYM_KEYS")
    monkeypatch.setenv("MY_RING", keys)
    assert al.tokenize(["a"], field="x", keys="env:MY_RING") == wanted
