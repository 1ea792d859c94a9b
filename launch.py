"""Prepare the environment beside this file, then hand over to the workbench.

The first start makes `.venv`, compiles the llama.cpp engine, installs the project with the versions pinned in
`constraints.txt`, and opens the workbench. Later starts find the stamp that a finished installation leaves and
hand over at once. A start that finds no stamp, or one that no longer matches, completes the installation.

Not done here: anything about models, the web app or the command line (that is `workbench.cli`), and anything
outside this folder; the one exception is `test`, which may ask Debian's apt-get for a browser.

Only the standard library is used. The syntax stays that of Python 3.6, so that an old Python says what it needs
instead of showing a syntax error; annotations below the version check may be newer, they are evaluated after it.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

OLDEST_PYTHON = (3, 11)


def old_python_message(version: "tuple[int, ...]", executable: str) -> str:
    """Return what to tell the person who runs this on `version`; empty when that Python is new enough."""
    if tuple(version) >= OLDEST_PYTHON:
        return ""
    found = ".".join(str(part) for part in version[:3])
    return (
        f"Open Model Workbench needs Python 3.11 or newer, and this is Python {found} ({executable}): install a "
        "newer one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python; Windows: winget "
        "install Python.Python.3.13) and start again with it, for example: python3.13 launch.py"
    )


_REFUSAL = old_python_message(sys.version_info[:3], sys.executable)
if _REFUSAL:
    sys.exit(_REFUSAL)

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.json"
LOCK = VENV / "install.lock"
LOG = VENV / "install.log"

RUN_EXTRAS = frozenset({"demo", "llama-cpp", "pdf"})
TEST_EXTRAS = RUN_EXTRAS | {"dev"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
SECONDS_BETWEEN_LINES = 30.0

HELP = """\
python3 launch.py                    open the workbench in a window of its own (the first time, install it before);
                                     a second start shows the window of the first again
python3 launch.py --tab              open it in a tab of the usual browser
python3 launch.py --no-browser       only print its address
python3 launch.py demo               run the main job on the embedded models and open its report
python3 launch.py test [pytest ...]  install what the tests need, then run ruff, mypy and pytest
python3 launch.py repair             install everything again, then stop
python3 launch.py COMMAND ...        run any other command of the workbench
python3 launch.py COMMAND --help     help for one command
python3 launch.py -- --help          the list of commands

The first start takes 5 to 10 minutes, most of them for compiling llama.cpp, and 1.5 GB in the folder .venv beside
this file. CMAKE_ARGS and the PIP_ variables are respected. An interrupted installation is completed by the next
start.
"""

DISK_FULL = (
    "The disk is full: the environment needs about 1.5 GB in .venv and as much again in the folder for temporary "
    "files while it installs; free some space (or point TMPDIR to a larger disk) and start again."
)
NO_COMPILER = (
    "llama.cpp has to be compiled here and no working C and C++ compiler was found: install one (Debian, Ubuntu: "
    "apt install build-essential; Fedora: dnf install gcc-c++; macOS: xcode-select --install; Windows: Visual "
    'Studio Build Tools with "Desktop development with C++") and start again.'
)
NO_MEMORY = (
    "The compiler was stopped for lack of memory while building llama.cpp: close other programs and start again "
    "with CMAKE_BUILD_PARALLEL_LEVEL=1 set, which is slower and needs less."
)
BUILD_FAILED = (
    "llama.cpp did not compile: see the lines above; where CMAKE_ARGS is set, try without it, and otherwise update "
    "the compiler, then start again."
)
NO_NETWORK = (
    "No network: the package index could not be reached; check the connection (or the proxy in HTTPS_PROXY, or "
    "your mirror in PIP_INDEX_URL) and start again, what is already installed is kept."
)
NO_VERSION = (
    "The package index has no version that fits constraints.txt for this Python and system: see the lines above; "
    "try Python 3.11, 3.12 or 3.13, or, behind a mirror, check PIP_INDEX_URL and PIP_NO_INDEX."
)
NO_VENV = (
    "This Python cannot make virtual environments (its module ensurepip is missing): on Debian and Ubuntu run "
    "apt install python3-venv, elsewhere install Python from python.org, and start again."
)

# What pip, CMake and the compilers write (lower case), and the sentence for it. The first match wins: a build that
# broke says so more surely than a retried download earlier in the same log.
FAILURES = (
    (r"no space left on device|errno 28|disk quota exceeded|not enough space on the disk", DISK_FULL),
    (r"ensurepip is not available|no module named '?ensurepip", NO_VENV),
    (
        r"no cmake_c(xx)?_compiler could be found|cmake_c(xx)?_compiler not set"
        r"|is not able to compile a simple test program|could not find any instance of visual studio",
        NO_COMPILER,
    ),
    (r"killed signal terminated program|virtual memory exhausted|cannot allocate memory", NO_MEMORY),
    (r"failed building wheel for llama", BUILD_FAILED),
    (
        r"name resolution|name or service not known|nodename nor servname|getaddrinfo failed|no route to host"
        r"|connection (refused|reset)|actively refused|network is unreachable|newconnectionerror|connecttimeout"
        r"|read timed out|proxyerror|cannot connect to proxy",
        NO_NETWORK,
    ),
    (r"no matching distribution found|resolutionimpossible", NO_VERSION),
)
SHOW_LOG_FOR = (BUILD_FAILED, NO_VERSION)


class LaunchError(Exception):
    """An expected failure: one sentence for the person, and the lines of the log that explain it."""

    def __init__(self, sentence: str, log_lines: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.log_lines = log_lines


# --- telling -----------------------------------------------------------------------------------------------


def say(line: str, end: str = "\n") -> None:
    """Write to stderr: stdout belongs to the command that is handed over to."""
    print(line, end=end, file=sys.stderr, flush=True)


def spoken(seconds: float) -> str:
    """Render a duration for people: `4 s`, `2 min`, `2 min 30 s`."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def last_useful_lines(log: str, limit: int = 8) -> tuple[str, ...]:
    """Return the last lines that speak of an error, or simply the last ones; long lines are cut."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|fail|^e: ", line.lower())]
    return tuple(line[:200] for line in (telling or lines)[-limit:])


def explain(log: str, free_bytes: int) -> str:
    """Return the sentence for a failed step from what it wrote; empty when the cause is not a known one.

    `free_bytes` is what is left on the disk: a full disk can keep its own error message out of the log.
    """
    if free_bytes < 16 * 1024 * 1024:
        return DISK_FULL
    text = log.lower()
    return next((sentence for pattern, sentence in FAILURES if re.search(pattern, text)), "")


# --- what is there -----------------------------------------------------------------------------------------


def fingerprint() -> str:
    """Hash all that a finished installation depends on: the pins, this folder, and the Python behind `.venv`."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), (ROOT / "constraints.txt").read_bytes()]
    parts += [os.fsencode(ROOT), os.fsencode(os.path.realpath(PYTHON))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp() -> tuple[str, frozenset[str]]:
    """Return the fingerprint and the extras of the last finished installation; empty ones where there is none."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return str(stamp["fingerprint"]), frozenset(map(str, stamp["extras"]))
    except (OSError, ValueError, KeyError, TypeError):
        return "", frozenset()


def write_stamp(extras: frozenset[str]) -> None:
    """Mark the installation as finished, in one step: a half-written stamp must not exist."""
    draft = STAMP.with_suffix(".tmp")
    draft.write_text(json.dumps({"fingerprint": fingerprint(), "extras": sorted(extras)}), encoding="utf-8")
    draft.replace(STAMP)


def base_python_exists() -> bool:
    """Whether the Python that `.venv` was made from is still installed where it was."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    homes = [line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home"]
    return PYTHON.exists() and any(Path(home).is_dir() for home in homes)


def is_ready(extras: frozenset[str]) -> bool:
    """Whether a finished installation with these extras stands; no process is started to find out."""
    mark, installed = read_stamp()
    return extras <= installed and base_python_exists() and mark == fingerprint()


def compiler_found() -> bool:
    """Whether a C and a C++ compiler can be found; on Windows CMake searches by itself, so the answer is yes."""
    if os.name == "nt":
        return True
    if sys.platform == "darwin" and shutil.which("xcode-select"):
        # /usr/bin/cc exists on every Mac; it is a compiler only once the command line tools are installed.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(["xcode-select", "-p"], check=False, **quiet).returncode != 0:
            return False
    choices = (("CC", ("cc", "gcc", "clang")), ("CXX", ("c++", "g++", "clang++")))
    for variable, names in choices:
        named = shlex.split(os.environ.get(variable, ""))
        if not any(shutil.which(name) for name in (named[:1] or names)):
            return False
    return True


# --- one installation at a time ----------------------------------------------------------------------------


def take_lock(descriptor: int) -> bool:
    """Try to lock the open file. The system lets go of it when the last process that holds it ends, however."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Windows keeps others from reading a locked byte: lock one far behind the process id in the file.
            os.lseek(descriptor, 4096, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise  # those three: a file system without locks, where nothing can be waited for
    return True


@contextlib.contextmanager
def only_installer() -> Iterator[int]:
    """Hold `.venv` for this process and the pip it starts; wait, and say so, while another start holds it."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        started = told = time.perf_counter()
        waiting = False
        while not take_lock(descriptor):
            if not waiting or time.perf_counter() - told >= SECONDS_BETWEEN_LINES:
                holder = LOCK.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
                waited = spoken(time.perf_counter() - started)
                say(f"Another start (process {holder}) is installing into .venv: waiting for it, {waited} so far.")
                waiting, told = True, time.perf_counter()
            time.sleep(0.2)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())
        yield descriptor
    finally:
        os.close(descriptor)


# --- one step ----------------------------------------------------------------------------------------------


def watch(child: "subprocess.Popen[bytes]", seconds_expected: float) -> None:
    """Wait for a child and show the time that passes: one changing line on a terminal, else a line now and then."""
    on_terminal = sys.stderr.isatty()
    pause = 1.0 if on_terminal else SECONDS_BETWEEN_LINES
    started = time.perf_counter()
    while True:
        try:
            child.wait(timeout=pause)
        except subprocess.TimeoutExpired:
            so_far = time.perf_counter() - started
            usual = "of about" if so_far < seconds_expected else "longer than the usual"
            line = f"  ... {spoken(so_far)} so far, {usual} {spoken(seconds_expected)}"
            say("\r" + line.ljust(60) if on_terminal else line, end="" if on_terminal else "\n")
        else:
            break
    if on_terminal:
        say("\r" + " " * 60 + "\r", end="")


def run_step(title: str, command: list[str], seconds_expected: float, inherited: tuple[int, ...] = ()) -> str:
    """Run one command with its output in the log, tell how long it took; return its output if it failed, else "".

    `inherited` are the descriptors that the child keeps open: with the lock among them, a pip that outlives a killed
    launcher still keeps the next start from installing beside it.
    """
    say(f"{title} (about {spoken(seconds_expected)}) ...")
    started = time.perf_counter()
    with LOG.open("ab") as log:
        log.write(("\n$ " + shlex.join(command) + "\n").encode())
        log.flush()
        begin = log.tell()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=step_environment(),
            pass_fds=() if os.name == "nt" else inherited,
        )
        try:
            watch(child, seconds_expected)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if child.returncode == 0:
        say(f"  done in {spoken(time.perf_counter() - started)}")
        return ""
    with LOG.open("rb") as log:
        log.seek(begin)
        return log.read().decode("utf-8", errors="replace") or f"exit code {child.returncode}"


def step_environment() -> dict[str, str]:
    """Return our environment less what would send pip's files elsewhere, and with messages in one language."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX")}
    environment.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", LC_MESSAGES="C")
    environment.setdefault("DEBIAN_FRONTEND", "noninteractive")
    return environment


def must_run(title: str, command: list[str], seconds_expected: float, lock: int) -> None:
    """Run one step of the installation; raise LaunchError with the sentence for its failure."""
    output = run_step(title, command, seconds_expected, (lock,))
    if not output:
        return
    free_bytes = min(shutil.disk_usage(folder).free for folder in (VENV, tempfile.gettempdir()))
    sentence = explain(output, free_bytes)
    if sentence == BUILD_FAILED and not compiler_found():
        sentence = NO_COMPILER
    show = not sentence or sentence in SHOW_LOG_FOR
    sentence = (
        sentence or "This step failed for a reason that is not a known one: see the lines above, then start again."
    )
    raise LaunchError(f"{sentence} (Log: {LOG})", last_useful_lines(output) if show else ())


# --- the installation --------------------------------------------------------------------------------------


def works(probe: str) -> bool:
    """Whether the Python in `.venv` runs this code."""
    try:
        outcome = subprocess.run([str(PYTHON), "-I", "-c", probe], check=False, capture_output=True)
    except OSError:
        return False
    return outcome.returncode == 0


def site_packages() -> list[Path]:
    """Return the folders that pip installs into."""
    return [*VENV.glob("lib/python*/site-packages"), *VENV.glob("Lib/site-packages")]


def forget_half_installed() -> None:
    """Remove the records of packages that pip did not finish, so that it installs them again.

    pip writes the file INSTALLER after a package's own files, and renames what it is about to replace to `~...`.
    """
    for folder in site_packages():
        for record in folder.glob("*.dist-info"):
            if not (record / "INSTALLER").exists():
                shutil.rmtree(record)
        for leftover in folder.glob("~*"):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def make_venv(lock: int) -> None:
    """Make `.venv` anew, in place: the lock and the log in it stay."""
    try:
        import ensurepip  # noqa: F401  # Debian keeps it in a package of its own
    except ImportError:
        raise LaunchError(NO_VENV) from None
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry not in (LOCK, LOG):
            entry.unlink()
    must_run("Making .venv", [sys.executable, "-I", "-m", "venv", str(VENV)], 10, lock)


def requirements_of(extra: str) -> list[str]:
    """Return what pyproject.toml asks for under one extra."""
    import tomllib  # not at the top: Python before 3.11 has none, and must get as far as the version check

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [str(line) for line in project.get("optional-dependencies", {}).get(extra, [])]


def install(extras: frozenset[str], lock: int, force: bool) -> None:
    """Bring `.venv` to the pinned versions of the project and these extras.

    llama.cpp comes first: what most often fails should fail before the large downloads, and the demo models ask
    for it too.
    """
    pip = [str(PYTHON), "-I", "-m", "pip", "install", "--progress-bar", "off", "-c", "constraints.txt"]
    if force:
        pip.append("--force-reinstall")
    engine = requirements_of("llama-cpp") if "llama-cpp" in extras else []
    if engine:
        # pip's cache does not know which CMAKE_ARGS a finished build was made with.
        fresh = ["--no-cache-dir"] if os.environ.get("CMAKE_ARGS") else []
        title = "Installing the llama.cpp engine, compiled here unless pip has kept a finished build"
        must_run(title, [*pip, *fresh, *engine], 360, lock)
    what = "the tools for the tests" if "dev" in extras else "its demo models"
    must_run(f"Installing the workbench and {what}", [*pip, "-e", f".[{','.join(sorted(extras))}]"], 120, lock)


def why(extras: frozenset[str], force: bool) -> str:
    """Say why there is something to install."""
    mark, installed = read_stamp()
    if force:
        return "Repairing: everything is installed again into .venv, from pip's cache where it can be."
    if not (VENV / "pyvenv.cfg").exists():
        return (
            "First start: preparing the folder .venv beside launch.py, once. This takes 5 to 10 minutes, most of "
            "them for compiling llama.cpp, and 1.5 GB of disk; later starts take seconds."
        )
    if not mark:
        return "The last installation did not finish: completing it."
    if not extras <= installed:
        return f"Adding to .venv what is missing: {', '.join(sorted(extras - installed))}."
    return "The pinned versions, this folder or its Python changed: bringing .venv up to date."


def prepare(extras: frozenset[str], force: bool = False) -> None:
    """Make sure that a finished installation with these extras stands; the stamp is written last."""
    for name in ("pyproject.toml", "constraints.txt"):
        if not (ROOT / name).is_file():
            raise LaunchError(f"{ROOT / name} is missing: get a complete copy of the project and start again.")
    VENV.mkdir(exist_ok=True)
    with only_installer() as lock:
        if is_ready(extras) and not force:
            return
        started = time.perf_counter()
        say(why(extras, force))
        extras |= read_stamp()[1]
        STAMP.unlink(missing_ok=True)
        LOG.write_bytes(b"")
        forget_half_installed()
        if not works("import importlib.metadata, pip; importlib.metadata.version('pip')"):
            make_venv(lock)
        install(extras, lock, force)
        write_stamp(extras)
        say(f"Ready after {spoken(time.perf_counter() - started)}.")


# --- the tests ---------------------------------------------------------------------------------------------


def administrator() -> list[str] | None:
    """Return what to put before a command to run it as root without a question; None where that is not possible."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None


def prepare_browser() -> None:
    """Find a Chromium for the browser tests, or take Debian's; say plainly when there is none."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    skipped = "the browser tests will be skipped. To run them, install Chromium or Chrome yourself."
    apt = shutil.which("apt-get")
    if not apt:
        say(f"No Chromium was found, and there is no apt-get to install it with: {skipped}")
        return
    prefix = administrator()
    if prefix is None:
        say(f"No Chromium was found, and apt-get may not be used without a password: {skipped}")
        return
    run_step("Refreshing Debian's package lists", [*prefix, apt, "update"], 20)
    packages = ["chromium", "fonts-dejavu-core", "libpangoft2-1.0-0", "libharfbuzz-subset0"]  # the last two: PDF
    output = run_step("Installing Chromium from Debian", [*prefix, apt, "install", "-y", *packages], 60)
    if output or not any(shutil.which(name) for name in BROWSERS):
        reason = " / ".join(last_useful_lines(output, 1)) or "apt-get installed no chromium"
        say(f"No Chromium was found, and apt-get could not install it ({reason}): {skipped}")


def run_checks(pytest_arguments: list[str]) -> int:
    """Run ruff, mypy and pytest, in this order so that pytest's summary stands last; 0 when all of them passed."""
    checks = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["pytest", *pytest_arguments])
    failed: list[str] = []
    worst = 0
    for check in checks:
        title = " ".join(check)
        say(f"== {title}")
        if check[0] == "pytest" and failed:
            say(f"   (already failed: {', '.join(failed)}; see above)")
        code = run_child([str(PYTHON), "-m", *check], cwd=ROOT)
        if code:
            failed.append(title)
            worst = code if check[0] == "pytest" else 1
    return worst


# --- handing over ------------------------------------------------------------------------------------------


def run_child(command: list[str], cwd: Path | None = None) -> int:
    """Run a command in the foreground; Ctrl-C reaches it too, and is left to it."""
    child = subprocess.Popen(command, cwd=cwd)
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def workbench_arguments(arguments: list[str]) -> list[str]:
    """Return what the workbench's own command line gets: `ui` where only options of the page are given."""
    if arguments[:1] == ["--"]:
        return arguments[1:]
    if not arguments or (arguments[0].startswith("-") and {"--no-browser", "--tab"} & set(arguments)):
        return ["ui", *arguments]
    return arguments


def hand_over(arguments: list[str]) -> int:
    """Become the workbench (on Windows: run it and return its exit code)."""
    # -P: a folder named `results` or `catalog` where the person happens to be must not pass for ours.
    command = [str(PYTHON), "-P", "-m", "workbench.cli", *arguments]
    if os.name != "nt":
        os.execv(command[0], command)
    return run_child(command)


def dispatch(arguments: list[str]) -> int:
    """Do what the command line asks; return the exit code."""
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if first == "repair":
        prepare(RUN_EXTRAS, force=True)
        return 0
    extras = TEST_EXTRAS if first == "test" else RUN_EXTRAS
    if not is_ready(extras):
        prepare(extras)
    if first == "test":
        prepare_browser()
        return run_checks(arguments[1:])
    return hand_over(workbench_arguments(arguments))


def stop(_signal: int, _frame: object) -> None:
    """Leave by an exception, so that a step under way ends its child."""
    raise SystemExit(128 + signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Run, and turn every expected failure into its sentence on stderr."""
    signal.signal(signal.SIGTERM, stop)
    try:
        return dispatch(arguments)
    except LaunchError as problem:
        for line in problem.log_lines:
            say(f"  | {line}")
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Where an installation was under way, the next start completes it.")
        return 130
    except OSError as error:
        if error.errno == errno.ENOSPC:
            say(DISK_FULL)
        else:
            say(f"{error.strerror or error}: {error.filename or ROOT}; make it readable and writable, and start again.")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
