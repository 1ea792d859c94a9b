"""Do our perplexity and KL divergence agree with llama.cpp's own tool? Both over the same text and the same files.

    .venv/bin/python benchmarks/divergence.py --llama-perplexity PATH --text FILE REFERENCE.gguf OTHER.gguf ... \
        [--context 512]

`llama-perplexity` is built from llama.cpp's source; take the commit that the installed llama-cpp-python carries, for
the same kernels. It runs once on the reference (keeping its probabilities in a temporary file) and once with
`--kl-divergence` on each other file; ours runs on the same. Printed: both numbers and their ratio, then one JSON line.
Ends with code 1 where a ratio is further than 1 % from 1.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from runners.divergence import measure_pass, usable_threads
from runners.divergence_records import DivergencePass, PassResult

TOLERANCE = 0.01


class Figure(NamedTuple):
    """One number from both sides."""

    model: str
    name: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Our perplexity and KL divergence beside llama-perplexity's.")
    parser.add_argument("reference", type=Path)
    parser.add_argument("others", nargs="+", type=Path)
    parser.add_argument("--llama-perplexity", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--context", type=int, default=512)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = list(compare(arguments, Path(folder)))
    document = {
        "benchmark": "divergence",
        "context_tokens": arguments.context,
        "figures": [{**figure._asdict(), "ratio": round(figure.ratio, 5)} for figure in figures],
    }
    sys.stdout.write(json.dumps(document) + "\n")
    return int(any(abs(figure.ratio - 1) > TOLERANCE for figure in figures))


def compare(arguments: argparse.Namespace, folder: Path) -> list[Figure]:
    """All figures, printed as they come."""
    figures: list[Figure] = []
    base = folder / "base"
    for number, model in enumerate((arguments.reference, *arguments.others)):
        ours = measure_pass(
            DivergencePass(
                model_path=model.absolute(),
                text_path=arguments.text.absolute(),
                base_folder=folder / "ours",
                is_reference=number == 0,
                context_tokens=arguments.context,
                threads=usable_threads(),
            )
        )
        said = run_theirs(arguments, model, base, reference=number == 0)
        for figure in pair(model.name, ours, said):
            print(f"{figure.model}: {figure.name} ours {figure.ours:.6f}, llama-perplexity {figure.theirs:.6f}, "
                  f"ratio {figure.ratio:.5f}", flush=True)  # fmt: skip
            figures.append(figure)
    return figures


def run_theirs(arguments: argparse.Namespace, model: Path, base: Path, *, reference: bool) -> str:
    """Everything that llama-perplexity prints over one file."""
    command = [
        *(str(arguments.llama_perplexity), "-m", str(model), "-f", str(arguments.text), "-c", str(arguments.context)),
        *("-t", str(usable_threads()), "--kl-divergence-base", str(base)),
        *(() if reference else ("--kl-divergence",)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        sys.exit(f"{arguments.llama_perplexity} failed: {done.stderr[-500:]}")
    return done.stdout + done.stderr


def pair(model: str, ours: PassResult, said: str) -> list[Figure]:
    """Our figures beside those found in the tool's output."""
    perplexity = ours.loss.perplexity.value
    if ours.divergence is None:
        return [Figure(model, "perplexity", perplexity, _number(r"PPL = +([0-9.]+)", said))]
    found = ours.divergence
    return [
        Figure(model, "perplexity", perplexity, _number(r"Mean PPL\(Q\) +: +([0-9.]+)", said)),
        Figure(
            model,
            "perplexity ratio",
            found.perplexity_ratio.value,
            _number(r"PPL\(Q\)/PPL\(base\) +: +([0-9.]+)", said),
        ),
        Figure(model, "mean KLD", found.mean_nats.value, _number(r"Mean +KLD: +(-?[0-9.]+)", said)),
        Figure(
            model,
            "mean KLD, standard error",
            found.mean_nats.standard_error,
            _number(r"Mean +KLD: .*± +([0-9.]+)", said),
        ),
        Figure(model, "median KLD", found.median_nats, _number(r"Median +KLD: +(-?[0-9.]+)", said)),
        Figure(model, "99 % KLD", found.p99_nats, _number(r"99\.0% +KLD: +(-?[0-9.]+)", said)),
        Figure(model, "maximum KLD", found.max_nats, _number(r"Maximum KLD: +(-?[0-9.]+)", said)),
        Figure(model, "same top token %", found.same_top_share.value * 100, _number(r"Same top p: +([0-9.]+)", said)),
    ]


def _number(pattern: str, said: str) -> float:
    found = re.findall(pattern, said)
    if not found:
        sys.exit(f"llama-perplexity printed nothing like {pattern!r}:\n{said[-2000:]}")
    return float(found[-1])


if __name__ == "__main__":
    sys.exit(main())
