"""The report in a browser: one request, no error, readable on a phone, by ear and without scripts.

Needs a Chromium, named by ``ALLONYM_CHROMIUM``, and the packages ``playwright`` and
``axe-playwright-python``; says that it was left out without them.
"""

import base64
import os
import subprocess
import sys
from urllib.parse import quote

import numpy as np
import pytest

BROWSER = os.environ.get("ALLONYM_CHROMIUM")
HOSTILE = (
    "<img src=x onerror=document.title=1>",
    '"><script>document.title=1</script>',
    "</style><svg onload=document.title=1>",
    "javascript:document.title=1",
    "a" * 120,
)


def command(folder):
    environment = {**os.environ, "ALLONYM_CONFIG_HOME": str(folder / "config")}

    def allonym(*arguments, exit_code):
        command = [sys.executable, "-m", "allonym", *arguments]
        run = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, env=environment
        )
        assert run.returncode == exit_code, run.stderr

    return allonym


@pytest.fixture(scope="module")
def page_path(tmp_path_factory):
    """A report of 200 columns, five of them with hostile names, and with findings of all kinds."""
    folder = tmp_path_factory.mktemp("report")
    names = [*HOSTILE, "mail", "closed", *(f"attribute_{n}" for n in range(193))]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    values = ["x"] * 5 + ["zoe@example.org", "2019-01-31"] + ["7"] * 193
    (folder / "in.csv").write_text("\n".join([",".join(quoted)] + [",".join(values)] * 50) + "\n")
    allonym = command(folder)
    (folder / "allonym.toml").write_text(
        'version = 1\n[policy]\nname = "wide"\nunlisted = "keep"\nunlisted_reason = "a test"\n'
        '[columns.mail]\ntreat = "pseudonymize"\n'
        '[retention.dataset]\nanchor = "closed"\nduration = "P5Y"\non_expiry = "drop_row"\n'
        '[[retention.holds]]\nid = "LH-1"\nauthority = "a court"\nfrom = 2020-01-01\n'
        'review_by = 2021-01-01\nscope = { dataset = "others" }\n'
    )
    allonym("key", "new", exit_code=0)
    allonym("apply", "in.csv", "--to", "safe.csv", exit_code=0)
    as_of = "2026-06-01T00:00:00Z"
    allonym("check", "safe.csv", "--as-of", as_of, "--report", "report.html", exit_code=1)
    return folder / "report.html"


def test_a_wide_report_is_small(page_path):
    text = page_path.read_text()
    assert len(text.encode()) <= 150_000
    assert "attribute_192" in text
    assert "<script" not in text


def test_ten_thousand_canaries_are_absent_in_every_spelling(tmp_path):
    allonym = command(tmp_path)
    people = [f"kanarie.zora{n:05}@example.org" for n in range(10_000)]
    (tmp_path / "in.csv").write_text("mail,notes\n" + "".join(f"{p},from {p}\n" for p in people))
    (tmp_path / "allonym.toml").write_text(
        'version = 1\n[policy]\nname = "canaries"\n[columns.mail]\ntreat = "pseudonymize"\n'
        '[columns.notes]\ntreat = "text"\n'
    )
    allonym("key", "new", exit_code=0)
    allonym("apply", "in.csv", "--to", "safe.csv", exit_code=0)
    # The raw file passed off as the treated one.
    (tmp_path / "safe.csv").write_bytes((tmp_path / "in.csv").read_bytes())
    allonym("check", "safe.csv", "--full", "--report", "report.html", exit_code=1)
    page = (tmp_path / "report.html").read_text()
    assert "10,000 cells" in page or "10000 cells" in page
    for person in people:
        raw = person.encode()
        assert person not in page
        assert quote(person) not in page
        assert "".join(f"%{byte:02x}" for byte in raw) not in page.lower()
        assert base64.b64encode(raw).decode().rstrip("=") not in page


@pytest.fixture(scope="module")
def browser():
    if not BROWSER:
        pytest.skip("left out: ALLONYM_CHROMIUM names no browser")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser, path, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    return page, requests, errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_request_no_error_and_nothing_for_axe(browser, page_path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page, requests, errors = opened(browser, page_path, color_scheme=scheme, bypass_csp=True)
    assert page.title().startswith("NOT READY")
    result = axe.Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    assert [url for url in requests if not url.startswith("data:")] == [page_path.as_uri()]
    assert errors == []


@pytest.fixture(scope="module")
def other_pages(tmp_path_factory):
    """The pages of an expiry, of an erasure, of risk and of exposure, with hostile names."""
    folder = tmp_path_factory.mktemp("others")
    allonym = command(folder)
    (folder / "data").mkdir()
    rows = "".join(f"zoe{n}@example.org,20{n:02}-01-31,{n % 3}\n" for n in range(10, 26))
    (folder / "data" / "<img src=x>.csv").write_text("mail,closed,<b>zone</b>\n" + rows)
    (folder / "allonym.toml").write_text(
        'version = 1\n[policy]\nname = "others"\nunlisted = "keep"\nunlisted_reason = "a test"\n'
        '[retention.dataset]\nanchor = "closed"\nduration = "P5Y"\non_expiry = "drop_row"\n'
    )
    (folder / "who.txt").write_text("zoe25@example.org\n")
    allonym("key", "new", exit_code=0)
    as_of = ("--as-of", "2026-06-01T00:00:00Z")
    allonym("expire", "data", "--yes", "--evidence", "expired.json", *as_of, exit_code=0)
    erase = ("erase", "data", "--subjects", "who.txt", "--yes", "--operator", "<i>desk</i>")
    allonym(*erase, "--certificate", "erased.json", *as_of, exit_code=0)
    quasi = ("--quasi", "closed", "--quasi", "<b>zone</b>")
    allonym("risk", "data/<img src=x>.csv", *quasi, "--to", "risk.json", exit_code=0)
    draw = np.random.default_rng(7)
    members = draw.random((400, 9)) < 0.5
    confident = 1 / (1 + np.exp(-draw.normal(1 + 2 * members, 1)))
    population = 1 / (1 + np.exp(-draw.normal(1, 1, (400, 9))))
    signals = {"conf": confident, "members": members, "pop_conf": population}
    np.savez(folder / "signals.npz", **signals)
    allonym("exposure", "score", "signals.npz", "--to", "exposed.json", "--model", "<u>m</u>",
            exit_code=0)  # fmt: skip
    pages = []
    for name in ("expired", "erased", "risk", "exposed"):
        allonym("report", f"{name}.json", "--to", f"{name}.html", exit_code=0)
        pages.append(folder / f"{name}.html")
    return pages


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_quiet_accessible_and_narrow(browser, other_pages, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for path in other_pages:
        page, requests, errors = opened(browser, path, color_scheme=scheme, bypass_csp=True)
        result = axe.Axe().run(page)
        assert result.violations_count == 0, f"{path.name}: {result.generate_report()}"
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
        assert errors == []
        phone, _, _ = opened(browser, path, viewport={"width": 320, "height": 640})
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320, path.name
        assert phone.locator("img, i, u, b").count() == 0, path.name
        assert "zoe" not in path.read_text()


def test_it_reflows_on_a_phone(browser, page_path):
    page, _, _ = opened(browser, page_path, viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    wide, _, _ = opened(browser, page_path, viewport={"width": 1280, "height": 800})
    assert wide.evaluate("document.documentElement.scrollWidth") <= 1280


def test_it_is_whole_without_scripts_and_on_paper(browser, page_path):
    plain, requests, _ = opened(browser, page_path, java_script_enabled=False)
    assert len([url for url in requests if not url.startswith("data:")]) == 1
    for words in ("NOT READY", "attribute_192", "ALO-R101", "<img src=x onerror="):
        assert words in plain.locator("body").inner_text()
    assert plain.title().startswith("NOT READY")
    paper, _, _ = opened(browser, page_path)
    paper.emulate_media(media="print")
    assert "ALO-R101" in paper.locator("body").inner_text()
