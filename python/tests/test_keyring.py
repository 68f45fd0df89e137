import pathlib
import pickle

import allonym as al
import pytest


def test_a_new_ring_has_one_active_key(ring):
    (key,) = ring.keys
    assert (key.label, key.tenant, key.state, key.epoch) == ("test-2026", "default", "active", 1)
    assert len(key.id) == 5
    assert len(bytes.fromhex(ring.id)) == 16
    assert key.created.endswith("Z")
    assert pathlib.Path(ring.path).stat().st_mode & 0o077 == 0


def test_the_clock_can_be_set(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    ring = al.Keyring.create(tmp_path / "keys" / "dated.keyring")
    assert ring.keys[0].created == "2026-09-21T14:13:20Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(al.UsageError, match="SOURCE_DATE_EPOCH"):
        al.Keyring.create(tmp_path / "keys" / "other.keyring")


def test_repr_shows_ids_only(ring):
    assert repr(ring) == f'Keyring(id="{ring.id}", keys=[{ring.keys[0].id}])'
    assert ring.keys[0].label in repr(ring.keys[0])


def test_opening_again_gives_the_same_tokens(ring, keys):
    again = al.Keyring.open(keys)
    assert again.id == ring.id
    assert again.keys == ring.keys
    assert al.tokenize(["a"], keys=again, field="x") == al.tokenize(["a"], keys=ring, field="x")


def secrets_of(ring):
    """What the files of a ring hold: sealed secrets, and the key that opens them."""
    files = [pathlib.Path(ring.path), pathlib.Path(ring.path + ".key")]
    words = [word for file in files for word in file.read_text().split('"')]
    # Whatever is long enough to be a secret, sealed or not, but for the id that may be told.
    return [word for word in words if len(word) >= 32 and word != ring.id and " " not in word]


def test_a_pickle_is_a_reference(ring):
    pickled = pickle.dumps(ring)
    assert len(pickled) < 300 + len(ring.path)
    assert ring.path.encode() in pickled
    assert ring.id.encode() in pickled
    secrets = secrets_of(ring)
    assert secrets
    for secret in secrets:
        assert secret.encode() not in pickled
    again = pickle.loads(pickled)
    assert again.id == ring.id
    assert al.tokenize(["a"], keys=again, field="x") == al.tokenize(["a"], keys=ring, field="x")


def test_a_pickle_refuses_another_ring(ring, tmp_path):
    pickled = pickle.dumps(ring)
    other = al.Keyring.create(tmp_path / "keys" / "other.keyring")
    for suffix in ("", ".key"):
        pathlib.Path(other.path + suffix).replace(ring.path + suffix)
    with pytest.raises(al.KeyStoreError, match=f"is {other.id}, not {ring.id}"):
        pickle.loads(pickled)
    pathlib.Path(ring.path).unlink()
    with pytest.raises(al.KeyStoreError):
        pickle.loads(pickled)


def test_never_over_an_older_ring(ring):
    with pytest.raises(al.KeyStoreError):
        al.Keyring.create(ring.path)


def test_passphrase(tmp_path, monkeypatch):
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("an invented passphrase")
    path = tmp_path / "keys" / "locked.keyring"
    ring = al.Keyring.create(path, passphrase_file=passphrase)
    assert not pathlib.Path(f"{path}.key").exists()
    assert al.Keyring.open(str(path), passphrase_file=passphrase).id == ring.id
    with pytest.raises(al.KeyStoreError, match="passphrase"):
        al.Keyring.open(str(path))
    wrong = tmp_path / "wrong"
    wrong.write_text("another invented passphrase")
    with pytest.raises(al.KeyStoreError) as caught:
        al.Keyring.open(str(path), passphrase_file=wrong)
    assert "invented" not in str(caught.value)
    monkeypatch.setenv("ALLONYM_KEYRING_PASSPHRASE_FILE", str(passphrase))
    assert pickle.loads(pickle.dumps(ring)).id == ring.id


def test_refused_rings(ring, tmp_path):
    with pytest.raises(al.KeyStoreError):
        al.Keyring.open(f"file:{tmp_path}/nowhere.keyring")
    with pytest.raises(al.KeyStoreError):
        al.Keyring.open("env:NO_SUCH_VARIABLE")
    with pytest.raises(al.KeyStoreError):
        al.Keyring.open("vault:transit/key")
    pathlib.Path(ring.path + ".key").chmod(0o644)
    with pytest.raises(al.KeyStoreError):
        al.Keyring.open(ring.path)


def test_no_ring_is_minted_by_opening(tmp_path):
    with pytest.raises(al.KeyStoreError) as caught:
        al.Keyring.open()
    assert caught.value.exit_code == 4
    assert not (tmp_path / "config").exists()
