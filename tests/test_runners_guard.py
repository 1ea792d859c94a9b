"""A guarded program ends when nobody is left who wants it, with everything it started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from runners.guard import end_guarded, start_guarded
from tests.test_runners_worker import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the guard uses what only Linux has")

STUBBORN_TREE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
with open(sys.argv[1] + ".partial", "w") as file:
    file.write(f"{os.getpid()} {child.pid} {os.environ.get('GUARDED_KEY')}")
os.rename(sys.argv[1] + ".partial", sys.argv[1])
time.sleep(600)
"""
"""A program that does not listen, with a child in a session of its own."""


def started(path: Path) -> list[int]:
    wait_until(path.exists)
    return [int(word) for word in path.read_text().split()[:2]]


def gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_ending_the_guard_ends_what_does_not_listen_and_what_left_its_group(tmp_path: Path) -> None:
    place = tmp_path / "pids"
    variables = {"GUARDED_KEY": "secret-42"}
    guard = start_guarded([sys.executable, "-c", STUBBORN_TREE, str(place)], variables, subprocess.DEVNULL)
    pids = started(place)
    assert place.read_text().endswith("secret-42")
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in (guard.pid, *pids)]
    assert not any("secret-42" in line for line in lines), "the key stands in a command line"
    end_guarded(guard)
    assert gone([guard.pid, *pids])
    assert end_guarded(guard) == 128 + signal.SIGKILL


@pytest.mark.parametrize("killed", ["parent", "guard", "program"])
def test_nothing_is_left_whoever_is_killed(tmp_path: Path, killed: str) -> None:
    place = tmp_path / "pids"
    code = (
        "import subprocess, sys, time; from runners.guard import start_guarded\n"
        f"print(start_guarded([sys.executable, '-c', {STUBBORN_TREE!r}, sys.argv[1]], {{}}, subprocess.DEVNULL).pid,"
        " flush=True); time.sleep(600)"
    )
    if killed == "guard":
        # What does not listen to the system's signal cannot be helped: nobody is left to kill it.
        code = code.replace("signal.SIG_IGN", "lambda *_: sys.exit()").replace("start_new_session=True", "")
    parent = subprocess.Popen([sys.executable, "-c", code, str(place)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    guard = int(parent.stdout.readline())
    pids = started(place)
    os.kill({"parent": parent.pid, "guard": guard, "program": pids[0]}[killed], signal.SIGKILL)
    expected = [pids[0]] if killed == "guard" else [guard, *pids]
    try:
        wait_until(lambda: gone(expected))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
        for pid in pids:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)


def test_the_guard_says_how_the_program_ended(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        for command, code in (([sys.executable, "-c", "raise SystemExit(7)"], 7), (["/nowhere/at/all"], 127)):
            guard = start_guarded(command, {}, log)
            guard.wait()
            assert end_guarded(guard) == code
    assert "cannot be started" in (tmp_path / "log").read_text()
