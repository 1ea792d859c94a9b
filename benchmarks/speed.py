"""Does the speed prediction hold here? Predicted range beside the measured decode rate of small models on this machine.

    .venv/bin/python benchmarks/speed.py [MODEL.gguf ...] [--rounds 5] [--output-tokens 128]

The bandwidth of main memory is measured first and last, because others may use the machine meanwhile; both are
printed, with the load average, and the higher one is used. Each model is loaded once by our llama.cpp engine, on the
CPU, with all cores this process may use; then every round asks for one answer to a short prompt and counts the tokens
after the first. Printed per model: predicted low and high, measured median, and the share of the bandwidth that it
amounts to. The demo models are far smaller than what people run, so they are bound by arithmetic as much as by memory:
a share of 0.3 to 0.5 on few cores is usual, and models of some billions reach more. The last line is JSON; nothing is
asserted.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from catalog.gguf_file import read_gguf
from catalog.packaged import find_packaged
from catalog.records import Candidate, FitSettings, Machine, Model, Speed
from catalog.speed import predict_speed
from runners.bandwidth import measure_bandwidth
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.machine import probe_machine
from runners.records import Message, Request

CONTEXT_TOKENS = 512
PROMPT = "Count slowly from one to five hundred, in words."
DEMO_MODELS = ("HuggingFaceTB/SmolLM2-135M-Instruct", "google/gemma-3-270m")


class Row(NamedTuple):
    """One model's line."""

    model: str
    weights_bytes: int
    predicted: Speed | None
    measured_tokens_per_second: float
    share_of_bandwidth: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Predicted and measured decode speed on this machine.")
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output-tokens", type=int, default=128)
    arguments = parser.parse_args()
    paths = arguments.models or demo_models()
    before = measure_bandwidth()
    measured = [(path, measure_decode(path, arguments.rounds, arguments.output_tokens)) for path in paths]
    after = measure_bandwidth()
    bandwidth = max(before.bytes_per_second, after.bytes_per_second)
    machine = probe_machine().model_copy(
        update={"bandwidth_bytes_per_second": bandwidth, "bandwidth_source": "measured here", "gpus": ()}
    )
    rows = [row_of(path, rate, machine) for path, rate in measured]
    report(rows, machine, [before.bytes_per_second, after.bytes_per_second])


def measure_decode(path: Path, rounds: int, output_tokens: int) -> float:
    """Median tokens per second after the first token, over the rounds; the first round warms up and is not counted."""
    candidate = Candidate(name="b", model_id=str(path), weights_path=str(path), weights_bytes=0, engine="llama-cpp")
    engine = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=CONTEXT_TOKENS, gpu_layers=0))
    engine.load()
    message = Message(role="user", content=PROMPT)
    rates = []
    for number in range(rounds + 1):
        request = Request(id=str(number), messages=(message,), max_output_tokens=output_tokens)
        arrivals = [time.perf_counter() for chunk in engine.stream([request]) if chunk.tokens]
        if number and len(arrivals) > 1:
            rates.append((len(arrivals) - 1) / (arrivals[-1] - arrivals[0]))
    engine.close()
    if not rates:
        sys.exit(f"{path.name} answered with one token or none; nothing can be timed.")
    return median(rates)


def row_of(path: Path, rate: float, machine: Machine) -> Row:
    """The measured rate beside the prediction from the file's own header."""
    facts = read_gguf(path)
    model = Model(
        id=path.name,
        kind="local",
        parameters=facts.parameters,
        architecture=facts.architecture,
        context_native_tokens=facts.context_tokens,
    )
    settings = FitSettings(quantization=facts.quantization or "F16", context_tokens=CONTEXT_TOKENS)
    predicted = predict_speed(model, machine, settings, weights_bytes=facts.size_bytes)
    bandwidth = machine.bandwidth_bytes_per_second or 0.0
    return Row(path.name, facts.size_bytes, predicted, rate, rate * facts.size_bytes / bandwidth)


def report(rows: list[Row], machine: Machine, bandwidths: list[float]) -> None:
    """A line per model for people, then one JSON line."""
    load = os.getloadavg()
    shown = ", ".join(f"{bandwidth / 1e9:.1f}" for bandwidth in bandwidths)
    print(f"main memory before and after: {shown} GB/s; load average {load[0]:.2f}, {load[1]:.2f}, {load[2]:.2f}")
    for row in rows:
        speed = row.predicted
        size = "none"
        if speed is not None:
            size = f"{speed.low_tokens_per_second:.0f} to {speed.high_tokens_per_second:.0f}"
        print(
            f"{row.model}: predicted {size}, measured {row.measured_tokens_per_second:.1f} tokens/s, "
            f"share of bandwidth {row.share_of_bandwidth:.2f}"
        )
    document = {
        "benchmark": "speed",
        "bandwidths_bytes_per_second": [round(bandwidth) for bandwidth in bandwidths],
        "load_average": load,
        "models": [
            {
                "model": row.model,
                "weights_bytes": row.weights_bytes,
                "low_tokens_per_second": row.predicted and round(row.predicted.low_tokens_per_second, 1),
                "high_tokens_per_second": row.predicted and round(row.predicted.high_tokens_per_second, 1),
                "measured_tokens_per_second": round(row.measured_tokens_per_second, 1),
                "share_of_bandwidth": round(row.share_of_bandwidth, 3),
            }
            for row in rows
        ],
        "machine": {"cpu": machine.cpu, "cores": machine.logical_cores, "instruction_sets": machine.instruction_sets},
    }
    sys.stdout.write(json.dumps(document) + "\n")


def demo_models() -> list[Path]:
    """The models that come with the demo."""
    folder = Path(tempfile.gettempdir()) / "open-model-workbench-benchmark"
    found = [find_packaged(model_id, None, folder) for model_id in DEMO_MODELS]
    paths = [Path(weights.path) for weights in found if weights is not None]
    if not paths:
        sys.exit("No demo model is installed; name a GGUF file.")
    return paths


if __name__ == "__main__":
    main()
