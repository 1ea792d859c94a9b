"""Does watching memory cost speed? Decode tokens/s of a worker with and without the sampler looking at it.

    .venv/bin/python -m benchmarks.sampling [MODEL.gguf] [--rounds 10] [--output-tokens 128] [--interval 0.25]

A child process holds the model and decodes greedily when told to; this process samples it as the parent of a run does,
in every other round: with, without, with, without … so that a machine that slows down slows both. The order turns
around from pair to pair. Ratios are taken pair by pair and the median is quoted, with the share of a core that sampling
took. At most 2 % may be lost. The last line is JSON; nothing is asserted.
"""

import argparse
import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.overhead import demo_model
from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.machine import probe_machine
from runners.memory_sampler import MemoryWatch
from runners.process import SAMPLE_SECONDS
from runners.records import Message, Request

CONTEXT_TOKENS = 2048


def decode_when_told(model: Path, output_tokens: int) -> None:
    """The child: one line in, one round, its seconds out."""
    candidate = Candidate(name="b", model_id=str(model), weights_path=str(model), weights_bytes=0, engine="llama-cpp")
    engine = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=CONTEXT_TOKENS))
    engine.load()
    request = Request(
        id="r",
        messages=(Message(role="user", content="Tell a long story."),),
        max_output_tokens=output_tokens,
        ignore_eos=True,
    )
    print("ready", flush=True)
    for _ in sys.stdin:
        arrivals = [time.perf_counter() for chunk in engine.stream([request]) if chunk.tokens]
        print(arrivals[-1] - arrivals[0], flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Decoding with and without the memory sampler.")
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--output-tokens", type=int, default=128)
    parser.add_argument("--interval", type=float, default=SAMPLE_SECONDS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    model = arguments.model or demo_model()
    if arguments.child:
        decode_when_told(model, arguments.output_tokens)
        return
    command = [
        sys.executable,
        "-m",
        "benchmarks.sampling",
        str(model),
        "--child",
        "--output-tokens",
        str(arguments.output_tokens),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        watched, alone, busy = measure(child, arguments.rounds, arguments.interval)
        if child.stdin is not None:
            child.stdin.close()
    tokens = arguments.output_tokens - 1
    ratio = median(without / with_ for with_, without in zip(watched, alone, strict=True))
    rates = {"watched": tokens / median(watched), "alone": tokens / median(alone)}
    print(f"watched {rates['watched']:.1f}, alone {rates['alone']:.1f} tokens/s, ratio {ratio:.4f}")
    mean = sum(busy) / len(busy)
    print(f"one sample takes {mean * 1000:.2f} ms on average, {mean / arguments.interval:.2%} of a core")
    machine = probe_machine()
    document = {
        "benchmark": "sampling",
        "model": model.name,
        "rounds": arguments.rounds,
        "interval_seconds": arguments.interval,
        "tokens_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "ratio": round(ratio, 4),
        "sample_seconds": round(mean, 6),
        "machine": {"cpu": machine.cpu, "cores": machine.logical_cores},
    }
    sys.stdout.write(json.dumps(document) + "\n")


def measure(
    child: subprocess.Popen[bytes], rounds: int, interval: float
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each round watched and alone, and seconds of each sample. The first pair warms up and is left out."""
    watched: list[float] = []
    alone: list[float] = []
    busy: list[float] = []
    answer(child)
    memory = MemoryWatch(child.pid, segment=0)
    sides: tuple[tuple[list[float], Callable[[], None]], ...] = (
        (watched, lambda: look(memory, busy, interval)),
        (alone, lambda: time.sleep(interval)),
    )
    for number in range(rounds + 1):
        for seconds, wait in sides if number % 2 else sides[::-1]:
            took = one_round(child, wait)
            if number:
                seconds.append(took)
    return watched, alone, busy


def one_round(child: subprocess.Popen[bytes], wait: Callable[[], None]) -> float:
    """Tell the child to decode, wait as asked until it has, and return what it measured."""
    if child.stdin is None or child.stdout is None:
        raise AssertionError("the child was started with pipes")
    child.stdin.write(b"go\n")
    child.stdin.flush()
    stop = time.perf_counter() + 600
    pipe = child.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not selector.select(timeout=0) and time.perf_counter() < stop:
            wait()
    return float(answer(child))


def look(memory: MemoryWatch, busy: list[float], interval: float) -> None:
    """One sample and the rest of its interval."""
    started = time.perf_counter()
    memory.sample(0.0)
    busy.append(time.perf_counter() - started)
    time.sleep(max(0.0, interval - busy[-1]))


def answer(child: subprocess.Popen[bytes]) -> str:
    """The child's next line."""
    line = child.stdout.readline().decode().strip() if child.stdout is not None else ""
    if not line:
        sys.exit("The process with the model ended; run it with --child to see why.")
    return line


if __name__ == "__main__":
    main()
