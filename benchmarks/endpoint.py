r"""Do we time a server as others do? TTFT and ITL medians beside `vllm bench serve`, on the same server, in turns.

    .venv/bin/python benchmarks/endpoint.py --vllm PATH/TO/vllm --tokenizer FOLDER \
        (--base-url http://127.0.0.1:8000/v1 --model NAME | --llama-server PATH/TO/llama-server --model FILE.gguf) \
        [--rounds 3] [--requests 30] [--input-tokens 128] [--output-tokens 32]

Both sides send made prompts of the same length to `/v1/completions`, one at a time, each different, answers of fixed
length. Ours is a whole run: worker process, event file, store, and the figures that a report shows. The order turns
around from round to round. Medians are over the rounds; they should agree within 5 %. TPOT stands beside. The tokenizer
folder (Hugging Face's files) is what `vllm bench serve` makes its prompts with. The last line is JSON.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from catalog.records import Candidate
from results.levels import level_summaries
from results.records import Benchmark
from results.requirement_records import Requirements
from results.store import Store
from runners.engine import engine_version
from runners.engine_options import EndpointOptions
from runners.process import RunFolder, run_in_worker
from runners.records import RunSpec, Synthetic, Workload
from runners.test_set_records import Example, TestSet

FIGURES = ("ttft", "itl", "tpot")
WARMUP = 3


def ours(arguments: argparse.Namespace, address: str, number: int, folder: Path) -> dict[str, float]:
    """Median seconds as a report would show them."""
    workload = Workload(
        kind="latency",
        prompts=arguments.requests,
        warmup_prompts=WARMUP,
        synthetic=Synthetic(input_tokens=arguments.input_tokens, output_tokens=arguments.output_tokens),
    )
    example = Example(id="e", inputs={"text": "Warm up."}, target="a")
    test_set = TestSet(name="none", labels=("a", "b"), examples=(example,))
    spec = RunSpec(
        candidate=Candidate(name="c", model_id="m", weights_path="", weights_bytes=0, engine="endpoint"),
        options=EndpointOptions(base_url=address, model=arguments.served, api="completions"),
        test_set=test_set,
        workloads=(workload,),
        engine_version=engine_version("endpoint"),
        scorer_versions={},
        seed=number,
    )
    run_folder = RunFolder(folder / f"run-{number}")
    result = run_in_worker(spec, run_folder, on_event=lambda _: None, is_cancelled=lambda: False)
    if result.status != "finished":
        sys.exit(f"Our run {result.status}: {[event.failure.message for event in result.failures]}")
    store = Store(folder / f"results-{number}.duckdb")
    store.save_benchmark(_benchmark(spec))
    store.save_run("b", result)
    (measured,) = store.measurements("b")
    (level,) = level_summaries(measured, "latency")
    lengths = {(timing.prompt_tokens, timing.output_tokens) for timing in measured.timings}
    print(f"  ours: prompt and output tokens {sorted(lengths)}, {level.measured.failed} failed")
    found = {"ttft": level.ttft.p50, "itl": level.itl.p50, "tpot": level.tpot.p50}
    return {name: estimate.value for name, estimate in found.items() if estimate is not None}


def theirs(arguments: argparse.Namespace, address: str, number: int, folder: Path) -> dict[str, float]:
    """Median seconds as `vllm bench serve` gives them."""
    name = f"theirs-{number}.json"
    command = [
        *(str(arguments.vllm), "bench", "serve", "--backend", "openai", "--endpoint", "/v1/completions"),
        *("--base-url", address.removesuffix("/v1"), "--model", arguments.served, "--tokenizer", arguments.tokenizer),
        *("--dataset-name", "random", "--random-input-len", str(arguments.input_tokens)),
        *("--random-output-len", str(arguments.output_tokens), "--num-prompts", str(arguments.requests)),
        *("--max-concurrency", "1", "--num-warmups", str(WARMUP), "--ignore-eos", "--seed", str(number)),
        *("--temperature", "0", "--save-result", "--result-dir", str(folder), "--result-filename", name),
        "--disable-tqdm",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"vllm bench serve ended with {done.returncode}:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    document = json.loads((folder / name).read_text())
    print(f"  theirs: {document['total_input_tokens']} in, {document['total_output_tokens']} out")
    return {figure: document[f"median_{figure}_ms"] / 1000 for figure in FIGURES}


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description="Our stopwatch beside `vllm bench serve`.")
    parser.add_argument("--vllm", type=Path, required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--base-url")
    parser.add_argument("--llama-server", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--input-tokens", type=int, default=128)
    parser.add_argument("--output-tokens", type=int, default=32)
    arguments = parser.parse_args()
    arguments.served = arguments.model if arguments.base_url else Path(arguments.model).name
    with server(arguments) as address, tempfile.TemporaryDirectory() as name:
        found: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
        sides = {"ours": ours, "theirs": theirs}
        for number in range(arguments.rounds):
            print(f"round {number + 1}", flush=True)
            for side in list(sides) if number % 2 else list(sides)[::-1]:
                found[side].append(sides[side](arguments, address, number, Path(name)))
    report(arguments, found)


def report(arguments: argparse.Namespace, found: dict[str, list[dict[str, float]]]) -> None:
    """A line per figure for people, then one JSON line."""
    figures = {}
    for figure in FIGURES:
        left, right = (median(round_[figure] for round_ in found[side]) for side in ("ours", "theirs"))
        each = [one[figure] / other[figure] for one, other in zip(found["ours"], found["theirs"], strict=True)]
        figures[figure] = {
            "ours_ms": round(left * 1000, 3),
            "theirs_ms": round(right * 1000, 3),
            "ratio": round(median(each), 4),
            "ratios": [round(ratio, 4) for ratio in each],
        }
        print(f"{figure}: ours {left * 1000:.2f} ms, theirs {right * 1000:.2f} ms, ratio {median(each):.3f}")
    document = {"benchmark": "endpoint", "model": arguments.served, "requests": arguments.requests, "figures": figures}
    sys.stdout.write(json.dumps(document) + "\n")


@contextmanager
def server(arguments: argparse.Namespace) -> Iterator[str]:
    """The address of the server: the one named, or llama-server started for the occasion."""
    if arguments.base_url is not None:
        yield arguments.base_url.rstrip("/")
        return
    if arguments.llama_server is None:
        sys.exit("Name a server that runs (--base-url), or a llama-server to start (--llama-server).")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(arguments.llama_server), "-m", arguments.model, "--port", str(port), "-c", "4096", "-np", "1"]
    command += ["--alias", arguments.served]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def wait_until_ready(address: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Until the server says that it can be asked."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("The server did not start.")


def _benchmark(spec: RunSpec) -> Benchmark:
    return Benchmark(
        name="b",
        created_at="2026-01-01T00:00:00+00:00",
        test_set_name=spec.test_set.name,
        test_set_hash=spec.test_set.content_hash,
        task=spec.test_set.task,
        labels=spec.test_set.labels,
        examples=len(spec.test_set.examples),
        candidates=(spec.candidate.name,),
        workloads=spec.workloads,
        seed=spec.seed,
        requirements=Requirements(),
    )


if __name__ == "__main__":
    main()
