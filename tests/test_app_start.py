"""Starting and stopping the app as a person does: one per data directory, its window, its end. Real processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.browser import free_port
from workbench.app_lock import AlreadyRuns, AppLock, RunningApp, running_app
from workbench.app_window import find_browsers, usual_places, window_command
from workbench.errors import Busy
from workbench.settings import Settings

posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-in for a browser is a shell script")
_START_SECONDS = 90


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return Settings(home=home, config_folder=tmp_path / "config", workspaces_folder=tmp_path / "spaces")


def stand_in(folder: Path, name: str, script: str) -> Path:
    """A program that notes what it was called with, then does as told."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/{name}.calls\n{script}\n')
    program.chmod(0o755)
    return program


def calls(folder: Path, name: str) -> list[str]:
    noted = folder / f"{name}.calls"
    return noted.read_text().splitlines() if noted.exists() else []


def environment(settings: Settings, **more: str) -> dict[str, str]:
    named = {"WORKBENCH_CONFIG": str(settings.config_folder), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **named, **more}


def command(settings: Settings, *options: str) -> list[str]:
    return [sys.executable, "-m", "workbench.cli", "--home", str(settings.home), "ui", *options]


@contextmanager
def started(settings: Settings, *options: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """An app that has said where it is."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that starts the tests in the background has every process below it ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command(settings, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(settings, **variables),
    ) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not any("is at http" in line for line in lines):
                line = process.stdout.readline()
                assert line, f"the app did not start: {lines}"
                lines.append(line)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@posix_only
def test_a_second_start_shows_the_window_of_the_first_and_ctrl_c_ends_it_cleanly(
    settings: Settings, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    stand_in(tools, "chromium", "exec /bin/sleep 60")
    port = free_port()
    path = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "DISPLAY": ":99"}
    with started(settings, "--port", str(port), **path) as first:
        _wait_until(lambda: len(calls(tools, "chromium")) == 1)
        assert f"--app=http://127.0.0.1:{port}" in calls(tools, "chromium")[0]
        assert f"--user-data-dir={settings.home / 'window'}" in calls(tools, "chromium")[0]
        second = subprocess.run(
            command(settings), capture_output=True, text=True, check=False, env=environment(settings, **path)
        )
        assert second.returncode == 0
        assert f"already runs on {settings.home}, at http://127.0.0.1:{port}. Its window was opened." in second.stdout
        assert len(calls(tools, "chromium")) == 2
        found = running_app(settings)
        assert found is not None
        assert found.pid == first.pid
        first.send_signal(signal.SIGINT)
        rest, _ = first.communicate(timeout=60)
        assert first.returncode == 0
        assert "Start again with: python3 launch.py ui --home" in rest
        assert "Traceback" not in rest
    assert running_app(settings) is None
    assert json.loads(settings.workspace_path.read_text())["port"] == port


def test_a_stale_or_damaged_note_is_harmless(settings: Settings) -> None:
    note = settings.app_lock_path.with_suffix(".json")
    for text in ('{"address": "http://127.0.0.1:1", "pid": 1}', "{", "[]"):
        note.write_text(text)
        assert running_app(settings) is None
        with AppLock(settings) as lock:
            assert not note.exists()
            lock.announce("http://127.0.0.1:1")
        assert not note.exists()


def test_a_holder_that_does_not_answer_is_named(settings: Settings) -> None:
    note = settings.app_lock_path.with_suffix(".json")
    note.write_text(RunningApp(address=f"http://127.0.0.1:{free_port()}", pid=4711).model_dump_json())
    with FileLock(settings.app_lock_path):
        with (
            pytest.raises(Busy, match=r"process 4711.*does not answer.*--home DIR"),
            AppLock(settings, patience_seconds=0),
        ):
            pass
        note.write_text("{")
        with pytest.raises(Busy, match="Another process holds"), AppLock(settings, patience_seconds=0):
            pass


def test_a_start_that_meets_a_look_goes_on_after_it(settings: Settings) -> None:
    look = FileLock(settings.app_lock_path, thread_local=False)
    look.acquire()
    threading.Timer(0.1, look.release).start()
    with AppLock(settings, patience_seconds=2) as lock:
        lock.announce("http://127.0.0.1:1")


def test_an_app_that_is_only_starting_is_waited_for(settings: Settings) -> None:
    code = (
        "import sys, time, socket; from pathlib import Path; from workbench.app_lock import AppLock;"
        "from workbench.settings import Settings; lock = AppLock(Settings(home=Path(sys.argv[1])));"
        "lock.__enter__(); print('held', flush=True); time.sleep(1); s = socket.create_server(('127.0.0.1', 0));"
        "lock.announce(f'http://127.0.0.1:{s.getsockname()[1]}'); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(settings.home)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            with pytest.raises(AlreadyRuns) as found, AppLock(settings):
                pass
            assert found.value.app.pid == holder.pid
        finally:
            holder.kill()


@posix_only
def test_a_browser_that_gives_up_leaves_a_tab_and_no_desktop_leaves_the_address(
    settings: Settings, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    stand_in(tools, "chromium", "exit 1")
    stand_in(tools, "usual", "exit 0")
    code = (
        "import sys; from pathlib import Path; from workbench.app_window import show_app;"
        "from workbench.settings import Settings;"
        "print(show_app('http://127.0.0.1:9/', Settings(home=Path(sys.argv[1])), sys.argv[2]))"
    )

    def shown(wanted: str, **variables: str) -> str:
        bare = {k: v for k, v in environment(settings).items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
        done = subprocess.run(
            [sys.executable, "-c", code, str(settings.home), wanted],
            capture_output=True,
            text=True,
            check=True,
            env={**bare, "PATH": f"{tools}:/usr/sbin:/sbin", **variables},
        )
        return done.stdout.strip()

    usual = {"DISPLAY": ":99", "BROWSER": str(tools / "usual")}
    assert shown("window", **usual) == "tab"
    assert calls(tools, "usual") == ["http://127.0.0.1:9/"]
    assert shown("window") == "nothing"
    assert shown("nothing", **usual) == "nothing"
    stand_in(tools, "chromium", "exec /bin/sleep 5")
    assert shown("window", **usual) == "window"
    assert len(calls(tools, "usual")) == 1


def test_browsers_are_looked_for_where_each_system_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path("/home/ada")
    assert Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome") in usual_places("darwin", home)
    assert home / "AppData/Local/Google/Chrome/Application/chrome.exe" in usual_places("win32", home)
    assert Path("C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe") in usual_places("win32", home)
    assert usual_places("linux", home) == ()
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    edge = stand_in(tmp_path / "tools", "microsoft-edge", "exit 0")
    brave = stand_in(tmp_path / "tools", "brave-browser", "exit 0")
    assert list(find_browsers()) == [edge, brave]


def test_a_window_has_a_profile_of_its_own_unless_the_browser_may_not_write_there() -> None:
    own = window_command(Path("/usr/bin/chromium"), "http://127.0.0.1:9", Path("/data/window"))
    assert own[:2] == ["/usr/bin/chromium", "--app=http://127.0.0.1:9"]
    assert "--user-data-dir=/data/window" in own
    confined = window_command(Path("/snap/bin/chromium"), "http://127.0.0.1:9", Path("/data/window"))
    assert not any(part.startswith("--user-data-dir") for part in confined)


def _wait_until(done: object) -> None:
    deadline = time.perf_counter() + 20
    while not done():  # type: ignore[operator]
        assert time.perf_counter() < deadline
        time.sleep(0.05)
