"""The launcher, run as a person runs it, on a project small enough to install in seconds.

Every test that installs uses a copy of `launch.py` in a folder of its own, with a project that has no dependencies
and builds itself: real virtual environments, real pip, real processes, no network. What is not covered here: the
real compilation of llama.cpp and the real pinned versions, which preparing this very test run has exercised.
"""

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import launch

ROOT = Path(__file__).resolve().parent.parent
posix_only = pytest.mark.skipif(os.name == "nt", reason="file modes, signals and symbolic links as on Linux and macOS")

PYPROJECT = """\
[build-system]
requires = []
build-backend = "tiny_backend"
backend-path = ["."]

[project]
name = "tiny-workbench"
version = "1.0"

[project.optional-dependencies]
demo = []
dev = []
llama-cpp = []
pdf = []
"""

# A build backend in 30 lines: pip calls it as it calls setuptools. It waits while the file `hold` exists, so that a
# test can interrupt an installation in the middle, and counts how often it was asked to build.
TINY_BACKEND = """\
import pathlib, time, tomllib, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    root = pathlib.Path.cwd()
    (root / "building").touch()
    while (root / "hold").exists():
        time.sleep(0.05)
    with (root / "builds").open("a") as builds:
        builds.write("x")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    metadata = "Metadata-Version: 2.1\\nName: tiny-workbench\\nVersion: 1.0\\n"
    metadata += "".join(f"Requires-Dist: {line}\\n" for line in project.get("dependencies", []))
    metadata += "".join(f"Provides-Extra: {name}\\n" for name in project["optional-dependencies"])
    files = {
        "tiny_workbench.pth": f"{root}\\n",
        "tiny_workbench-1.0.dist-info/METADATA": metadata,
        "tiny_workbench-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = "".join(f"{name},,\\n" for name in files) + "tiny_workbench-1.0.dist-info/RECORD,,\\n"
    name = "tiny_workbench-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as wheel:
        for path, text in {**files, "tiny_workbench-1.0.dist-info/RECORD": record}.items():
            wheel.writestr(path, text)
    return name
"""

CLI = """\
import json, sys
print(json.dumps(sys.argv[1:]))
"""


def make_project(folder: Path) -> Path:
    """Lay out the tiny project with a copy of launch.py in it."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "launch.py", folder / "launch.py")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "constraints.txt").write_text("# nothing to pin\n")
    (folder / "tiny_backend.py").write_text(TINY_BACKEND)
    (folder / "workbench").mkdir()
    (folder / "workbench" / "__init__.py").touch()
    (folder / "workbench" / "cli.py").write_text(CLI)
    return folder


def closed_port() -> int:
    """Return a loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def offline_environment(project: Path, **more: str) -> dict[str, str]:
    """Return an environment in which pip knows one index, behind a closed port, and no configuration file."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "CMAKE_")) and k not in ("CC", "CXX")}
    home = project / "home"
    home.mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"http://127.0.0.1:{closed_port()}/simple",
        "PIP_RETRIES": "1",
        "PIP_CACHE_DIR": str(home / "pip-cache"),
        **more,
    }


def start(project: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the project's launcher to its end."""
    return subprocess.run(
        [sys.executable, str(project / "launch.py"), *arguments],
        env=offline_environment(project, **more),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def builds(project: Path) -> int:
    """Return how often pip has built the project so far."""
    return len((project / "builds").read_text()) if (project / "builds").exists() else 0


def wait_until_building(project: Path) -> None:
    """Wait until pip is in the middle of installing the project."""
    deadline = time.monotonic() + 60
    while not (project / "building").exists():
        assert time.monotonic() < deadline, "pip never came to building the project"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose first start has finished; tests that share it leave it as it is."""
    project = make_project(tmp_path_factory.mktemp("launch") / "with spaces, and ü")
    first = start(project, "doctor")
    assert first.returncode == 0, first.stderr
    assert "First start" in first.stderr
    assert "Ready after" in first.stderr
    assert json.loads(first.stdout) == ["doctor"]
    return project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that was never started."""
    return make_project(tmp_path / "project")


@pytest.fixture
def copied(installed: Path, tmp_path: Path) -> Path:
    """Return a finished project for tests that change it: a copy elsewhere, brought up to date there."""
    copy = tmp_path / "copied"
    shutil.copytree(installed, copy, symlinks=True)
    outcome = start(copy, "doctor")
    assert "this folder or its Python changed" in outcome.stderr
    assert "Making .venv" not in outcome.stderr
    return copy


# --- the person's Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ((2, 7, 18), True),
        ((3, 6, 15), True),
        ((3, 10, 13), True),
        ((3, 11, 0), False),
        ((3, 14, 1), False),
        ((4,), False),
    ],
)
def test_pythons_older_than_3_11_are_refused_with_their_version(version: tuple[int, ...], refused: bool) -> None:
    message = launch.old_python_message(version, "/usr/bin/python3")
    assert bool(message) is refused
    if refused:
        assert ".".join(map(str, version)) in message
        assert "Python 3.11 or newer" in message
        assert "apt install" in message


@pytest.mark.parametrize("minor", [7, 8, 9, 10])
def test_the_launcher_is_valid_syntax_for_old_pythons(minor: int) -> None:
    ast.parse((ROOT / "launch.py").read_text(encoding="utf-8"), feature_version=(3, minor))


def test_an_old_python_says_one_sentence_and_no_traceback() -> None:
    names = [f"python3.{minor}" for minor in (6, 7, 8, 9, 10)]
    tried = [Path(found).resolve() for name in names if (found := shutil.which(name))]
    tried += sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    ran = 0
    for python in tried:
        outcome = subprocess.run([python, ROOT / "launch.py", "--help"], capture_output=True, text=True, check=False)
        if "this is Python 3." in outcome.stderr:
            ran += 1
            assert outcome.returncode == 1
            assert len(outcome.stderr.strip().splitlines()) == 1
        assert "SyntaxError" not in outcome.stderr
    if not ran:
        pytest.skip("no Python older than 3.11 on this machine")


def test_only_the_standard_library_is_imported() -> None:
    tree = ast.parse((ROOT / "launch.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


# --- what is passed on -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ["ui"]),
        (["--no-browser"], ["ui", "--no-browser"]),
        (["--port", "8123", "--no-browser"], ["ui", "--port", "8123", "--no-browser"]),
        (["demo"], ["demo"]),
        (["demo", "--no-browser"], ["demo", "--no-browser"]),
        (["models", "--license", "a b"], ["models", "--license", "a b"]),
        (["ui", "--help"], ["ui", "--help"]),
        (["--version"], ["--version"]),
        (["--", "--help"], ["--help"]),
    ],
)
def test_arguments_reach_the_workbench(given: list[str], passed: list[str]) -> None:
    assert launch.workbench_arguments(given) == passed


def test_a_later_start_hands_over_at_once_and_silently(installed: Path) -> None:
    built, log = builds(installed), (installed / ".venv" / "install.log").stat().st_mtime_ns
    began = time.perf_counter()
    outcome = start(installed, "--no-browser")
    assert time.perf_counter() - began < 2
    assert json.loads(outcome.stdout) == ["ui", "--no-browser"]
    assert outcome.stderr == ""
    assert (builds(installed), (installed / ".venv" / "install.log").stat().st_mtime_ns) == (built, log)


def test_the_exit_code_of_the_workbench_is_the_launchers(copied: Path) -> None:
    (copied / "workbench" / "cli.py").write_text("raise SystemExit(7)")
    assert start(copied, "doctor").returncode == 7


def test_a_folder_named_like_ours_does_not_pass_for_ours(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "workbench").mkdir()
    (tmp_path / "workbench" / "__init__.py").write_text("raise RuntimeError('the wrong workbench')")
    outcome = subprocess.run(
        [sys.executable, str(installed / "launch.py"), "doctor"],
        cwd=tmp_path,
        env=offline_environment(installed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(outcome.stdout) == ["doctor"]


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_needs_no_environment_and_names_every_command(project: Path, flag: str) -> None:
    outcome = start(project, flag)
    assert outcome.returncode == 0
    for word in ("--no-browser", "demo", "test", "repair", "COMMAND --help", "10 minutes"):
        assert word in outcome.stdout
    assert not (project / ".venv").exists()


# --- the stamp ---------------------------------------------------------------------------------------------


def test_changed_pins_are_installed_by_the_next_start_and_only_by_that(copied: Path) -> None:
    built = builds(copied)
    (copied / "constraints.txt").write_text("six==1.17.0\n")
    assert "bringing .venv up to date" in start(copied, "doctor").stderr
    assert builds(copied) == built + 1
    assert start(copied, "doctor").stderr == ""
    assert builds(copied) == built + 1


@pytest.mark.parametrize("stamp", ["", "{", "[]", '{"fingerprint": "0", "extras": 3}', '{"extras": ["demo"]}'])
def test_a_stamp_that_cannot_be_read_counts_as_none(copied: Path, stamp: str) -> None:
    (copied / ".venv" / "installed.json").write_text(stamp)
    outcome = start(copied, "doctor")
    assert "did not finish: completing it" in outcome.stderr
    assert json.loads(outcome.stdout) == ["doctor"]


def test_repair_installs_again_and_stops(copied: Path) -> None:
    built = builds(copied)
    outcome = start(copied, "repair")
    assert outcome.returncode == 0
    assert outcome.stdout == ""
    assert "Repairing" in outcome.stderr
    assert builds(copied) == built + 1
    assert start(copied, "doctor").stderr == ""


# --- interrupted installations -----------------------------------------------------------------------------


def test_a_half_made_environment_is_made_anew(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    outcome = start(project, "doctor")
    assert "did not finish: completing it" in outcome.stderr
    assert "Making .venv" in outcome.stderr
    assert json.loads(outcome.stdout) == ["doctor"]


@posix_only
def test_an_environment_whose_python_is_gone_is_made_anew(copied: Path) -> None:
    for link in (copied / ".venv" / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")
    outcome = start(copied, "doctor")
    assert "Making .venv" in outcome.stderr
    assert json.loads(outcome.stdout) == ["doctor"]


def test_a_package_that_pip_did_not_finish_is_installed_again(copied: Path) -> None:
    [site] = [*(copied / ".venv").glob("lib/python*/site-packages"), *(copied / ".venv").glob("Lib/site-packages")]
    (site / "tiny_workbench-1.0.dist-info" / "INSTALLER").unlink()
    (site / "~iny_workbench").mkdir()
    (copied / ".venv" / "installed.json").unlink()
    outcome = start(copied, "doctor")
    assert outcome.returncode == 0, outcome.stderr
    assert (site / "tiny_workbench-1.0.dist-info" / "INSTALLER").exists()
    assert not (site / "~iny_workbench").exists()


@posix_only
def test_a_killed_installation_is_waited_for_and_then_completed(project: Path) -> None:
    (project / "hold").touch()
    command = [sys.executable, str(project / "launch.py"), "doctor"]
    environment = offline_environment(project)
    first = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_until_building(project)
    first.kill()  # its pip goes on, and keeps the lock
    first.wait()
    second = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert second.stderr is not None
    assert f"(process {first.pid}) is installing into .venv: waiting for it" in second.stderr.readline()
    (project / "hold").unlink()
    out, err = second.communicate(timeout=60)
    assert "did not finish: completing it" in err
    assert json.loads(out) == ["doctor"]
    assert builds(project) == 2


@posix_only
def test_two_starts_at_once_install_once(project: Path) -> None:
    (project / "hold").touch()
    command = [sys.executable, str(project / "launch.py"), "doctor"]
    environment = offline_environment(project)
    first = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_until_building(project)
    second = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    (project / "hold").unlink()
    for process in (first, second):
        out, _ = process.communicate(timeout=60)
        assert json.loads(out) == ["doctor"]
    assert builds(project) == 1


@posix_only
def test_a_terminated_start_ends_its_pip_and_leaves_no_stamp(project: Path) -> None:
    (project / "hold").touch()
    command = [sys.executable, str(project / "launch.py"), "doctor"]
    first = subprocess.Popen(command, env=offline_environment(project), stderr=subprocess.DEVNULL)
    wait_until_building(project)
    first.terminate()
    assert first.wait(timeout=30) == 143
    assert not (project / ".venv" / "installed.json").exists()
    (project / "hold").unlink()
    assert "completing it" in start(project, "doctor").stderr


# --- what can go wrong -------------------------------------------------------------------------------------


def test_without_a_network_there_is_one_sentence_and_what_to_do(project: Path) -> None:
    text = PYPROJECT.replace('version = "1.0"', 'version = "1.0"\ndependencies = ["six"]')
    (project / "pyproject.toml").write_text(text)
    outcome = start(project, "doctor")
    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-1].startswith("No network: the package index could not be reached; check")
    assert "Traceback" not in outcome.stderr
    assert not (project / ".venv" / "installed.json").exists()


def failing_engine(project: Path, folder: str, complaint: str) -> None:
    """Give the project an engine whose build writes `complaint` and fails, as a compilation does."""
    engine = project / folder
    engine.mkdir()
    head = '[build-system]\nrequires = []\nbuild-backend = "broken"\nbackend-path = ["."]\n'
    (engine / "pyproject.toml").write_text(f'{head}[project]\nname = "llama-cpp-python"\nversion = "0.3"\n')
    (engine / "broken.py").write_text(
        "import pathlib\n"
        "def prepare_metadata_for_build_wheel(directory, config_settings=None):\n"
        "    info = pathlib.Path(directory, 'llama_cpp_python-0.3.dist-info')\n"
        "    info.mkdir()\n"
        "    text = 'Metadata-Version: 2.1\\nName: llama-cpp-python\\nVersion: 0.3\\n'\n"
        "    (info / 'METADATA').write_text(text)\n"
        "    return info.name\n"
        "def build_wheel(directory, config_settings=None, metadata_directory=None):\n"
        f"    raise SystemExit({complaint!r})\n"
    )
    line = f"llama-cpp = ['llama-cpp-python @ {engine.as_uri()}']"
    (project / "pyproject.toml").write_text(PYPROJECT.replace("llama-cpp = []", line))


@posix_only
def test_without_a_compiler_there_is_one_sentence_and_what_to_do(project: Path) -> None:
    failing_engine(project, "engine", "CMake could not go on")
    empty = project / "empty"
    empty.mkdir()
    outcome = start(project, "doctor", PATH=str(empty))
    assert outcome.returncode == 1
    assert "no working C and C++ compiler was found" in outcome.stderr.splitlines()[-1]
    assert "apt install build-essential" in outcome.stderr.splitlines()[-1]


@posix_only
def test_a_failed_compilation_shows_the_compilers_words_and_where_the_log_is(project: Path) -> None:
    failing_engine(project, "engine", "fatal error: something.h was not there")
    tools = executables(project / "tools", **{"cc": "exit 0", "c++": "exit 0", "xcode-select": "exit 0"})
    outcome = start(project, "doctor", PATH=str(tools))
    assert "| " in outcome.stderr
    assert "fatal error: something.h was not there" in outcome.stderr
    assert outcome.stderr.splitlines()[-1].startswith("llama.cpp did not compile")
    assert str(project / ".venv" / "install.log") in outcome.stderr.splitlines()[-1]


def test_a_python_without_ensurepip_names_the_package_to_install(project: Path) -> None:
    code = "import runpy, sys; sys.modules['ensurepip'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    outcome = subprocess.run(
        [sys.executable, "-c", code, str(project / "launch.py")],
        env=offline_environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "apt install python3-venv" in outcome.stderr.splitlines()[-1]


def test_an_incomplete_copy_of_the_project_is_named(project: Path) -> None:
    (project / "constraints.txt").unlink()
    outcome = start(project, "doctor")
    assert outcome.returncode == 1
    assert outcome.stderr.strip().endswith(
        "constraints.txt is missing: get a complete copy of the project and start again."
    )


def test_a_folder_that_cannot_be_written_is_named(project: Path) -> None:
    (project / ".venv").write_text("a file where the folder should be")
    outcome = start(project, "doctor")
    assert outcome.returncode == 1
    assert len(outcome.stderr.strip().splitlines()) == 1
    assert str(project / ".venv") in outcome.stderr


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", launch.DISK_FULL),
        ("Error: the module ensurepip is not available\nensurepip is not available", launch.NO_VENV),
        (
            "CMake Error: CMAKE_CXX_COMPILER not set\nERROR: Failed building wheel for llama-cpp-python",
            launch.NO_COMPILER,
        ),
        (
            "c++: fatal error: Killed signal terminated program cc1plus\nFailed building wheel for llama",
            launch.NO_MEMORY,
        ),
        ("x.h: error\n  ERROR: Failed building wheel for llama-cpp-python", launch.BUILD_FAILED),
        ("Connection refused, retrying\nERROR: Failed building wheel for llama-cpp-python", launch.BUILD_FAILED),
        ("[Errno -3] Temporary failure in name resolution\nNo matching distribution found for six", launch.NO_NETWORK),
        ("[WinError 10061] No connection could be made because the target actively refused it", launch.NO_NETWORK),
        ("Read timed out. (read timeout=15)", launch.NO_NETWORK),
        ("ERROR: No matching distribution found for six==99", launch.NO_VERSION),
        ("a new kind of trouble", ""),
    ],
)
def test_what_pip_and_compilers_write_becomes_a_sentence(log: str, sentence: str) -> None:
    assert launch.explain(log, free_bytes=10**12) == sentence


def test_a_full_disk_is_recognized_without_a_word_in_the_log() -> None:
    assert launch.explain("", free_bytes=4096) == launch.DISK_FULL


def test_the_useful_lines_of_a_log_are_those_that_speak_of_errors() -> None:
    log = "Collecting six\n\nERROR: it failed\n" + "x" * 500 + "\nCollecting more\n"
    assert launch.last_useful_lines(log) == ("ERROR: it failed",)
    assert launch.last_useful_lines("a\n\nb\nc", limit=2) == ("b", "c")
    assert len(launch.last_useful_lines("error " + "x" * 500)[0]) == 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (4.4, "4 s"), (59.6, "1 min"), (60, "1 min"), (150, "2 min 30 s"), (3600, "60 min")],
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert launch.spoken(seconds) == text


# --- launch.py test ----------------------------------------------------------------------------------------


def executables(folder: Path, **scripts: str) -> Path:
    """Make a folder of small shell scripts, to be the only ones on PATH."""
    folder.mkdir()
    for name, body in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def checked(copied: Path) -> Path:
    """Return a finished project with stand-ins for ruff, mypy and pytest that print what they were asked."""
    for name in ("ruff", "mypy", "pytest"):
        code = (
            f"import os, sys\nprint('{name}', sys.argv[1:], flush=True)\nsys.exit(int(os.environ.get('{name}', '0')))\n"
        )
        (copied / f"{name}.py").write_text(code)
    return copied


# Whoever runs the tests without being root has this stand-in asked first, with `-n true`.
SUDO = 'shift; [ "$1" = true ] || exec "$@"'
EXPECTED = ["ruff ['check']", "ruff ['format', '--check']", "mypy []", "pytest ['-k', 'a']"]


@posix_only
@pytest.mark.parametrize(
    ("codes", "code"),
    [({}, 0), ({"ruff": "1"}, 1), ({"mypy": "2"}, 1), ({"pytest": "5"}, 5), ({"mypy": "2", "pytest": "3"}, 3)],
)
def test_all_checks_run_whatever_fails_and_pytest_is_last(checked: Path, codes: dict[str, str], code: int) -> None:
    tools = executables(checked / "tools", chromium="exit 0")
    outcome = start(checked, "test", "-k", "a", PATH=str(tools), **codes)
    assert outcome.stdout.splitlines() == EXPECTED
    assert outcome.returncode == code
    assert "what is missing: dev" in outcome.stderr


@posix_only
def test_a_missing_browser_without_apt_get_is_said_plainly(checked: Path) -> None:
    outcome = start(checked, "test", PATH=str(executables(checked / "tools")))
    assert "No Chromium was found, and there is no apt-get" in outcome.stderr
    assert "the browser tests will be skipped" in outcome.stderr
    assert outcome.returncode == 0


@posix_only
def test_a_missing_browser_is_taken_from_debian(checked: Path) -> None:
    tools = checked / "tools"
    make_browser = f"printf '#!/bin/sh\\n' > {tools}/chromium; /bin/chmod +x {tools}/chromium"
    apt_get = f'echo "$@" >> {checked}/asked; if [ "$1" = install ]; then {make_browser}; fi'
    executables(tools, **{"apt-get": apt_get, "sudo": SUDO})
    outcome = start(checked, "test", PATH=str(tools))
    packages = "chromium fonts-dejavu-core libpangoft2-1.0-0 libharfbuzz-subset0"
    assert (checked / "asked").read_text().splitlines() == ["update", f"install -y {packages}"]
    assert "skipped" not in outcome.stderr


@posix_only
def test_an_apt_get_that_fails_is_quoted_and_the_tests_run_all_the_same(checked: Path) -> None:
    scripts = {"apt-get": "echo 'E: Unable to locate it'; echo; echo 'That is all.'; exit 100", "sudo": SUDO}
    outcome = start(checked, "test", "-k", "a", PATH=str(executables(checked / "tools", **scripts)))
    assert re.search(r"apt-get could not install it \(E: Unable to locate it\)", outcome.stderr)
    assert outcome.stdout.splitlines() == EXPECTED


# --- what is committed -------------------------------------------------------------------------------------


def test_constraints_pin_exact_versions_and_name_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", pin) for pin in pins)
    assert pins == sorted(pins, key=str.upper)  # as `sort -f` does
    names = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    assert {"gradio", "duckdb", "llama-cpp-python", "pytest", "ruff", "mypy"} <= names


@posix_only
def test_the_script_of_continuous_integration_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
