"""Makes a smaller GGUF from a larger one with llama.cpp's own quantizer, and says beforehand how large it will be.

Runs in a process of its own (`python -m runners.quantize`), because the C library ends the process on some errors. The
target appears whole or not at all, and is never overwritten. The same source gives the same bytes. Does not judge what
was lost.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field

from catalog.records import Record
from runners.errors import EngineFailed

QUANTIZATIONS = {
    "F16": 1,
    "Q4_0": 2,
    "Q4_1": 3,
    "Q8_0": 7,
    "Q5_0": 8,
    "Q5_1": 9,
    "Q2_K": 10,
    "Q3_K_S": 11,
    "Q3_K_M": 12,
    "Q3_K_L": 13,
    "Q4_K_S": 14,
    "Q4_K_M": 15,
    "Q5_K_S": 16,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "IQ4_NL": 25,
    "IQ3_S": 26,
    "IQ3_M": 27,
    "IQ4_XS": 30,
    "BF16": 32,
}
"""Name → `enum llama_ftype` of llama.h."""

NEEDS_MATRIX = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS", "Q2_K_S")
"""llama.cpp makes these only with an importance matrix (src/llama-quant.cpp, tensor_requires_imatrix)."""

_LINES_QUOTED = 3
"""Last lines of llama.cpp's output that an error quotes."""


class PredictedSize(Record):
    """What llama.cpp says of a file before it makes it."""

    quantization: str
    """Its name."""
    tensor_bytes: int = Field(ge=0)
    """Bytes of all tensors, to 0.01 MiB; the header comes on top."""
    tensors: int = Field(ge=0)
    """Tensors in the file."""
    fallback_tensors: int = Field(ge=0)
    """Tensors whose rows the blocks of this quantization do not divide; llama.cpp gives them a larger type."""
    needs_matrix: bool
    """Whether this model's tensors need an importance matrix at this quantization."""


def check_quantization(name: str) -> None:
    """Raise EngineFailed for a name that cannot be made here: not known, or only with an importance matrix."""
    if name in NEEDS_MATRIX:
        raise EngineFailed(
            f"{name} needs an importance matrix, which is not made here: without one llama.cpp refuses it, because the "
            "answers would be garbage. Take Q2_K or IQ3_S, or download a file made with a matrix."
        )
    if name not in QUANTIZATIONS:
        close = get_close_matches(name.upper(), QUANTIZATIONS, n=1)
        suggestion = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(QUANTIZATIONS)}."
        raise EngineFailed(f"There is no quantization {name!r}. {suggestion}")


def predict_sizes(source: Path, quantizations: Sequence[str]) -> tuple[PredictedSize, ...]:
    """Sizes of the files that `quantize_gguf` would write, from llama.cpp's dry run: the same choice of types.

    Reads the header and no weights. Raises EngineFailed like `quantize_gguf`.
    """
    for name in quantizations:
        check_quantization(name)
    done = _run("predict", str(source), *quantizations)
    if done.returncode != 0:
        raise EngineFailed(f"llama.cpp could not read {source.name}: {_last_words(done)}")
    return tuple(PredictedSize.model_validate(item) for item in json.loads(done.stdout.splitlines()[-1]))


def quantize_gguf(source: Path, target: Path, quantization: str, *, threads: int = 2) -> None:
    """Write `target` from `source`. Raises EngineFailed: unknown name, disk too full, llama.cpp refuses."""
    check_quantization(quantization)
    if target.exists():
        raise EngineFailed(f"{target} exists and is not overwritten. Remove it or choose another name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    (size,) = predict_sizes(source, (quantization,))
    free, needed = shutil.disk_usage(target.parent).free, size.tensor_bytes
    if free < needed:
        raise EngineFailed(
            f"{quantization} of {source.name} needs {needed:,} bytes in {target.parent}, where {free:,} are free. "
            "Free some space first."
        )
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        done = _run("make", str(source), str(partial), quantization, str(threads))
        if done.returncode != 0:
            raise EngineFailed(f"llama.cpp could not quantize {source.name} to {quantization}: {_last_words(done)}")
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "runners.quantize", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    return "; ".join(done.stderr.strip().splitlines()[-_LINES_QUOTED:]) or f"it ended with code {done.returncode}"


def _make(source: str, target: str, quantization: str, threads: str) -> int:
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = QUANTIZATIONS[quantization]
    params.allow_requantize = True
    params.nthread = int(threads)
    llama_cpp.llama_backend_init()
    return int(llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)))


def _predict(source: str, *quantizations: str) -> int:
    import llama_cpp

    said: list[str] = []

    # The function returns no size: it is in what llama.cpp logs, which the other lines of the log also tell of.
    listener = llama_cpp.llama_log_callback(lambda _level, text, _: said.append(text.decode("utf-8", "replace")))
    llama_cpp.llama_log_set(listener, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    found: list[dict[str, Any]] = []
    for name in quantizations:
        said.clear()
        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype = QUANTIZATIONS[name]
        params.allow_requantize = True
        params.dry_run = True
        status = int(llama_cpp.llama_model_quantize(source.encode(), b"", ctypes.byref(params)))
        log = "".join(said)
        size = re.search(r"quant size\s*=\s*([0-9.]+) MiB", log)
        if status != 0 or size is None:
            sys.stderr.write(log)
            return status or 1
        found.append({"quantization": name, **_figures(log, float(size[1]))})
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def _figures(log: str, mebibytes: float) -> dict[str, Any]:
    counts = re.search(r"WARNING: (\d+) of (\d+) tensor\(s\) required fallback", log)
    total = re.findall(r"\[ *\d+/ *(\d+)\]", log)
    return {
        "tensor_bytes": round(mebibytes * 2**20),
        "tensors": int(total[-1]) if total else 0,
        "fallback_tensors": int(counts[1]) if counts else 0,
        "needs_matrix": "will require an imatrix" in log,
    }


if __name__ == "__main__":
    sys.exit(_make(*sys.argv[2:]) if sys.argv[1] == "make" else _predict(*sys.argv[2:]))
