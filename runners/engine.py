"""The plug every engine fits, and the table in which engines are found.

An engine loads, streams, scores and closes. It does nothing before load(), never times itself, never retries
silently, never reads settings or the environment. The stopwatch stands outside (runners/stopwatch.py).
"""

import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

from catalog.records import Candidate
from runners.engine_options import EngineOptions, VllmOptions
from runners.errors import EngineUnavailable
from runners.records import ChoiceScores, Chunk, Loaded, NotYet, Request, Tuned
from runners.vllm_environment import environment_of


class Engine(Protocol):
    """What a candidate runs on."""

    @property
    def can_score_choices(self) -> bool:
        """Whether score_choices works; where it does not, labels are generated as text."""
        ...

    @property
    def concurrency(self) -> int:
        """Requests at once where answers are generated and nobody measures latency."""
        ...

    def load(self) -> Loaded:
        """Read the weights; afterwards the engine is ready for the first token. Raises EngineFailed."""
        ...

    def tune(self) -> Tuned | None:
        """Find what is fastest on this machine, where the options leave it open; after load() and no part of it."""
        ...

    def prompt_text(self, request: Request) -> str:
        """The prompt exactly as the model receives it."""
        ...

    def count_tokens(self, request: Request) -> int:
        """Tokens of that prompt, by the model's own tokenizer."""
        ...

    def stream(
        self, requests: Iterable[Request | NotYet], *, max_concurrency: int = 1, sharing: Sequence[Request] = ()
    ) -> Iterator[Chunk]:
        """Answers in pieces, up to max_concurrency requests at once.

        Where the next request is not due yet it gets NotYet, goes on with what it has, and asks again in time.
        Takes the next request only when it can start on it. Chunks of one request keep their order; the last one,
        and only it, has a finish_reason. No prompt token is reused from another request, unless `sharing` names all
        requests to come: then what they begin with may be computed once (prefix cache on). An engine that holds several
        requests at once ends one that fails with a chunk `failed`, and the others go on; at a concurrency of 1 it may
        raise EngineFailed instead. Raises LimitReached when going on would spend more than allowed.
        """
        ...

    def score_choices(self, requests: Sequence[Request], *, sharing: Sequence[Request] = ()) -> Iterator[ChoiceScores]:
        """Log-probability of every choice of every request, in order. Raises EngineFailed where it cannot.

        `sharing` names all requests of the work that these are a part of, by default these: what they begin with may
        be computed once, and a part of the work is computed as it would be with all of it.
        """
        ...

    def close(self) -> None:
        """Give everything back; may be called twice."""
        ...


_ENGINES = {
    "llama-cpp": ("runners.llama_cpp_engine:LlamaCppEngine", "llama-cpp-python", "llama-cpp"),
    "vllm": ("runners.vllm_engine:VllmEngine", "vllm", ""),
    "endpoint": ("runners.endpoint_engine:EndpointEngine", "httpx", ""),
    "scripted": ("runners.scripted_engine:ScriptedEngine", "open-model-workbench", ""),
}
"""Engine → (module:Class, package whose version counts, extra that installs it)."""

_WITH_SECRETS = frozenset({"endpoint"})
"""Engines that are also given the secrets."""

_WITH_PROGRESS = frozenset({"vllm"})
"""Engines that take long to load and say how far they are."""

ENGINE_NAMES = tuple(_ENGINES)
"""Every engine that can be named in a benchmark file."""


def engine_version(name: str, options: EngineOptions | None = None) -> str:
    """Version of the engine's package, without importing it. Raises EngineUnavailable with the install command.

    Of an engine with an environment of its own the options say where that is.
    """
    _, package, extra = _entry(name)
    if name == "vllm":
        return environment_of(options if isinstance(options, VllmOptions) else VllmOptions())[1].version
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        message = (
            f"The engine {name!r} is not installed (package {package} is missing). "
            f"Install it with: python3 launch.py repair, or pip install 'open-model-workbench[{extra}]'."
        )
        raise EngineUnavailable(message) from error


def open_engine(
    candidate: Candidate,
    options: EngineOptions,
    secrets: Mapping[str, str] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Engine:
    """The engine for a candidate, not yet loaded. Raises EngineUnavailable.

    `secrets` are values of environment variables by name, for the engines whose options name one; `on_progress` is
    told what an engine is at that takes minutes to load.
    """
    engine_version(candidate.engine, options)
    target, package, _ = _entry(candidate.engine)
    module_name, class_name = target.split(":")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, OSError, RuntimeError) as error:
        message = (
            f"The engine {candidate.engine!r} is installed but does not start: {error}. "
            f"Reinstall {package} with: python3 launch.py repair."
        )
        raise EngineUnavailable(message) from error
    make: Callable[..., Engine] = getattr(module, class_name)
    if candidate.engine in _WITH_SECRETS:
        return make(candidate, options, secrets or {})
    if candidate.engine in _WITH_PROGRESS:
        return make(candidate, options, on_progress)
    return make(candidate, options)


def _entry(name: str) -> tuple[str, str, str]:
    if name not in _ENGINES:
        close = get_close_matches(name, _ENGINES, n=1)
        suggestion = f"Did you mean {close[0]!r}?" if close else f"Known engines: {', '.join(_ENGINES)}."
        raise EngineUnavailable(f"There is no engine {name!r}. {suggestion}")
    return _ENGINES[name]
