"""Ctrl-C, threads and forks in the middle of work."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import allonym as al
import polars as pl
import pyarrow as pa
import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")

ENDLESS = """
    import pyarrow as pa, allonym as al, threading, sys
    schema = pa.schema([("a", pa.string())])
    batch = pa.record_batch([pa.array([f"v{n}" for n in range(1000)])], schema=schema)
    def forever():
        print("started", flush=True)
        while True:
            yield batch
    class Endless:
        def __arrow_c_stream__(self, requested_schema=None):
            reader = pa.RecordBatchReader.from_batches(schema, forever())
            return reader.__arrow_c_stream__(requested_schema)
    policy = al.Policy.parse('version = 1\\n[columns.a]\\ntreat = "pseudonymize"\\n')
    try:
        WORK
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@posix
@pytest.mark.parametrize(
    "work",
    [
        "policy.run(Endless(), keys=sys.argv[1])",
        "[None for _ in policy.apply(Endless(), keys=sys.argv[1])]",
        "al.scan(Endless())",
    ],
    ids=["run", "iterate", "scan"],
)
def test_ctrl_c_ends_endless_work(work, keys):
    code = textwrap.dedent(ENDLESS).replace("WORK", work)
    with subprocess.Popen(
        [sys.executable, "-c", code, keys],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out == "interrupted\n", err
    assert process.returncode == 0
    assert err == ""


@posix
def test_ctrl_c_ends_the_command(tmp_path, keys):
    source = tmp_path / "people.csv"
    source.write_text("a\n" + "".join(f"v{n}\n" for n in range(1_000_000)))
    (tmp_path / "allonym.toml").write_text('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    command = [
        sys.executable, "-m", "allonym", "-vv", "apply", str(source), "--to",
        str(tmp_path / "out.csv"), "--policy", str(tmp_path / "allonym.toml"), "--keys", keys,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            # The output is written aside first: once it is there, the run is in its middle.
            while len(list(tmp_path.glob("*out.csv*"))) == 0 and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert not (tmp_path / "out.csv").exists()


def test_threads_work_side_by_side(ring):
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    frames = [pl.DataFrame({"a": [f"{part}-{n}" for n in range(20_000)]}) for part in range(4)]
    wanted = [policy.apply(frame, keys=ring) for frame in frames]
    got = [None] * len(frames)

    def work(at):
        got[at] = policy.apply(frames[at], keys=ring)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(frames))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    for out, right in zip(got, wanted, strict=True):
        assert out.equals(right)


def test_the_interpreter_goes_on_meanwhile(ring):
    """A producer in Python needs the lock that the caller would hold."""
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    schema = pa.schema([("a", pa.string())])

    def batches():
        for part in range(20):
            done = threading.Event()
            threading.Thread(target=done.set).start()
            assert done.wait(timeout=30)
            yield pa.record_batch([pa.array([f"{part}-{n}" for n in range(50)])], schema=schema)

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    assert policy.run(reader, keys=ring).receipt["rows"] == 1000


def _in_a_child(keys, values, answers):
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    answers.put(policy.apply(pa.table({"a": values}), keys=keys)["a"].to_pylist())


@posix
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own(ring, keys):
    values = [f"v{n}" for n in range(500)]
    policy = al.Policy.parse('version = 1\n[columns.a]\ntreat = "pseudonymize"\n')
    wanted = policy.apply(pa.table({"a": values}), keys=ring)["a"].to_pylist()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_in_a_child, args=(keys, values, answers))
    child.start()
    try:
        assert answers.get(timeout=60) == wanted
    finally:
        child.kill()
        child.join()
