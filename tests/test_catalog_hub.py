"""Candidates from the Hub, against a real HTTP server that speaks its API, through the real command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_process import served_hub
from tests.test_cli import TEST_SET, printed, workbench

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("hub")
    files = {
        "maker/small-GGUF": {"small-Q4_1.gguf": smollm2.read_bytes(), "README.md": b"# small"},
        "maker/two-GGUF": {"two-Q4_0.gguf": b"GGUF", "two-Q8_0.gguf": b"GGUF"},
        "maker/no-gguf": {"model.safetensors": b"x"},
        "maker/gated": {".status": b"403"},
        "maker/broken": {".status": b"500"},
        "maker/truncated": {"cut-Q4_1.gguf": smollm2.read_bytes()[:1_000_000]},
    }
    for repository, contents in files.items():
        for name, data in contents.items():
            path = root / repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    with served_hub(root) as server:
        yield server.address, root


def bench(home: Path, address: str, model: str, extra: str = "", code: int = 0, **environment: str) -> str:
    (home / "messages.csv").write_text(TEST_SET)
    (home / "hub.yaml").write_text(
        "name: hub\ntest_set: {file: messages.csv}\n"
        f"candidates: [{{name: c, model: {model}, options: {{context_tokens: 512, threads: 2}}{extra}}}]\n"
        "workloads: [{kind: latency, prompts: 2, warmup_prompts: 0, max_output_tokens: 2}]\n"
    )
    settings = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(home / "hf"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "hf_secret_token",
        **environment,
    }
    done = workbench(home, "bench", str(home / "hub.yaml"), code=code, environment=settings)
    text = done.stdout + done.stderr
    assert "hf_secret_token" not in text
    # Nor in the database, a log, a run's events, a lock or the cache; only weights are too large to look through.
    written = [path for path in home.rglob("*") if path.is_file() and path.stat().st_size < 20_000_000]
    assert not [path for path in written if b"hf_secret_token" in path.read_bytes()]
    return text


def test_a_gguf_repository_is_downloaded_pinned_and_run(tmp_path: Path, hub: tuple[str, Path]) -> None:
    bench(tmp_path, hub[0], "maker/small-GGUF", ", quantization: Q4_1")
    (summary,) = printed(workbench(tmp_path, "compare", "hub", "--json"))["candidates"]
    candidate = summary["candidate"]
    assert candidate["revision"] == "0123456789abcdef0123456789abcdef01234567"
    assert candidate["license"] == "apache-2.0"
    assert candidate["weights_sha256"].startswith("b179c952")
    bench(tmp_path, "http://127.0.0.1:9", "maker/small-GGUF", ", quantization: Q4_1", HF_HUB_OFFLINE="1")


@pytest.mark.parametrize(
    ("model", "extra", "words"),
    [
        ("maker/two-GGUF", "", "name one quantization. It offers: Q4_0, Q8_0"),
        ("maker/two-GGUF", ", quantization: Q6_K", "has no Q6_K file. It offers: Q4_0, Q8_0"),
        ("maker/no-gguf", "", "has no GGUF file"),
        ("maker/gated", "", "is gated"),
        ("maker/broken", "", "status 500"),
        ("maker/missing", "", "no model 'maker/missing' on the Hub"),
        ("maker/truncated", "", "ends too early"),
        ("not a hub id", "", "neither a file on this machine nor a Hub id"),
    ],
)
def test_what_cannot_be_had_is_a_sentence(
    tmp_path: Path, hub: tuple[str, Path], model: str, extra: str, words: str
) -> None:
    assert words in bench(tmp_path, hub[0], model, extra, code=1)


def test_a_hub_that_cannot_be_reached_is_a_sentence(tmp_path: Path) -> None:
    assert "could not be reached" in bench(tmp_path, "http://127.0.0.1:9", "maker/small-GGUF", code=1)
    assert "offline" in bench(tmp_path, "http://127.0.0.1:9", "maker/small-GGUF", code=1, HF_HUB_OFFLINE="1")
