"""vLLM's server as a child of the worker: its command line, its start until it is ready, its end.

Under a guard (guard.py) the server and everything it started end with the worker, also when that is killed. Listens on
a free port of the loopback interface; its random key goes through a pipe. What it writes goes on to the worker's log,
and its last lines explain a failure. Asks the server nothing but whether it is ready.
"""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from catalog.records import Candidate
from runners.engine_options import VllmOptions
from runners.errors import EngineFailed
from runners.guard import SIGNALLED, end_guarded, start_guarded
from runners.vllm_environment import VllmEnvironment, python_path

MODEL_NAME = "candidate"
"""What the server calls the model."""
LOOK_SECONDS = 0.25
"""Between two looks whether the server is ready."""
ENDING_SECONDS = 10
"""Time in which a server that lost a part of itself ends by itself."""
PORT_TRIES = 3
"""Ports that are tried where another program takes the free one first."""
CPU_KV_CACHE_BYTES = 1024**3
CPU_BLOCK_TOKENS = 32
"""Tokens in a block of the prefix cache: with vLLM's 128 on CPUs a prompt of 241 tokens shares 128 with the next, with
32 it shares 160, and labels are scored in 77 instead of 109 s (150 examples, 2 cores)."""

_KEPT_LINES = 60
_OUT_OF_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|No available memory for the cache blocks|KV cache is needed, which is larger|"
    r"is less than desired (?:GPU|CPU) memory utilization|Cannot allocate memory|not enough GPU memory|MemoryError",
    re.IGNORECASE,
)
_PORT_TAKEN = re.compile(r"Address already in use|Errno 98", re.IGNORECASE)
_REASON = re.compile(r"^(?:\([^)]*\) *)?(?:ERROR [^\]]*\] *)?((?:[A-Za-z_.]*(?:Error|Exception)): .+)$")
_STAGES = (
    (re.compile(r"Resolved architecture: (\S+)"), "vLLM reads a model of the kind {}"),
    (re.compile(r"Starting to load model"), "vLLM loads the weights"),
    (re.compile(r"checkpoint shards: +(\d+)% Completed(?!.*% Completed)"), "vLLM loads the weights, {} %"),
    (re.compile(r"Warming up model|Dynamo bytecode transform|[Cc]apturing CUDA graphs"), "vLLM compiles and warms up"),
    (re.compile(r"KV cache size: ([\d,]+) tokens"), "vLLM has reserved a KV cache of {} tokens"),
    (re.compile(r"Application startup complete"), "vLLM is up"),
)
"""Lines of the server's log that say how far it is."""
_LEVEL = re.compile(r"^(?:\([^)]*\) )?(?:INFO|WARNING) \S+ \S+ \[[^\]]*\] *")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class VllmServer:
    """One server process for one model."""

    def __init__(
        self,
        folder: Path,
        environment: VllmEnvironment,
        options: VllmOptions,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._options = options
        self._on_progress = on_progress
        self._told = ""
        self._is_up = False
        self._guard: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.key = secrets.token_urlsafe(32)
        self.address = ""

    def start(
        self, candidate: Candidate, is_ready: Callable[[str], bool], choose_port: Callable[[], int] = free_port
    ) -> None:
        """Start it and wait; `is_ready` is asked with the server's address. Raises EngineFailed with its last words."""
        for _ in range(PORT_TRIES):
            port = choose_port()
            self.address = f"http://127.0.0.1:{port}"
            self._launch(command_line(self._folder, self._environment, self._options, candidate, port))
            if self._wait(is_ready):
                self._is_up = True
                return
            code = self.close()
            if not _PORT_TAKEN.search(self.last_words()):
                raise EngineFailed(self._why_not(code))
        raise EngineFailed(
            f"Other programs took {PORT_TRIES} ports, one after the other, before vLLM's server could. Try again."
        )

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._guard is not None and self._guard.poll() is None

    def last_words(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._lines)

    def how_it_ended(self) -> str:
        """A sentence for a server that should still be there; one that does not answer is given time to end."""
        if self._guard is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(timeout=ENDING_SECONDS)
        return f"vLLM's server ended while it was needed ({_how(self.close())}). {self._quoted()}"

    def close(self) -> int:
        """End it with everything it started; its exit code. May be called twice."""
        if self._guard is None:
            return 0
        code = end_guarded(self._guard)
        if self._reader is not None:
            self._reader.join()
        return code

    def _launch(self, command: list[str]) -> None:
        self._lines.clear()
        variables = environment_variables(self._folder, self._environment, self._options, self.key)
        self._guard = start_guarded(command, variables, subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, args=(self._guard,), name="vLLM's log", daemon=True)
        self._reader.start()

    def _read(self, guard: "subprocess.Popen[bytes]") -> None:
        """Pass on what the server writes until it ends."""
        if guard.stdout is None:
            return
        with guard.stdout as output:
            for data in output:
                line = data.decode("utf-8", "replace").replace(self.key, "***")
                self._lines.append(line.rstrip())
                sys.stderr.write(line)
                if not self._is_up:
                    self._tell(line)

    def _tell(self, line: str) -> None:
        """Pass on what the server is at, when that is something new."""
        for sign, stage in _STAGES:
            if (found := sign.search(line)) is not None:
                text = stage.format(*found.groups())
                if text != self._told:
                    self._told = text
                    self._on_progress(text)

    def _wait(self, is_ready: Callable[[str], bool]) -> bool:
        """False where the server has ended. Raises EngineFailed when it takes too long."""
        deadline = time.perf_counter() + self._options.start_seconds
        while self.is_running:
            if is_ready(self.address):
                return True
            if time.perf_counter() > deadline:
                self.close()
                raise EngineFailed(
                    f"vLLM's server was not ready after {self._options.start_seconds:,.0f} seconds. Set a larger "
                    f"start_seconds, or see what it was at: {self._quoted()}"
                )
            time.sleep(LOOK_SECONDS)
        return False

    def _why_not(self, code: int) -> str:
        if _OUT_OF_MEMORY.search(self.last_words()):
            return (
                "vLLM did not start: there is not enough memory for the model and its KV cache. Set a smaller "
                "context_tokens or concurrency, another kv_cache_bytes or gpu_memory_share, or choose a smaller "
                f"quantization. {self._quoted()}"
            )
        return f"vLLM did not start ({_how(code)}). {self._quoted()}"

    def _quoted(self) -> str:
        """The line that says why, else the last one."""
        reasons = [found.group(1) for line in self._lines if (found := _REASON.match(line))]
        causes = [reason for reason in reasons if "Engine core initialization failed" not in reason]
        lines = [_LEVEL.sub("", line) for line in self._lines if line.strip()]
        said = (causes or reasons or lines or ["nothing"])[-1]
        return f"It said: {said[:400]}"


def command_line(
    folder: Path, environment: VllmEnvironment, options: VllmOptions, candidate: Candidate, port: int
) -> list[str]:
    """What is started; the key is not in it."""
    on_cpu = environment.build == "cpu"
    values = {
        "model": candidate.weights_path,
        "served-model-name": MODEL_NAME,
        "host": "127.0.0.1",
        "port": port,
        "max-model-len": options.context_tokens,
        "max-num-seqs": options.concurrency,
        "dtype": options.dtype,
        "quantization": options.quantization,
        "tensor-parallel-size": options.tensor_parallel,
        "kv-cache-dtype": options.kv_cache_dtype,
        "gpu-memory-utilization": None if on_cpu else options.gpu_memory_share,
        "kv-cache-memory-bytes": None if on_cpu else options.kv_cache_bytes,
        "block-size": CPU_BLOCK_TOKENS if on_cpu else None,
        "reasoning-parser": options.reasoning_parser,
        "seed": 0,
    }
    flags = {
        "enforce-eager": on_cpu if options.enforce_eager is None else options.enforce_eager,
        "trust-remote-code": options.trust_remote_code,
        # On for accuracy; a request that is measured carries a salt of its own and shares nothing (vllm_engine.py).
        "enable-prefix-caching": True,
        "enable-prompt-tokens-details": True,
        "disable-log-stats": False,
        "disable-uvicorn-access-log": True,
    }
    command = [str(python_path(folder)), "-I", "-m", "vllm.entrypoints.launchers.api_server.entry"]
    for name, value in values.items():
        command += [f"--{name}", str(value)] if value is not None else []
    return command + [f"--{name}" for name, is_set in flags.items() if is_set]


def environment_variables(
    folder: Path, environment: VllmEnvironment, options: VllmOptions, key: str
) -> Mapping[str, str]:
    """Nothing is fetched, nothing is reported, and what vLLM keeps is kept in its environment."""
    variables = {
        "VLLM_API_KEY": key,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
        "VLLM_CACHE_ROOT": str(folder / "cache"),
        "VLLM_CONFIG_ROOT": str(folder / "cache"),
    }
    if environment.build == "cpu":
        cores = sorted(os.sched_getaffinity(0))[: options.threads]
        wanted = options.kv_cache_bytes or CPU_KV_CACHE_BYTES
        variables["VLLM_CPU_KVCACHE_SPACE"] = str(-(-wanted // 1024**3))
        variables["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores))
    return variables


def _how(code: int) -> str:
    return f"ended by signal {code - SIGNALLED}" if code > SIGNALLED else f"exit code {code}"
