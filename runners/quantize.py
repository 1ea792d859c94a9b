"""Makes a smaller GGUF from a larger one with llama.cpp's own quantizer.

Runs in a process of its own (`python -m runners.quantize SOURCE TARGET TYPE`), because the C library ends the process
on some errors. The target appears whole or not at all, and is never overwritten. Does not judge what was lost.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from difflib import get_close_matches
from pathlib import Path

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
    "IQ4_XS": 30,
}
"""Name → `enum llama_ftype` of llama.h."""


def quantize_gguf(source: Path, target: Path, quantization: str, *, threads: int = 2) -> None:
    """Write `target` from `source`. Raises EngineFailed: unknown name, disk too full, llama.cpp refuses."""
    if quantization not in QUANTIZATIONS:
        close = get_close_matches(quantization, QUANTIZATIONS, n=1)
        suggestion = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(QUANTIZATIONS)}."
        raise EngineFailed(f"There is no quantization {quantization!r}. {suggestion}")
    if target.exists():
        raise EngineFailed(f"{target} exists and is not overwritten. Remove it or choose another name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(target.parent).free, source.stat().st_size
    if free < needed:
        raise EngineFailed(
            f"Quantizing {source.name} may need {needed:,} bytes in {target.parent}, where {free:,} are free. "
            "Free some space first."
        )
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "runners.quantize", str(source), str(partial), quantization, str(threads)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            words = "; ".join(done.stderr.strip().splitlines()[-3:])
            raise EngineFailed(f"llama.cpp could not quantize {source.name} to {quantization}: {words}")
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def _main(source: str, target: str, quantization: str, threads: str) -> int:
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = QUANTIZATIONS[quantization]
    params.allow_requantize = True
    params.nthread = int(threads)
    llama_cpp.llama_backend_init()
    return int(llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)))


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
