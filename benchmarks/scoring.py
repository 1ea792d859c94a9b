"""How fast are 200 examples scored? Our label scoring beside llama-server with prompt cache and label grammar.

    .venv/bin/python benchmarks/scoring.py MODEL.gguf --llama-server PATH [--llama-bench PATH] [--rounds 3]

200 short messages made from the demo's, 6 labels, 18 few-shot examples. Both sides get the same prompts, the same
threads and the same file, and take turns. llama-server answers through a grammar of the labels with 4 slots and 4
clients; we give the log-probability of every label, which is more. The limit is the arithmetic one: unique prompt
tokens ÷ llama-bench's rate for 512 tokens. Loading is left out. The last line is JSON; nothing is asserted.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.machine import probe_machine
from runners.prompts import example_request
from runners.records import Request, Workload
from runners.test_set_records import Example, PromptTemplate, TestSet

LABELS = ("delivery", "returns", "billing", "account", "product", "cancellation")
EXAMPLES, FEW_SHOT, WORDS, SLOTS, CONTEXT_TOKENS = 200, 18, 14, 4, 4096
PORT = 18_733


def make_requests() -> list[Request]:
    """Messages of at most WORDS words; the few-shot examples are not among them."""
    folder = files("workbench.demo")
    with folder.joinpath("support_messages.csv").open(encoding="utf-8") as file:
        messages = list(csv.DictReader(file))
    with folder.joinpath("few_shot.csv").open(encoding="utf-8") as file:
        shots = [*csv.DictReader(file), *messages[-6:]][:FEW_SHOT]
    rows = messages[:-6]

    def example(number: int, row: dict[str, str], start: int) -> Example:
        text = " ".join(row["text"].split()[start : start + WORDS]) or row["text"]
        return Example(id=f"e{number}", inputs={"text": text}, target=row["label"])

    test_set = TestSet(
        name="scoring",
        labels=LABELS,
        examples=tuple(
            example(number, rows[number % len(rows)], number // len(rows) * 5) for number in range(EXAMPLES)
        ),
        few_shot=tuple(example(-number, row, 0) for number, row in enumerate(shots, start=1)),
        prompt=PromptTemplate(user="Message: {{ text }}\nIntent:"),
    )
    return [example_request(test_set, item, Workload(kind="accuracy")) for item in test_set.examples]


def time_server(prompts: list[str]) -> tuple[float, list[str]]:
    """Seconds for all prompts, and the answers."""
    grammar = "root ::= " + " | ".join(f'"{label}"' for label in LABELS)
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=600) as client, ThreadPoolExecutor(SLOTS) as pool:

        def ask(prompt: str) -> str:
            body = {"prompt": prompt, "grammar": grammar, "n_predict": 8, "temperature": 0, "cache_prompt": True}
            answer = client.post("/completion", json=body)
            answer.raise_for_status()
            return str(answer.json()["content"])

        started = time.perf_counter()
        answers = list(pool.map(ask, prompts))
        return time.perf_counter() - started, answers


def start_server(binary: Path, model: Path, threads: int, log: Any) -> subprocess.Popen[bytes]:
    """llama-server, ready to answer."""
    command = [binary, "-m", model, "--port", PORT, "-np", SLOTS, "-c", CONTEXT_TOKENS * SLOTS, "-t", threads]
    # Left to itself it takes flash attention, with which it needs more than twice the time on CPUs.
    command += ["-fa", "off"]
    server = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/health").is_success:
                return server
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    server.kill()
    sys.exit("llama-server did not become ready.")


def prefill_rate(binary: Path, model: Path, threads: int) -> float:
    """Tokens/s of llama-bench for a prompt of 512 tokens."""
    command = [binary, "-m", model, "-p", "512", "-n", "0", "-t", threads, "-o", "json", "-r", "3"]
    printed = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    return float(json.loads(printed)[0]["avg_ts"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Our label scoring beside llama-server.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--llama-server", type=Path, required=True)
    parser.add_argument("--llama-bench", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    candidate = Candidate(
        name="scoring", model_id="file", weights_path=str(arguments.model), weights_bytes=0, engine="llama-cpp"
    )
    engine = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=CONTEXT_TOKENS))
    threads = engine.load().threads or 1
    requests = make_requests()
    prompts = [engine.prompt_text(request) for request in requests]
    ours: list[float] = []
    theirs: list[float] = []
    tokens = shared = 0
    agree = 0
    with tempfile.TemporaryFile() as log:
        server = start_server(arguments.llama_server, arguments.model, threads, log)
        try:
            for number in range(arguments.rounds):
                started = time.perf_counter()
                scored = list(engine.score_choices(requests))
                ours.append(time.perf_counter() - started)
                seconds, answers = time_server(prompts)
                theirs.append(seconds)
                best = [max(found.scores, key=lambda score: score.logprob).choice for found in scored]
                agree = sum(one == other.strip() for one, other in zip(best, answers, strict=True))
                shared = scored[0].cached_tokens
                tokens = shared + sum(found.prompt_tokens - found.cached_tokens for found in scored)
                print(f"round {number + 1}: ours {ours[-1]:.2f} s, llama-server {theirs[-1]:.2f} s")
        finally:
            server.kill()
            server.wait()
    engine.close()
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    result: dict[str, Any] = {
        "model": arguments.model.name,
        "machine": probe_machine().model_dump(mode="json"),
        "threads": threads,
        "ours_seconds": ours,
        "llama_server_seconds": theirs,
        "ratio": ratio,
        "unique_prompt_tokens": tokens,
        "shared_tokens": shared,
        "same_label": agree,
    }
    print(f"ours ÷ llama-server: {ratio:.2f}; the same label on {agree} of {EXAMPLES} examples")
    if arguments.llama_bench is not None:
        rate = prefill_rate(arguments.llama_bench, arguments.model, threads)
        result["limit_seconds"] = tokens / rate
        print(f"limit: {tokens:,} unique prompt tokens ÷ {rate:.0f} tokens/s = {tokens / rate:.2f} s")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
