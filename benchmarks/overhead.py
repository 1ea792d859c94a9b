"""Does our engine cost anything? Prefill and decode tokens/s beside plain llama_cpp.Llama, same file, same run.

    .venv/bin/python benchmarks/overhead.py [MODEL.gguf] [--rounds 7] [--prompt-tokens 512] [--output-tokens 128]

Both sides load the same file with the same threads and context, then take turns: ours, plain, ours, plain … so that a
machine that slows down slows both. Prefill is one prompt up to its first token; decode is the tokens after the first,
greedy, until the asked number or the model's own end (the same on both sides). Ratios are taken round by round and the
median is quoted. Not included: loading, chat templates, scoring. The last line is JSON; nothing is asserted.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import llama_cpp

from catalog.packaged import find_packaged
from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.machine import probe_machine
from runners.records import Message, Request

CONTEXT_TOKENS = 2048
WORDS = "The quick brown fox jumps over the lazy dog while the parcel waits at the door of the shop. "


class Timing:
    """Prefill and decode rate of one round, tokens per second."""

    def __init__(self, prompt_tokens: int, arrivals: list[float], started: float) -> None:
        self.prefill = prompt_tokens / (arrivals[0] - started)
        self.decode = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) if len(arrivals) > 1 else float("nan")


def time_ours(engine: LlamaCppEngine, request: Request) -> Timing:
    """One request through our engine."""
    started = time.perf_counter()
    arrivals: list[float] = []
    for chunk in engine.stream([request]):
        if chunk.tokens:
            arrivals.append(time.perf_counter())
    return Timing(engine.count_tokens(request), arrivals, started)


def time_plain(llama: llama_cpp.Llama, prompt: list[int], output_tokens: int) -> Timing:
    """The same through the high-level class."""
    llama.n_tokens = 0
    started = time.perf_counter()
    arrivals: list[float] = []
    for token in llama.generate(prompt, temp=0.0):
        if token == llama.token_eos() or len(arrivals) == output_tokens:
            break
        arrivals.append(time.perf_counter())
    return Timing(len(prompt), arrivals, started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Our engine beside plain llama_cpp.Llama.")
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--output-tokens", type=int, default=128)
    arguments = parser.parse_args()
    model = arguments.model or demo_model()
    candidate = Candidate(name="b", model_id=str(model), weights_path=str(model), weights_bytes=0, engine="llama-cpp")
    engine = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=CONTEXT_TOKENS))
    threads = engine.load().threads
    llama = llama_cpp.Llama(str(model), n_ctx=CONTEXT_TOKENS, n_threads=threads, n_threads_batch=threads, verbose=False)
    request = request_of(engine, arguments.prompt_tokens, arguments.output_tokens)
    prompt = llama.tokenize(engine.prompt_text(request).encode(), add_bos=False, special=True)
    ours: list[Timing] = []
    plain: list[Timing] = []
    sides: tuple[tuple[list[Timing], Callable[[], Timing]], ...] = (
        (ours, lambda: time_ours(engine, request)),
        (plain, lambda: time_plain(llama, prompt, arguments.output_tokens)),
    )
    for number in range(arguments.rounds + 1):
        for timings, measure in sides:
            timing = measure()
            if number:
                timings.append(timing)
    report(model, len(prompt), ours, plain)


def report(model: Path, prompt_tokens: int, ours: list[Timing], plain: list[Timing]) -> None:
    """A line per figure for people, then one JSON line."""
    figures = {}
    for name in ("prefill", "decode"):
        left, right = ([getattr(timing, name) for timing in side] for side in (ours, plain))
        ratio = median(one / other for one, other in zip(left, right, strict=True))
        figures[name] = {
            "unit": "tokens/s",
            "ours": round(median(left), 1),
            "plain": round(median(right), 1),
            "ratio": round(ratio, 3),
        }
        print(f"{name}: ours {median(left):.1f}, plain {median(right):.1f} tokens/s, ratio {ratio:.3f}")
    machine = probe_machine()
    document = {
        "benchmark": "overhead",
        "model": model.name,
        "prompt_tokens": prompt_tokens,
        "rounds": len(ours),
        "figures": figures,
        "machine": {"cpu": machine.cpu, "cores": machine.logical_cores, "instruction_sets": machine.instruction_sets},
    }
    sys.stdout.write(json.dumps(document) + "\n")


def request_of(engine: LlamaCppEngine, prompt_tokens: int, output_tokens: int) -> Request:
    """A request whose prompt has about the wanted number of tokens."""
    text = WORDS

    def make() -> Request:
        return Request(id="r", messages=(Message(role="user", content=text),), max_output_tokens=output_tokens)

    while engine.count_tokens(make()) < prompt_tokens:
        text += WORDS
    return make()


def demo_model() -> Path:
    """The model that comes with the demo."""
    weights = find_packaged("HuggingFaceTB/SmolLM2-135M-Instruct", None, Path(tempfile.gettempdir()))
    if weights is None:
        sys.exit("The demo model is not installed; name a GGUF file.")
    return Path(weights.path)


if __name__ == "__main__":
    main()
