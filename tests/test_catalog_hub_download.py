"""Choosing and fetching files: exactly these, pinned, resumed, checked, refused; against a real server."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import BadWeightsFile, Cancelled, DownloadRefused, HubUnavailable, ModelNotFound
from catalog.hub import (
    DownloadPlan,
    DownloadProgress,
    cached_gguf_files,
    cached_revisions,
    download,
    fetch_file,
    plan_download,
)
from tests.hub_process import ServedHub, served_hub
from tests.hub_server import REVISION

TOKEN = "hf_neverShownAnywhere"
BYTES = bytes(range(256)) * 20_000
"""Five megabytes, so several chunks."""
DIGEST = hashlib.sha256(BYTES).hexdigest()
SIDE = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "README.md": b"# card",
    "modeling_own.py": b"print('run')",
    "images/plot.png": b"png",
}
REPOSITORIES: dict[str, dict[str, bytes]] = {
    "maker/one": {"one-Q4_K_M.gguf": BYTES, "one-Q8_0.gguf": b"GGUF8", "mmproj-F16.gguf": b"eyes", "README.md": b"#"},
    "maker/parts": {
        **{f"Q4_0/big-Q4_0-0000{part}-of-00003.gguf": b"part%d" % part for part in (1, 2, 3)},
        "Q8_0/big-Q8_0-00001-of-00002.gguf": b"half",
    },
    "maker/safe": {
        **SIDE,
        "model-00001-of-00002.safetensors": b"first",
        "model-00002-of-00002.safetensors": b"second",
        "model.safetensors.index.json": b"{}",
        "consolidated.safetensors": b"again",
        "pytorch_model.bin": b"pickle",
        "original/params.json": b"{}",
    },
    "maker/both": {**SIDE, "model.safetensors": b"weights", "both-Q4_0.gguf": b"GGUF"},
    "maker/pickle": {**SIDE, "pytorch_model.bin": b"pickle", "training_args.bin": b"args"},
    "maker/onnx": {"model.onnx": b"onnx"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    with served_hub(tmp_path_factory.mktemp("hub")) as running:
        for model_id, files in REPOSITORIES.items():
            running.add(model_id, files)
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: ServedHub) -> None:
    (server.root / ".requests.jsonl").unlink(missing_ok=True)
    for path in server.root.rglob(".behave.json"):
        path.unlink()


def plan(server: ServedHub, cache: Path, model_id: str, **options: Any) -> DownloadPlan:
    return plan_download(model_id, hub=server.hub(cache), **options)


def network(server: ServedHub) -> list[dict[str, Any]]:
    return [request for request in server.requests() if request["server"] == "ContentNetwork"]


# Choosing


@pytest.mark.parametrize(
    ("model_id", "options", "paths"),
    [
        ("maker/one", {"quantization": "Q4_K_M"}, ["one-Q4_K_M.gguf"]),
        ("maker/one", {"quantization": "q8_0"}, ["one-Q8_0.gguf"]),
        ("maker/one", {"files": ["mmproj-F16.gguf"]}, ["mmproj-F16.gguf"]),
        ("maker/parts", {"quantization": "Q4_0"}, sorted(REPOSITORIES["maker/parts"])[:3]),
        ("maker/parts", {"files": ["Q4_0/big-Q4_0-00002-of-00003.gguf"]}, sorted(REPOSITORIES["maker/parts"])[:3]),
        (
            "maker/safe",
            {},
            [
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "config.json",
                "model.safetensors.index.json",
                "tokenizer.json",
                "tokenizer_config.json",
            ],
        ),
        ("maker/both", {}, ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"]),
        ("maker/both", {"quantization": "Q4_0"}, ["both-Q4_0.gguf"]),
        (
            "maker/pickle",
            {"allow_pickle": True},
            ["pytorch_model.bin", "config.json", "tokenizer.json", "tokenizer_config.json"],
        ),
    ],
)
def test_a_plan_names_exactly_the_files_that_are_needed(
    tmp_path: Path, server: ServedHub, model_id: str, options: dict[str, Any], paths: list[str]
) -> None:
    chosen = plan(server, tmp_path, model_id, **options)
    assert [file.path for file in chosen.files] == paths
    assert chosen.revision == REVISION
    assert chosen.bytes_total == chosen.bytes_missing == sum(len(REPOSITORIES[model_id][path]) for path in paths)
    assert chosen.fits_disk
    assert all((file.sha256 is None) != (file.git_oid is None) for file in chosen.files)


@pytest.mark.parametrize(
    ("model_id", "options", "words"),
    [
        ("maker/one", {}, "name one quantization. It offers: Q4_K_M, Q8_0"),
        ("maker/one", {"quantization": "Q6_K"}, "has no Q6_K file. It offers: Q4_K_M, Q8_0"),
        ("maker/one", {"files": ["one-Q4_K_S.gguf"]}, "Close to it: one-Q4_K_M.gguf"),
        ("maker/one", {"files": []}, "Name at least one"),
        ("maker/parts", {"quantization": "Q8_0"}, "1 of the 2 parts"),
        ("maker/safe", {"quantization": "Q4_0"}, "has no GGUF file"),
        ("maker/onnx", {}, "no GGUF, safetensors or pickle weights"),
        ("maker/none", {}, "no model 'maker/none'"),
    ],
)
def test_what_is_not_offered_is_a_sentence_that_says_what_is(
    tmp_path: Path, server: ServedHub, model_id: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelNotFound, match=words):
        plan(server, tmp_path, model_id, **options)


def test_pickles_flagged_files_and_code_need_a_decision(tmp_path: Path, server: ServedHub) -> None:
    flagged = {"scansDone": True, "filesWithIssues": [{"path": "a-Q4_0.gguf", "level": "unsafe"}]}
    server.add("maker/flagged", {"a-Q4_0.gguf": b"GGUF"}, {"securityRepoStatus": flagged})
    with pytest.raises(DownloadRefused, match="pickle only"):
        plan(server, tmp_path, "maker/pickle")
    with pytest.raises(DownloadRefused, match=r"flag a-Q4_0\.gguf"):
        plan(server, tmp_path, "maker/flagged")
    with pytest.raises(DownloadRefused, match="is code"):
        plan(server, tmp_path, "maker/safe", files=["modeling_own.py"], allow_pickle=True, allow_unsafe=True)
    assert plan(server, tmp_path, "maker/flagged", allow_unsafe=True).bytes_total == 4
    assert any(
        "trust_remote_code and run modeling_own.py" in note for note in plan(server, tmp_path, "maker/safe").notes
    )


# Fetching


def test_a_download_lands_checked_in_the_cache_with_progress(tmp_path: Path, server: ServedHub) -> None:
    hub, steps = server.hub(tmp_path), list[DownloadProgress]()
    (path,) = download(plan(server, tmp_path, "maker/one", quantization="Q4_K_M"), steps.append, hub=hub)
    assert path == tmp_path / "models--maker--one" / "snapshots" / REVISION / "one-Q4_K_M.gguf"
    assert path.read_bytes() == BYTES
    done = [step.bytes_done for step in steps]
    assert done == sorted(done)
    assert (done[0], done[-1], len(done) > 4) == (0, len(BYTES), True)
    assert (steps[-1].files_done, steps[-1].files_total, steps[-1].bytes_total) == (1, 1, len(BYTES))
    (cached,) = cached_revisions("maker/one", hub=hub)
    assert (cached.revision, cached.size_bytes, cached.files[0].sha256) == (REVISION, len(BYTES), DIGEST)
    assert [file.quantization for file in cached_gguf_files("maker/one", hub=hub)] == ["Q4_K_M"]
    count = len(server.requests())
    assert plan(server, tmp_path, "maker/one", quantization="Q4_K_M").bytes_missing == 0
    assert fetch_file("maker/one", "one-Q4_K_M.gguf", REVISION, hub=hub) == path
    # Two plans of two requests each; the file itself is not asked for again.
    assert len(server.requests()) == count + 4


def test_several_files_keep_their_order_and_their_places(tmp_path: Path, server: ServedHub) -> None:
    hub = server.hub(tmp_path)
    chosen = plan(server, tmp_path, "maker/safe")
    paths = download(chosen, hub=hub)
    assert [path.name for path in paths] == [file.path for file in chosen.files]
    assert [path.read_bytes() for path in paths] == [REPOSITORIES["maker/safe"][file.path] for file in chosen.files]
    assert not list(tmp_path.rglob("*.py"))
    assert not list(tmp_path.rglob("consolidated*"))
    first = fetch_file("maker/parts", "Q4_0/big-Q4_0-00001-of-00003.gguf", REVISION, hub=hub)
    assert sorted(path.name[-19:-5] for path in first.parent.iterdir()) == [f"0000{n}-of-00003" for n in (1, 2, 3)]


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path: Path, server: ServedHub) -> None:
    hub, chosen = server.hub(tmp_path), plan(server, tmp_path, "maker/one", quantization="Q4_K_M")
    seen: list[DownloadProgress] = []
    with pytest.raises(Cancelled):
        download(chosen, seen.append, lambda: bool(seen) and seen[-1].bytes_done > 2_000_000, hub=hub)
    again = plan(server, tmp_path, "maker/one", quantization="Q4_K_M")
    assert 0 < again.bytes_missing < 3_200_000
    assert not list(tmp_path.rglob("one-Q4_K_M.gguf"))
    (path,) = download(again, hub=hub)
    assert path.read_bytes() == BYTES
    assert network(server)[-1]["range"] == f"bytes={len(BYTES) - again.bytes_missing}-"


def test_a_killed_process_loses_nothing_that_arrived(tmp_path: Path, server: ServedHub) -> None:
    server.misbehave(
        "maker/one", {"at": "network", "cut_after_bytes": 3_000_000, "times": 1}, {"at": "network", "delay_seconds": 30}
    )
    code = (
        "from catalog.hub import download, plan_download\ndownload(plan_download('maker/one', quantization='Q4_K_M'))"
    )
    environment = {**os.environ, "HF_ENDPOINT": server.address, "HF_HUB_CACHE": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    deadline = time.monotonic() + 30
    while len(network(server)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (server.root / "maker/one/.behave.json").unlink()
    chosen = plan(server, tmp_path, "maker/one", quantization="Q4_K_M")
    assert chosen.bytes_missing == len(BYTES) - 3_000_000
    assert download(chosen, hub=server.hub(tmp_path))[0].read_bytes() == BYTES


def test_a_line_that_drops_again_and_again_still_gets_there(tmp_path: Path, server: ServedHub) -> None:
    # More drops than tries are allowed without progress.
    server.misbehave("maker/one", {"at": "network", "cut_after_bytes": 700_000, "times": 7})
    sleeps: list[float] = []
    (path,) = download(plan(server, tmp_path, "maker/one", quantization="Q4_K_M"), hub=server.hub(tmp_path, sleeps))
    assert path.read_bytes() == BYTES
    assert [request["range"] for request in network(server)][:3] == [None, "bytes=700000-", "bytes=1400000-"]
    assert sum(sleeps) == pytest.approx(7)


@pytest.mark.parametrize(
    "rule",
    [
        {"at": "network", "status": 500, "times": 3},
        {"at": "network", "status": 429, "headers": {"Retry-After": "2"}, "times": 1},
        {"at": "network", "delay_seconds": 0.8, "times": 1},
        {"at": "resolve", "method": "HEAD", "status": 503, "times": 2},
    ],
)
def test_a_server_that_recovers_is_waited_for(tmp_path: Path, server: ServedHub, rule: dict[str, Any]) -> None:
    chosen = plan(server, tmp_path, "maker/one", quantization="Q8_0")
    server.misbehave("maker/one", rule)
    (path,) = download(chosen, hub=server.hub(tmp_path, timeout_seconds=0.5))
    assert path.read_bytes() == b"GGUF8"


def test_a_server_that_ignores_ranges_is_coped_with(tmp_path: Path, server: ServedHub) -> None:
    server.misbehave(
        "maker/one", {"at": "network", "cut_after_bytes": 700_000, "times": 1}, {"at": "network", "ignores_range": True}
    )
    (path,) = download(plan(server, tmp_path, "maker/one", quantization="Q4_K_M"), hub=server.hub(tmp_path))
    assert path.read_bytes() == BYTES


@pytest.mark.parametrize(
    ("served", "words"), [(BYTES[:-3] + b"bad", "has the sha256"), (BYTES + b"more", "instead of 5,120,000")]
)
def test_what_differs_from_what_the_hub_states_is_removed(
    tmp_path: Path, server: ServedHub, served: bytes, words: str
) -> None:
    server.add("maker/tampered", {"t-Q4_0.gguf": BYTES})
    chosen = plan(server, tmp_path, "maker/tampered")
    server.add("maker/tampered/.served", {"t-Q4_0.gguf": served})
    with pytest.raises(BadWeightsFile, match=words):
        download(chosen, hub=server.hub(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 1000] == []
    assert cached_revisions(hub=server.hub(tmp_path)) == ()


def test_a_leftover_that_is_no_beginning_of_the_file_is_started_anew(tmp_path: Path, server: ServedHub) -> None:
    blobs = tmp_path / "models--maker--one" / "blobs"
    blobs.mkdir(parents=True)
    for leftover in (b"x" * 1000, BYTES + b"more"):
        (blobs / f"{DIGEST}.incomplete").write_bytes(leftover)
        (blobs / DIGEST).unlink(missing_ok=True)
        (path,) = download(plan(server, tmp_path, "maker/one", quantization="Q4_K_M"), hub=server.hub(tmp_path))
        assert path.read_bytes() == BYTES
        path.unlink()


def test_two_that_want_the_same_file_fetch_it_once(tmp_path: Path, server: ServedHub) -> None:
    server.misbehave("maker/one", {"at": "network", "delay_seconds": 0.3})
    chosen = plan(server, tmp_path, "maker/one", quantization="Q4_K_M")
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: download(chosen, hub=server.hub(tmp_path)), range(3)))
    assert len(set(found)) == 1
    assert found[0][0].read_bytes() == BYTES
    assert len(network(server)) == 1


def test_small_files_are_checked_by_gits_digest(tmp_path: Path, server: ServedHub) -> None:
    chosen = plan(server, tmp_path, "maker/both")
    server.misbehave("maker/both", {"at": "cache", "method": "GET", "path": "tokenizer.json", "body": "[]"})
    with pytest.raises(BadWeightsFile, match=r"tokenizer\.json of maker/both has the git digest"):
        download(chosen, hub=server.hub(tmp_path))


@pytest.mark.parametrize(("token", "words"), [(None, "no token is set"), (TOKEN, "has not been granted access")])
def test_gated_weights_say_where_terms_are_accepted(
    tmp_path: Path, server: ServedHub, monkeypatch: pytest.MonkeyPatch, token: str | None, words: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token or "")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    server.add("maker/gated", {"g-Q4_0.gguf": b"GGUF"}, {"gated": "manual"})
    chosen = plan(server, tmp_path, "maker/gated")
    assert "https://huggingface.co/maker/gated" in chosen.notes[0]
    with pytest.raises(HubUnavailable, match=words) as caught:
        download(chosen, hub=server.hub(tmp_path))
    assert "Accept its terms at https://huggingface.co/maker/gated" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_the_token_goes_to_the_hub_and_never_to_the_content_network(
    tmp_path: Path, server: ServedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    download(plan(server, tmp_path, "maker/one", quantization="Q8_0"), hub=server.hub(tmp_path))
    assert {request["authorization"] for request in network(server)} == {None}
    hub = [request for request in server.requests() if "maker" in request["path"] and request["server"] == "Hub"]
    assert {request["authorization"] for request in hub} == {f"Bearer {TOKEN}"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_a_failed_download_leaves_the_token_nowhere(
    tmp_path: Path, server: ServedHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    caplog.set_level("INFO")
    caplog.set_level("DEBUG", logger="huggingface_hub")
    chosen, shown = plan(server, tmp_path, "maker/one", quantization="Q8_0"), list[str]()
    for place in ("resolve", "network"):
        for status in (401, 403, 404, 500):
            server.misbehave("maker/one", {"at": place, "status": status, "body": '{"error": "AUTHORIZATION"}'})
            with pytest.raises(HubUnavailable) as caught:
                download(chosen, hub=server.hub(tmp_path))
            shown.append(f"{caught.value!r}")
    assert TOKEN not in "".join(shown) + caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_a_full_disk_is_noticed_before_anything_is_fetched(tmp_path: Path, server: ServedHub) -> None:
    huge = {"rfilename": "h-Q4_0.gguf", "size": 10**18, "lfs": {"sha256": DIGEST, "size": 10**18, "pointerSize": 1}}
    server.add("maker/huge", {"h-Q4_0.gguf": b"GGUF"}, {"siblings": [huge]})
    chosen = plan(server, tmp_path, "maker/huge")
    assert not chosen.fits_disk
    with pytest.raises(DownloadRefused, match=r"needs 1,000,000,000.0 GB more"):
        download(chosen, hub=server.hub(tmp_path))
    assert network(server) == []


def test_a_file_too_large_for_plain_http_is_left_to_huggingface_hub(tmp_path: Path, server: ServedHub) -> None:
    steps: list[DownloadProgress] = []
    hub = server.hub(tmp_path, largest_http_bytes=1_000_000)
    (path,) = download(plan(server, tmp_path, "maker/one", quantization="Q4_K_M"), steps.append, hub=hub)
    assert path.read_bytes() == BYTES
    assert steps[-1].bytes_done == len(BYTES)


def test_what_is_in_the_cache_needs_no_network(tmp_path: Path, server: ServedHub) -> None:
    chosen = plan(server, tmp_path, "maker/one", quantization="Q8_0")
    (path,) = download(chosen, hub=server.hub(tmp_path))
    nowhere = server.hub(tmp_path)._replace(endpoint="http://127.0.0.1:9")
    assert download(chosen, hub=nowhere) == (path,)
    assert cached_gguf_files("maker/other", hub=nowhere) == ()
    assert cached_revisions(hub=server.hub(tmp_path / "none")) == ()


@pytest.mark.parametrize("name", ["../../evil-Q4_0.gguf", "/etc/evil-Q4_0.gguf", "a/../../../evil-Q4_0.gguf"])
def test_a_path_that_leads_out_of_the_repository_is_not_seen(tmp_path: Path, server: ServedHub, name: str) -> None:
    server.add(
        "maker/evil", {"ok-Q8_0.gguf": b"GGUF"}, {"siblings": [{"rfilename": name}, {"rfilename": "ok-Q8_0.gguf"}]}
    )
    assert [file.path for file in plan(server, tmp_path, "maker/evil").files] == ["ok-Q8_0.gguf"]
