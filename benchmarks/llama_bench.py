"""Does our engine lose speed to llama.cpp's own tool? Prefill and decode at concurrency 1 beside `llama-bench`.

    .venv/bin/python -m benchmarks.llama_bench --llama-bench PATH [MODEL.gguf] [--rounds 5] [--prompt-tokens 512]
        [--output-tokens 128]

llama-bench is built from the llama.cpp source inside llama-cpp-python's source archive, so that both sides compute
with the same code. Same file, threads, batch sizes and attention kernel (flash attention off, as ours on a CPU); the
sides take turns: ours, theirs, ours, theirs … Ours goes through the whole engine: chat template, tokenizer, batching,
sampler, text. Prefill is one prompt of about the number of tokens (theirs exactly, ours the next whole sentence) up to
its first token, which ours also samples; decode is the tokens after the first. llama-bench decodes from an empty cache
(tg), so its decode starts at the depth of our prompt (`-d`) to attend to as many tokens. The first round warms up. The
ratio is the median over the rounds; the last line is JSON; nothing is asserted.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.overhead import demo_model, request_of
from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.machine import probe_machine
from runners.records import Request

CONTEXT_TOKENS = 2048


class Rates(NamedTuple):
    """Tokens per second of one round."""

    prefill: float
    decode: float


def time_ours(engine: LlamaCppEngine, request: Request, prompt_tokens: int) -> Rates:
    """One request through our engine."""
    started = time.perf_counter()
    arrivals = [time.perf_counter() for chunk in engine.stream([request]) if chunk.tokens]
    if len(arrivals) < 2:
        sys.exit("The model answered with one token or none; nothing can be timed.")
    return Rates(prompt_tokens / (arrivals[0] - started), (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]))


def time_theirs(command: list[str], prompt_tokens: int, output_tokens: int) -> Rates:
    """One run of llama-bench without repetitions for each of the two."""
    prefill = _run([*command, "-p", str(prompt_tokens), "-n", "0"])
    decode = _run([*command, "-p", "0", "-n", str(output_tokens), "-d", str(prompt_tokens)])
    return Rates(prefill, decode)


def _run(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"llama-bench failed: {done.stderr[-800:]}")
    (row,) = json.loads(done.stdout)
    return float(row["avg_ts"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Our engine beside llama-bench.")
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--llama-bench", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--output-tokens", type=int, default=128)
    arguments = parser.parse_args()
    model = arguments.model or demo_model()
    candidate = Candidate(name="b", model_id=str(model), weights_path=str(model), weights_bytes=0, engine="llama-cpp")
    engine = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=CONTEXT_TOKENS, batch_tokens=1024))
    engine.load()
    threads = engine.tune()
    request = request_of(engine, arguments.prompt_tokens, arguments.output_tokens)
    tokens = engine.count_tokens(request)
    command = [str(arguments.llama_bench), "-m", str(model), "-o", "json", "-r", "1", "-fa", "0", "-b", "1024"]
    command += ["-ub", "512", "-t", str(threads.threads)]
    ours: list[Rates] = []
    theirs: list[Rates] = []
    for _ in range(arguments.rounds + 1):
        ours.append(time_ours(engine, request, tokens))
        theirs.append(time_theirs(command, tokens, arguments.output_tokens))
    report(model, tokens, ours[1:], theirs[1:])


def report(model: Path, prompt_tokens: int, ours: list[Rates], theirs: list[Rates]) -> None:
    """A line per figure for people, then one JSON line."""
    figures = {}
    for name in Rates._fields:
        left, right = ([getattr(rates, name) for rates in side] for side in (ours, theirs))
        ratios = sorted(one / other for one, other in zip(left, right, strict=True))
        figures[name] = {
            "unit": "tokens/s",
            "ours": round(median(left), 1),
            "llama_bench": round(median(right), 1),
            "ratio": round(median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios],
        }
        print(
            f"{name}: ours {median(left):.1f}, llama-bench {median(right):.1f} tokens/s, "
            f"ratio {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        )
    machine = probe_machine()
    document = {
        "benchmark": "llama_bench",
        "model": model.name,
        "prompt_tokens": prompt_tokens,
        "rounds": len(ours),
        "figures": figures,
        "machine": {"cpu": machine.cpu, "cores": machine.logical_cores, "instruction_sets": machine.instruction_sets},
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
