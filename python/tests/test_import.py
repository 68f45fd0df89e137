import doctest
import subprocess
import sys
import textwrap

import allonym as al
import pytest
from allonym import _risk, _text, attacks, metrics, retention


def python(code):
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_importing_imports_no_library():
    loaded = python("""
        import sys, allonym
        print(*{name.partition(".")[0] for name in sys.modules})
    """)
    libraries = {"polars", "pandas", "pyarrow", "numpy", "duckdb", "datasets", "arro3", "IPython"}
    assert not libraries & set(loaded)


def test_what_measures_models_is_loaded_when_asked_for():
    loaded = python("""
        import sys, allonym as al
        assert {"exposure", "compare", "Exposure", "risk", "Risk"} <= set(dir(al))
        assert not hasattr(al, "exposures")
        print(*(name for name in sys.modules if name.startswith("allonym.")))
        print("asked", al.risk.__module__, al.exposure.__module__)
    """)
    assert "allonym._findings" in loaded
    assert not {"allonym._exposure", "allonym._risk"} & set(loaded[: loaded.index("asked")])
    assert loaded[-2:] == ["allonym._risk", "allonym._exposure"]


def test_text_needs_no_library():
    loaded = python("""
        import sys, allonym as al
        assert al.redact(["a@example.org"], entities=["EMAIL_ADDRESS"]) == ["<EMAIL>"]
        print(*{name.partition(".")[0] for name in sys.modules})
    """)
    assert not {"polars", "pandas", "pyarrow", "numpy"} & set(loaded)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_accessors_attach(library):
    told = python(f"""
        import {library} as lib, allonym
        print(hasattr(lib.DataFrame, "allonym"))
    """)
    assert told == ["True"]
    told = python(f"""
        import allonym, {library} as lib
        print(hasattr(lib.DataFrame, "allonym"))
        import allonym.{library}
        print(hasattr(lib.DataFrame, "allonym"))
    """)
    assert told == ["False", "True"]


def test_the_public_names_are_there_and_sorted():
    assert al.__all__ == sorted(al.__all__)
    assert all(hasattr(al, name) for name in al.__all__)
    assert al.__version__ == "0.1.0"
    assert all(getattr(al, name).__doc__ for name in al.__all__ if not name.startswith("__"))


@pytest.mark.parametrize(
    "module", [al, _risk, _text, attacks, metrics, retention], ids=lambda module: module.__name__
)
def test_examples_in_the_documentation(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
