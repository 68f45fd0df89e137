"""The page that tells what is looked for is what the rules say."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_catalogue_is_up_to_date():
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / "tools/catalogue.py")
    catalogue = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(catalogue)
    listed = subprocess.run(
        [sys.executable, "-m", "allonym", "rules", "list", "--format", "json"],
        capture_output=True,
        check=True,
    )
    measured = json.loads((ROOT / "docs/measured.json").read_text())
    page = catalogue.page(json.loads(listed.stdout), measured)
    assert page == (ROOT / "docs/catalogue.md").read_text()
    assert "| `DE_TAX_ID` | German tax identification number" in page
