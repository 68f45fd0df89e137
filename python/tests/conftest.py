"""A machine that has neither policy nor keys, and a ring of its own."""

import allonym as al
import pytest
from invented import POLICY, people


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    for name in ("ALLONYM_KEYS", "ALLONYM_POLICY", "ALLONYM_KEYRING_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALLONYM_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ALLONYM_CACHE_HOME", str(tmp_path / "cached"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def ring(tmp_path):
    return al.Keyring.create(tmp_path / "keys" / "test.keyring", label="test-2026")


@pytest.fixture
def keys(ring):
    return f"file:{ring.path}"


@pytest.fixture
def policy():
    return al.Policy.parse(POLICY)


@pytest.fixture
def columns():
    return people(40)
