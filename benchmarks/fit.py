"""Is the predicted memory what the engine then takes? Demo models, contexts 512, 2048 and 8192, 1 and 4 sequences.

    .venv/bin/python benchmarks/fit.py [--contexts 512,2048,8192] [--sequences 1,4] [--models smol-q4_1,smol-q4_0,gemma]

Each point is a fresh process with the workbench's llama.cpp engine; prompts fill every sequence's context but for the
answer, and answers are so long that the first is still being written when the last prompt has been read. (The worker
itself sends one request at a time until load tests come, so the engine is driven here.) Memory is the peak PSS of the
process tree, sampled as the product samples it, every 0.25 s. The prediction is made for the same file on this machine,
before. Other work on the machine changes times, not memory.
Prints a table; the last line is JSON; nothing is asserted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from catalog.local_models import open_local
from catalog.memory import predict_fit
from catalog.packaged import find_packaged
from catalog.records import Candidate, FitSettings
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.machine import probe_machine
from runners.memory_sampler import sample_memory
from runners.quantize import quantize_gguf
from runners.records import Message, Request

MIB = 1024**2
SAMPLE_SECONDS = 0.25
MICRO_BATCH = 512
WORDS = "The quick brown fox jumps over the lazy dog while the parcel waits at the door of the shop. "
SMOL, GEMMA = "HuggingFaceTB/SmolLM2-135M-Instruct", "google/gemma-3-270m"


class Point(NamedTuple):
    """One comparison."""

    model: str
    context_tokens: int
    sequences: int
    predicted_mib: float
    measured_mib: float

    @property
    def ratio(self) -> float:
        """Predicted ÷ measured."""
        return self.predicted_mib / self.measured_mib


def fill(path: Path, context_tokens: int, sequences: int) -> None:
    """What the child does: hold `sequences` prompts that nearly fill their context, all at once."""
    candidate = Candidate(name="x", model_id="x", weights_path=str(path), weights_bytes=0, engine="llama-cpp")
    engine = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=context_tokens * sequences))
    engine.load()
    words, answer = WORDS.split(), 8 + 2 * sequences * context_tokens // MICRO_BATCH
    text = WORDS * (context_tokens // len(words))
    while engine.count_tokens(request("0", text, answer)) > context_tokens - answer:
        text = text[: int(len(text) * 0.98)]
    requests = [request(str(number), text, answer) for number in range(sequences)]
    for _ in engine.stream(requests, max_concurrency=sequences):
        pass
    engine.close()


def request(name: str, text: str, answer_tokens: int) -> Request:
    """One long prompt."""
    return Request(id=name, messages=(Message(role="user", content=text),), max_output_tokens=answer_tokens)


def measure(name: str, path: Path, context_tokens: int, sequences: int) -> Point:
    """Predict, run the child, and keep the highest sample."""
    model = open_local(path)
    (file,) = model.weights_files
    settings = FitSettings(quantization=file.quantization or "", context_tokens=context_tokens, concurrency=sequences)
    fit = predict_fit(model, probe_machine(), settings, weights_bytes=file.size_bytes)
    command = [sys.executable, __file__, "--fill", str(path), str(context_tokens), str(sequences)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    peak = 0
    started = time.perf_counter()
    while child.poll() is None:
        sample = sample_memory(child.pid, segment=0, at_seconds=time.perf_counter() - started)
        if sample is not None:
            peak = max(peak, sample.pss_bytes or sample.rss_bytes)
        time.sleep(SAMPLE_SECONDS)
    if child.returncode:
        raise SystemExit(f"{name} at {context_tokens} × {sequences} ended with {child.returncode}")
    return Point(name, context_tokens, sequences, (fit.total_bytes or 0) / MIB, peak / MIB)


def weights(folder: Path) -> dict[str, Path]:
    """The demo models by short name."""
    found = {}
    for name, model_id, quantization in (("smol-q4_1", SMOL, "Q4_1"), ("gemma", GEMMA, "Q4_K_M")):
        file = find_packaged(model_id, quantization, folder)
        if file is None:
            raise SystemExit("The demo's models are not installed: pip install 'open-model-workbench[demo]'")
        found[name] = Path(file.path)
    found["smol-q4_0"] = folder / "smol-Q4_0.gguf"
    quantize_gguf(found["smol-q4_1"], found["smol-q4_0"], "Q4_0")
    return found


def main() -> None:
    """All points, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", default="512,2048,8192")
    parser.add_argument("--sequences", default="1,4")
    parser.add_argument("--models", default="smol-q4_1,smol-q4_0,gemma")
    parser.add_argument("--fill", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        fill(Path(arguments.fill[0]), int(arguments.fill[1]), int(arguments.fill[2]))
        return
    points = []
    with tempfile.TemporaryDirectory() as folder:
        files = weights(Path(folder))
        print(f"load average {os.getloadavg()[0]:.1f}")
        print(f"{'model':10} {'context':>8} {'seqs':>5} {'predicted MiB':>14} {'measured MiB':>13} {'ratio':>6}")
        for name in arguments.models.split(","):
            for context_tokens in map(int, arguments.contexts.split(",")):
                for sequences in map(int, arguments.sequences.split(",")):
                    point = measure(name, files[name], context_tokens, sequences)
                    points.append(point)
                    print(
                        f"{name:10} {context_tokens:8} {sequences:5} {point.predicted_mib:14.0f} "
                        f"{point.measured_mib:13.0f} {point.ratio:6.3f}",
                        flush=True,
                    )
    print(json.dumps([{**point._asdict(), "ratio": round(point.ratio, 3)} for point in points]))


if __name__ == "__main__":
    main()
