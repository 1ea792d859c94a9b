"""What can be set of each engine: one record per engine, and the union that refuses what an engine does not know."""

from typing import Annotated, Literal

from pydantic import Field

from catalog.records import Record


class LlamaCppOptions(Record):
    """Options of the llama.cpp engine."""

    engine: Literal["llama-cpp"] = "llama-cpp"
    context_tokens: int = Field(default=2048, ge=64, le=10_000_000)
    """KV cache cells, shared by all sequences that are held at once."""
    threads: int | None = Field(default=None, gt=0)
    """Compute threads; None takes the physical cores this process may use."""
    batch_tokens: int = Field(default=512, ge=32, le=16_384)
    """Most tokens decoded in one call."""
    gpu_layers: int | Literal["auto", "all"] = "auto"
    """Layers kept on the GPU; `auto` and `all` offload everything where the build has a GPU backend."""
    memory_map: bool = True
    """Map the weights from the file instead of copying them."""


class ScriptedOptions(Record):
    """Options of the scripted engine, whose delays and answers are known exactly. For tests of the stopwatch."""

    engine: Literal["scripted"] = "scripted"
    load_seconds: float = Field(default=0.0, ge=0)
    """Delay of load()."""
    first_token_seconds: float = Field(default=0.01, ge=0)
    """Delay before the first chunk of every request."""
    token_seconds: float = Field(default=0.005, ge=0)
    """Delay between chunks."""
    score_seconds: float = Field(default=0.0, ge=0)
    """Delay of scoring the choices of one request."""
    text: str = "one two three four"
    """Answer to every request, one chunk per word."""
    answers: dict[str, str] = Field(default_factory=dict)
    """Choice that wins, by example id; others choose the first label."""
    empty_first_chunk: bool = False
    """Send an empty chunk first, which is not a token."""
    fail_on: tuple[str, ...] = ()
    """Example ids at which the engine raises an error."""
    crash_on: tuple[str, ...] = ()
    """Example ids at which the process ends at once, as after a segmentation fault."""
    hang_on: tuple[str, ...] = ()
    """Example ids at which the engine never answers."""
    memory_bytes: int = Field(default=0, ge=0)
    """Memory to hold while loaded."""


EngineOptions = Annotated[LlamaCppOptions | ScriptedOptions, Field(discriminator="engine")]
"""Options by engine; an option that an engine does not know is refused."""
