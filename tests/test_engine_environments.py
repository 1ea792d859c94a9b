"""Installing, checking and removing engines, and what candidates of vLLM may be."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.errors import BadWeightsFile, ModelNotFound
from catalog.index import Index
from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions, VllmOptions
from runners.errors import EngineUnavailable
from tests.test_cli import printed, workbench
from tests.test_runners_worker import wait_until
from workbench.candidates import resolve_candidate
from workbench.engine_environments import EngineEnvironments, vllm_status, with_environment
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.settings import Settings

pytest_plugins = ("tests.vllm_fixtures",)

linux = pytest.mark.skipif(sys.platform != "linux", reason="vLLM runs on Linux")


def test_an_engine_without_an_environment_of_its_own_is_refused(tmp_path: Path) -> None:
    done = workbench(tmp_path, "engines", "install", "llama-cpp", code=1)
    assert "no environment of its own" in done.stderr
    assert "repair" in done.stderr


def test_the_list_says_that_vllm_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    entries = {entry["name"]: entry for entry in printed(workbench(tmp_path, "engines", "--json"))}
    assert entries["vllm"]["state"] == "missing"
    assert entries["vllm"]["install"] == "python3 launch.py engines install vllm"
    assert entries["llama-cpp"]["state"] == "installed"
    assert "not installed" in workbench(tmp_path, "engines").stdout
    assert "not installed" in workbench(tmp_path, "engines", "check", "vllm", code=1).stderr
    assert printed(workbench(tmp_path, "engines", "uninstall", "vllm", "--json"))["freed_bytes"] == 0


@linux
def test_an_installation_of_the_app_is_a_job_that_tells_its_steps_and_can_be_cancelled(tmp_path: Path) -> None:
    service = Workbench(Settings(home=tmp_path))
    job = service.jobs.job(service.install_engine("vllm"))
    wait_until((tmp_path / "engines" / "vllm" / "bin" / "python").exists, seconds=120)
    assert job.status().title == "Install vllm"
    assert job.status().message
    job.cancel()
    assert job.wait(60)
    assert job.status().state == "cancelled"
    assert vllm_status(service.settings).state == "unfinished"
    refused = service.jobs.job(service.install_engine("llama-cpp"))
    assert refused.wait(60)
    assert (refused.status().state, "repair" in refused.status().message) == ("failed", True)


@linux
def test_an_installation_that_was_killed_is_unfinished_its_pip_ends_and_it_can_be_removed(tmp_path: Path) -> None:
    folder = tmp_path / "engines" / "vllm"
    command = [sys.executable, "-m", "workbench.cli", "engines", "install", "vllm", "--home", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as installing:
        wait_until((folder / "bin" / "python").exists, seconds=60)
        os.kill(installing.pid, signal.SIGKILL)
    assert vllm_status(Settings(home=tmp_path)).state == "unfinished"
    assert "cut off" in workbench(tmp_path, "engines").stdout
    checks = {check["name"]: check for check in printed(workbench(tmp_path, "doctor", "--json", code=None))}
    assert checks["vLLM engine"]["state"] == "warning"

    def removed() -> bool:
        # What the guard ends may write a last file while the folder is removed.
        workbench(tmp_path, "engines", "uninstall", "vllm", code=None)
        return not folder.exists()

    wait_until(removed, seconds=60)
    assert vllm_status(Settings(home=tmp_path)).state == "missing"


@pytest.mark.engine
@pytest.mark.timeout(900)
def test_an_installed_vllm_is_listed_and_checked(vllm_home: Path) -> None:
    status = EngineEnvironments(Settings(home=vllm_home)).check("vllm")
    assert status.version == "0.32.0"
    assert status.state == "installed"
    assert status.build is not None
    assert (status.size_bytes or 0) > 1_000_000_000
    assert "0.32.0" in workbench(vllm_home, "engines").stdout


def test_runs_are_pointed_to_the_environment_of_the_data_directory(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    filled = with_environment(VllmOptions(), settings)
    assert isinstance(filled, VllmOptions)
    assert filled.environment == str(tmp_path / "engines" / "vllm")
    own = VllmOptions(environment="/opt/mine")
    assert with_environment(own, settings) == own
    assert with_environment(LlamaCppOptions(), settings) == LlamaCppOptions()
    with pytest.raises(EngineUnavailable, match="only vllm has"):
        EngineEnvironments(settings).uninstall("endpoint")


def checkpoint(folder: Path, names: tuple[str, ...] = ("model.safetensors",), tokenizer: bool = True) -> Path:
    """A tiny folder as transformers writes it."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    for number, name in enumerate(names):
        header = json.dumps({f"w{number}": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}).encode()
        (folder / name).write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0\0\0")
    if tokenizer:
        (folder / "tokenizer.json").write_text("{}")
    return folder


def resolved(folder: Path, home: Path, **changes: object) -> Candidate:
    definition = CandidateDefinition.model_validate(
        {"model": str(folder), "engine": "vllm", "options": VllmOptions(), **changes}
    )
    return resolve_candidate(definition, home, Settings(home=home), Index(()))


def test_a_folder_becomes_a_candidate_with_the_digest_of_its_weights(tmp_path: Path) -> None:
    one = checkpoint(tmp_path / "one")
    candidate = resolved(one, tmp_path)
    assert candidate.weights_path == str(one)
    assert candidate.weights_sha256 == hashlib.sha256((one / "model.safetensors").read_bytes()).hexdigest()
    assert candidate.parameters == 2
    names = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    two = checkpoint(tmp_path / "two", names)
    listed = subprocess.run(["sha256sum", *names], cwd=two, capture_output=True, check=True).stdout
    assert resolved(two, tmp_path).weights_sha256 == hashlib.sha256(listed).hexdigest()


def test_what_vllm_cannot_run_is_refused_with_a_sentence(tmp_path: Path) -> None:
    good = checkpoint(tmp_path / "good")
    with pytest.raises(ModelNotFound, match="not quantized, not AWQ"):
        resolved(good, tmp_path, quantization="AWQ")
    with pytest.raises(ModelNotFound, match="quantize_from"):
        resolved(good, tmp_path, quantize_from="F16")
    with pytest.raises(ModelNotFound, match="no tokenizer"):
        resolved(checkpoint(tmp_path / "mute", tokenizer=False), tmp_path)
    with pytest.raises(ModelNotFound, match="pickle"):
        resolved(checkpoint(tmp_path / "pickled", ("pytorch_model.bin",)), tmp_path)
    (tmp_path / "file.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelNotFound, match="llama-cpp"):
        resolved(tmp_path / "file.gguf", tmp_path)
    cut = checkpoint(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes(b"\x10")
    with pytest.raises(BadWeightsFile):
        resolved(cut, tmp_path)
