"""A real vLLM for the tests: installed once by the product's own code, and a checkpoint of the demo model for it.

Both are kept in the user's cache, because installing takes minutes and 3.5 GB. Where the packages cannot be had, the
tests that need them are skipped and say why.
"""

import subprocess
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

from runners.engine_options import VllmOptions
from runners.errors import EngineUnavailable
from runners.quantize import quantize_gguf
from runners.vllm_environment import python_path
from runners.vllm_install import install_vllm
from tests.making import smollm2_path

KEPT = Path(platformdirs.user_cache_dir("open-model-workbench-tests", appauthor=False)) / "vllm"
READERS = ("gguf==0.19.0", "accelerate==1.15.0")
"""What transformers reads GGUF files with; beside the environment, which stays as the product made it."""
CHECKPOINT = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
folder, name, target = sys.argv[1:]
plain = GgufConfig(dequantize=True)
AutoModelForCausalLM.from_pretrained(
    folder, gguf_file=name, dtype="float16", quantization_config=plain
).save_pretrained(target)
AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(target)
"""


@pytest.fixture(scope="session")
def vllm_home() -> Path:
    """A data directory in which vLLM is installed."""
    try:
        install_vllm(KEPT / "engines" / "vllm", print)
    except EngineUnavailable as error:
        pytest.skip(f"vLLM cannot be installed here: {error}")
    return KEPT


@pytest.fixture(scope="session")
def vllm_options(vllm_home: Path) -> VllmOptions:
    """Options that name the environment."""
    return VllmOptions(environment=str(vllm_home / "engines" / "vllm"))


@pytest.fixture(scope="session")
def smollm2_f16(vllm_home: Path) -> Path:
    """SmolLM2-135M-Instruct as an F16 GGUF file, made from the Q4_1 that ships with the demo."""
    path = vllm_home / "smollm2-f16.gguf"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            quantize_gguf(smollm2_path(vllm_home), path, "F16")
    return path


@pytest.fixture(scope="session")
def smollm2_folder(vllm_home: Path, smollm2_f16: Path) -> Path:
    """The same weights as a Hugging Face folder, written by transformers."""
    folder = vllm_home / "SmolLM2-135M-Instruct"
    python = str(python_path(vllm_home / "engines" / "vllm"))
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "tokenizer.json").exists():
            extra = vllm_home / "readers"
            pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(extra), *READERS]
            subprocess.run(pip, check=True)
            code = f"import sys; sys.path.insert(0, {str(extra)!r})\n{CHECKPOINT}"
            source = [str(smollm2_f16.parent), smollm2_f16.name, str(folder)]
            subprocess.run([python, "-c", code, *source], check=True)
    return folder
