"""The commands on models, as typed: against the shipped catalog, files on this machine and a real local Hub."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.packaged import find_packaged
from tests.hub_process import ServedHub, served_hub

SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[ServedHub]:
    """A Hub with one real model, a gated one and a list."""
    root = tmp_path / "hub"
    root.mkdir()
    with served_hub(root) as served:
        weights = find_packaged(SMOL, "Q4_1", tmp_path)
        assert weights is not None
        folder = served.add("someone/smol-tuned-GGUF", {"README.md": b"---\nlicense: mit\n---\n"})
        shutil.copy(weights.path, folder / "smol-tuned-Q4_1.gguf")
        card = {"license": "mit", "base_model": "meta-llama/Llama-3.2-1B-Instruct", "base_model_relation": "quantized"}
        info = {"cardData": card, "downloads": 5, "pipeline_tag": "text-generation"}
        (folder / ".info.json").write_text(json.dumps(info))
        served.add("someone/closed", {"a-Q4_0.gguf": b"x"}, {"gated": "manual"}).joinpath(".status").write_text("403")
        yield served


def workbench(
    home: Path, *arguments: str, code: int = 0, hub: ServedHub | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program; the Hugging Face cache lies under `home`."""
    environment = {**os.environ, "WORKBENCH_HOME": str(home), "HF_HOME": str(home / "hf"), "HOME": str(home)}
    environment |= {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_secretToken"} if hub else {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "hf_secretToken" not in done.stdout + done.stderr
    return done


def data(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)["data"]


def test_an_update_brings_models_whose_lineage_is_followed(tmp_path: Path, hub: ServedHub) -> None:
    home = tmp_path / "home"
    first = data(workbench(home, "catalog", "update", "--json", hub=hub))
    assert (first["snapshots"], first["models"]) == (1, 143)
    found = data(workbench(home, "catalog", "search", "--text", "smol-tuned", "--json"))
    (hit,) = found["hits"]
    assert (hit["verdict"]["declared_value"], hit["verdict"]["value"]) == ("allowed", "conditional")
    shown = workbench(home, "catalog", "show", "someone/smol-tuned-GGUF").stdout
    assert "quantized from meta-llama/Llama-3.2-1B-Instruct: llama3.2, conditional" in shown
    info = hub.root / "someone" / "smol-tuned-GGUF" / ".info.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "downloads": 5_000}))
    workbench(home, "catalog", "update", hub=hub)
    (rising, *_) = data(workbench(home, "catalog", "trending", "--json"))
    assert (rising["name"], rising["downloads_before"], rising["downloads"]) == ("someone/smol-tuned-GGUF", 5, 5_000)


def test_trends_need_two_snapshots_and_say_so(tmp_path: Path) -> None:
    failed = workbench(tmp_path / "home", "catalog", "trending", code=1)
    assert "catalog update" in failed.stderr


@pytest.mark.engine
def test_a_model_is_added_downloaded_and_runs(tmp_path: Path, hub: ServedHub) -> None:
    home = tmp_path / "home"
    (added,) = data(workbench(home, "catalog", "add", f"{hub.address}/someone/smol-tuned-GGUF", "--json", hub=hub))
    assert added["architecture"]["layers"] == 30
    assert added["revision"]
    fetched = workbench(home, "download", "someone/smol-tuned-GGUF:Q4_1", hub=hub).stdout
    assert "93.8 MiB are missing" in fetched
    assert "Here: " in fetched
    again = workbench(home, "download", "someone/smol-tuned-GGUF", "--quantization", "Q4_1", hub=hub).stdout
    assert "0 B are missing" in again
    (tmp_path / "set.csv").write_text("id,text,label\n1,good,yes\n2,bad,no\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(
        "name: tiny\ntest_set: {file: set.csv}\ncandidates:\n"
        "  - {model: someone/smol-tuned-GGUF, quantization: Q4_1, options: {threads: 2}}\n"
        "workloads: [{kind: accuracy}]\n",
        encoding="utf-8",
    )
    workbench(home, "bench", str(tmp_path / "b.yaml"))
    (summary,) = data(workbench(home, "compare", "tiny", "--json"))["candidates"]
    assert summary["verdict"]["value"] == "conditional"
    assert summary["predicted_memory_bytes"] > 90 * 2**20


def test_a_gated_model_says_where_to_accept_its_terms(tmp_path: Path, hub: ServedHub) -> None:
    refused = workbench(tmp_path / "home", "download", "someone/closed", code=1, hub=hub)
    assert "Accept its terms at https://huggingface.co/someone/closed" in refused.stderr


def test_without_a_network_the_hub_commands_say_what_to_do(tmp_path: Path) -> None:
    for arguments in (("catalog", "update"), ("download", "a/b"), ("catalog", "add", "a/b")):
        assert "offline" in workbench(tmp_path / "home", *arguments, code=1).stderr.lower()


def test_why_answers_from_the_shortlist_as_it_was_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    workbench(home, "catalog", "search", "--text", "qwen", "--max-params", "4B", "--save", "small ones")
    left_out = data(workbench(home, "catalog", "why", "Qwen/Qwen3-8B", "--shortlist", "small ones", "--json"))
    assert (left_out["kept"], left_out["rule"]) == (False, "max_parameters")
    assert "8,190,735,360" in left_out["reason"]
    kept = data(workbench(home, "catalog", "why", "qwen/qwen3-0.6b", "--shortlist", "small ones", "--json"))
    assert kept["kept"]
    unknown = workbench(home, "catalog", "why", "Qwen/Qwen3-8B", "--shortlist", "big ones", code=1)
    assert "Kept are: small ones" in unknown.stderr


def test_licenses_are_judged_without_a_model(tmp_path: Path) -> None:
    home = tmp_path / "home"
    plain = data(workbench(home, "license", "apache-2.0", "--json"))
    assert plain["value"] == "allowed"
    named = data(workbench(home, "license", "other", "--name", "qwen-research", "--json"))
    assert named["value"] == "forbidden"
    based = data(workbench(home, "license", "mit", "--base", "meta-llama/Llama-3.1-8B-Instruct", "--json"))
    assert (based["value"], based["declared_value"]) == ("conditional", "allowed")
    (tmp_path / "me.json").write_text('{"commercial": false}')
    student = data(workbench(home, "license", "cc-by-nc-4.0", "--profile", str(tmp_path / "me.json"), "--json"))
    assert student["value"] != "forbidden"
    broken = workbench(home, "license", "mit", "--profile", str(tmp_path / "none.json"), code=1)
    assert "fields commercial" in broken.stderr


def test_another_machine_changes_the_fit_and_plan_names_the_smallest(tmp_path: Path) -> None:
    home, model = tmp_path / "home", "meta-llama/Llama-3.3-70B-Instruct"
    card = data(workbench(home, "fit", model, "--machine", "rtx-4090", "--json"))
    assert card["value"] == "offload"
    assert card["gpu_layers"] > 0
    server = data(workbench(home, "fit", model, "--machine", "h100-80gb", "--json"))
    assert server["value"] == "fits"
    (tmp_path / "mine.yaml").write_text("name: mine\nmemory_gb: 8\ncores: 4\n")
    assert data(workbench(home, "fit", model, "--machine", str(tmp_path / "mine.yaml"), "--json"))["value"] == "no"
    unknown = workbench(home, "fit", model, "--machine", "rtx-4909", code=1)
    assert "rtx-4090" in unknown.stderr
    planned = data(workbench(home, "plan", model, "--context", "8k", "--concurrency", "4", "--json"))
    assert planned[0]["fit"]["value"] in {"fits", "tight"}
    assert "h100-80gb" in {entry["name"] for entry in data(workbench(home, "machines", "--json"))}


def test_a_config_alone_is_enough_for_a_prediction(tmp_path: Path) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": False,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    fit = data(workbench(tmp_path / "home", "fit", str(tmp_path / "config.json"), "--context", "8k", "--json"))
    assert fit["kv_cache_bytes"] == 1024 * 2**20


def test_models_on_this_machine_are_listed_with_what_cannot_be_read(tmp_path: Path) -> None:
    weights = find_packaged(SMOL, "Q4_1", tmp_path)
    assert weights is not None
    library = tmp_path / "library"
    library.mkdir()
    shutil.copy(weights.path, library / "smol-Q4_1.gguf")
    (library / "broken.gguf").write_bytes(b"GGUF and no more")
    found = data(workbench(tmp_path / "home", "catalog", "local", str(library), "--json"))
    assert [Path(model["id"]).name for model in found["models"]] == ["smol-Q4_1.gguf"]
    assert any("broken.gguf" in problem for problem in found["problems"])
    (added,) = data(workbench(tmp_path / "home", "catalog", "add", str(library / "smol-Q4_1.gguf"), "--json"))
    listed = data(workbench(tmp_path / "home", "catalog", "search", "--text", "smol-Q4_1", "--json"))
    assert listed["hits"][0]["model"]["id"] == added["id"]
