import datetime as dt
import json
from pathlib import Path

import allonym as al
import polars as pl
import pytest
from allonym import retention
from invented import data_folder

OWN = Path(__file__).parents[2] / "tests" / "data" / "cases" / "retention.json"
ANSWERS = {"id", "expires_at", "verdict"}


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))["cases"]


def check(case, **changed):
    question = {field: value for field, value in case.items() if field not in ANSWERS}
    told = al.retention.decide(**{**question, **changed})
    assert told == (case["expires_at"], case["verdict"]), case["id"]


def spellings(case):
    """The anchor at every precision that says the same."""
    anchor, kind = case["anchor"], case["anchor_type"]
    if anchor is None or not kind.startswith("timestamp"):
        return [anchor]
    whole, offset = anchor[:19], anchor[19:]
    return [f"{whole}{fraction}{offset}" for fraction in ("", ".000", ".000000", ".000000000")]


@pytest.mark.parametrize("case", read(OWN), ids=lambda case: str(case["id"]))
def test_cases_of_the_project(case):
    for anchor in spellings(case):
        check(case, anchor=anchor)
        check(case, anchor=anchor, anchor_type="string")


def test_all_published_cases():
    cases = read(Path(data_folder()) / "retention_cases" / "cases.json")
    assert len(cases) >= 33
    for case in cases:
        for anchor in spellings(case):
            check(case, anchor=anchor)
            check(case, anchor=anchor, anchor_type="string")


def test_the_first_five_may_be_told_by_place():
    told = retention.decide("2024-01-31", "date", "P1M", "UTC", "2024-02-29T23:59:59Z")
    assert told == ("2024-03-01T00:00:00Z", "retain")


def test_fractions_of_seconds_count():
    def at(now):
        return retention.decide("2024-01-01T00:00:00.5Z", "timestamp_tz", "P1D", "UTC", now)

    assert at("2024-01-02T00:00:00.499999999Z") == ("2024-01-02T00:00:00.5Z", "retain")
    assert at("2024-01-02T00:00:00.5Z") == ("2024-01-02T00:00:00.5Z", "expired")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"anchor_type": "datetime"}, "anchor_type is one of date"),
        ({"now": "2024-03-01"}, "now is no instant"),
        ({"now": "zoe.kanarie@example.org"}, "now is no instant"),
    ],
)
def test_mistakes_of_the_caller_are_raised(wrong, message):
    question = {
        "anchor": "2024-01-31",
        "anchor_type": "date",
        "duration": "P1M",
        "policy_tz": "UTC",
        "now": "2024-03-01T00:00:00Z",
    }
    with pytest.raises(al.UsageError, match=message) as raised:
        retention.decide(**{**question, **wrong})
    assert "zoe" not in str(raised.value)


TAG = """\
version = 1
[retention]
policy_tz = "Europe/Berlin"
[[retention.columns]]
match = { name = "email" }
purpose = ["claims"]
anchor = "closed_on"
duration = "P5Y"
on_expiry = "drop_row"
"""


def test_a_policy_holds_tags_and_says_where_they_are_wrong():
    policy = al.Policy.parse(TAG)
    assert "[[retention.columns]]" in policy.to_toml()
    assert al.Policy.parse(policy.to_toml()).digest == policy.digest
    assert al.Policy.parse("version = 1").digest != policy.digest
    with pytest.raises(al.PolicyError, match=r"policy:9:1: unknown key `on_expire`"):
        al.Policy.parse(TAG.replace("on_expiry", "on_expire"))
    with pytest.raises(al.PolicyError, match="retain_at_least P6Y can end after duration P5Y"):
        al.Policy.parse(TAG + 'retain_at_least = "P6Y"\n')


def test_rows_say_when_they_expire(tmp_path):
    policy = al.Policy.parse(
        'version = 1\n[columns.id]\ntreat = "keep"\nreason = "a test"\n'
        '[columns.closed]\ntreat = "generalize"\nto = "year"\n'
        "[retention]\nrow_column = true\n[retention.dataset]\n"
        'purpose = ["a test"]\nanchor = "closed"\nduration = "P5Y"\non_expiry = "drop_row"\n'
    )
    closed = [dt.date(2021, 3, 31), dt.date(2024, 2, 29), None]
    frame = pl.DataFrame({"id": [1, 2, 3], "closed": closed})
    out = policy.apply(frame)
    assert out.schema["_allonym_expires_at"] == pl.Datetime("us", "UTC")
    utc = dt.timezone.utc
    expiries = [dt.datetime(2026, 4, 1, tzinfo=utc), dt.datetime(2029, 3, 1, tzinfo=utc), None]
    assert out["_allonym_expires_at"].to_list() == expiries
    told = al.check(out, policy=policy, full=True, as_of="2026-04-01T00:00:00Z")
    assert not told.ok
    counts = {finding.code: finding.count for finding in told.findings}
    assert counts["ALO-R101"] == 1
    assert "ALO-M101" not in counts
    path = tmp_path / "out.parquet"
    out.head(2).write_parquet(path)
    done = al.expire(path, policy=policy, as_of="2026-04-01T00:00:00Z", yes=True)
    assert done.ok
    assert pl.read_parquet(path)["id"].to_list() == [2]
