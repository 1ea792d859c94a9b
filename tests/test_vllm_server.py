"""How vLLM's server is started and what is said when that fails: real processes that write what vLLM writes."""

import json
import socket
import sys
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest

from catalog.records import Candidate
from runners.engine import engine_version, open_engine
from runners.engine_options import VllmOptions
from runners.errors import EngineFailed, EngineUnavailable
from runners.hugging_face_chat import read_chat
from runners.label_tree import Lookup
from runners.vllm_environment import VllmEnvironment, python_path, record_path
from runners.vllm_scoring import places_of
from runners.vllm_server import VllmServer, command_line, environment_variables, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="vLLM runs on Linux")

CANDIDATE = Candidate(name="c", model_id="m", weights_path="/models/m", weights_bytes=1, engine="vllm")
INSTALLED = VllmEnvironment(
    version="0.32.0",
    build="cpu",
    torch_version="2.13.0+cpu",
    python_version="3.11.7",
    platform="cpu",
    size_bytes=1,
    installed_at="2026-01-01T00:00:00+00:00",
)
HEALTHY = """
import http.server, socketserver, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
if port == int(sys.argv[1]):
    sys.exit("OSError: [Errno 98] Address already in use")
print("INFO 11-21 13:18:48 [cpu_model_runner.py:68] Starting to load model /models/m...", flush=True)
socketserver.TCPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def environment(folder: Path, script: str) -> Path:
    """A folder whose Python is a shell script."""
    python = python_path(folder)
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    record_path(folder).write_text(INSTALLED.model_dump_json())
    return folder


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.URLError:
        return False


def why_not(folder: Path, script: str, **options: object) -> str:
    server = VllmServer(environment(folder, script), INSTALLED, VllmOptions.model_validate(options))
    with pytest.raises(EngineFailed) as raised:
        server.start(CANDIDATE, answers)
    server.close()
    return str(raised.value)


@pytest.mark.parametrize(
    "words",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
        "(EngineCore pid=7) ERROR 11-21 13:20:00 [core.py:900] ValueError: 1.1 GiB KV cache is needed, which is larger",
    ],
)
def test_too_little_memory_is_said_with_what_can_be_changed(tmp_path: Path, words: str) -> None:
    said = why_not(tmp_path / "env", f"echo '{words}'; exit 1")
    assert "not enough memory" in said
    assert "kv_cache_bytes" in said
    assert words.rpartition("Error: ")[2][:40] in said


def test_the_reason_is_quoted_and_not_the_line_that_hides_it(tmp_path: Path) -> None:
    said = why_not(
        tmp_path / "env",
        "echo '(EngineCore pid=7) ERROR 11-21 13:20:00 [core.py:900] ValueError: Unknown quantization method: q9'\n"
        "echo 'RuntimeError: Engine core initialization failed. See root cause above.'; exit 3",
    )
    assert said == "vLLM did not start (exit code 3). It said: ValueError: Unknown quantization method: q9"


def test_a_server_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    said = why_not(tmp_path / "env", "echo loading; exec sleep 600", start_seconds=1)
    assert "not ready after 1 seconds" in said
    assert "loading" in said


def test_a_port_that_another_program_took_first_is_left_to_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        (tmp_path / "server.py").write_text(HEALTHY)
        folder = environment(tmp_path / "env", f'exec {sys.executable} {tmp_path / "server.py"} {number} "$@"')
        stages: list[str] = []
        server = VllmServer(folder, INSTALLED, VllmOptions(), stages.append)
        ports = iter([number, free_port()])
        server.start(CANDIDATE, answers, lambda: next(ports))
        assert answers(server.address)
        assert not server.address.endswith(f":{number}")
        assert stages == ["vLLM loads the weights"]
        server.close()
        assert not answers(server.address)


def test_the_key_stands_in_no_command_line_and_is_starred_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = environment(tmp_path / "env", 'echo "the key is $VLLM_API_KEY"; exit 1')
    server = VllmServer(folder, INSTALLED, VllmOptions())
    with pytest.raises(EngineFailed):
        server.start(CANDIDATE, answers)
    assert "the key is ***" in capsys.readouterr().err
    line = command_line(folder, INSTALLED, VllmOptions(), CANDIDATE, 1)
    assert server.key not in " ".join(line)
    assert environment_variables(folder, INSTALLED, VllmOptions(), server.key)["VLLM_API_KEY"] == server.key
    assert VllmServer(folder, INSTALLED, VllmOptions()).key != server.key


def test_options_become_arguments_of_the_server() -> None:
    options = VllmOptions(
        context_tokens=4096,
        quantization="awq",
        tensor_parallel=2,
        gpu_memory_share=0.5,
        kv_cache_bytes=3 * 1024**3 + 1,
        concurrency=7,
        reasoning_parser="qwen3",
    )
    on_gpu = command_line(Path("/e"), INSTALLED.model_copy(update={"build": "cuda"}), options, CANDIDATE, 5)
    pairs = dict(pairwise(on_gpu))
    assert pairs["--model"] == "/models/m"
    assert (pairs["--max-model-len"], pairs["--max-num-seqs"], pairs["--tensor-parallel-size"]) == ("4096", "7", "2")
    assert (pairs["--quantization"], pairs["--reasoning-parser"]) == ("awq", "qwen3")
    assert (pairs["--gpu-memory-utilization"], pairs["--kv-cache-memory-bytes"]) == ("0.5", str(3 * 1024**3 + 1))
    assert pairs["--host"] == "127.0.0.1"
    assert "--enforce-eager" not in on_gpu
    assert "--trust-remote-code" not in on_gpu
    on_cpu = command_line(Path("/e"), INSTALLED, options, CANDIDATE, 5)
    assert "--enforce-eager" in on_cpu
    assert "--gpu-memory-utilization" not in on_cpu
    assert environment_variables(Path("/e"), INSTALLED, options, "k")["VLLM_CPU_KVCACHE_SPACE"] == "4"


def test_an_engine_that_is_not_installed_is_refused_with_the_command(tmp_path: Path) -> None:
    for options in (VllmOptions(), VllmOptions(environment=str(tmp_path / "nothing"))):
        with pytest.raises(EngineUnavailable, match=r"python3 launch\.py engines install vllm"):
            open_engine(CANDIDATE, options)
        with pytest.raises(EngineUnavailable, match="not installed"):
            engine_version("vllm", options)


def test_each_place_of_the_label_tree_is_asked_once() -> None:
    places = places_of([[1], [2, 3], [2, 4, 5]])
    assert [place.path for place in places] == [(), (2,), (2, 4)]
    assert places[0].lookups == (Lookup(0, 1), Lookup(1, 2), Lookup(2, 2))
    assert places[1].lookups == (Lookup(1, 3), Lookup(2, 4))
    assert places[2].lookups == (Lookup(2, 5),)


@pytest.mark.parametrize(
    ("config", "jinja", "template"),
    [
        ({"chat_template": "{{ 1 }}"}, None, "{{ 1 }}"),
        ({"chat_template": [{"name": "tool", "template": "t"}, {"name": "default", "template": "d"}]}, None, "d"),
        ({"chat_template": "old"}, "{{ new }}", "{{ new }}"),
        ({}, None, None),
    ],
)
def test_the_chat_template_of_a_folder_is_found_as_transformers_finds_it(
    tmp_path: Path, config: dict[str, object], jinja: str | None, template: str | None
) -> None:
    tokens = {"bos_token": {"content": "<s>"}, "eos_token": "</s>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | tokens))
    if jinja is not None:
        (tmp_path / "chat_template.jinja").write_text(jinja)
    assert read_chat(tmp_path) == (template, "<s>", "</s>")


def test_a_damaged_tokenizer_config_is_said(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(EngineFailed, match="tokenizer_config"):
        read_chat(tmp_path)
