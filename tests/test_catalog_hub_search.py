"""Live lists and the facts of one model, against a real server: pages, cursors, retries, wrong answers, secrecy."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import Cancelled, HubUnavailable, ModelNotFound
from catalog.gguf_file import read_gguf
from catalog.hub import (
    HubPage,
    HubQuery,
    Retries,
    fetch_hub_model,
    fetch_model,
    iter_pages,
    list_gguf_files,
    search_hub,
)
from catalog.hub.client import asked_wait_seconds
from catalog.records import Model
from tests.hub_process import ServedHub, served_hub
from tests.hub_server import REVISION

TOKEN = "hf_neverShownAnywhere"
LIST = "/api/models"


def entry(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "_id": str(number),
        "id": f"maker/model-{number:04}",
        "sha": REVISION,
        "downloads": 10_000 - number,
        "likes": number,
        "trendingScore": number % 7,
        "createdAt": f"2025-01-{number % 27 + 1:02}T00:00:00.000Z",
        "lastModified": f"2025-02-{number % 27 + 1:02}T00:00:00.000Z",
        "tags": ["transformers"],
        "pipeline_tag": "text-generation",
        **facts,
    }


SPECIAL = [
    entry(1, id="acme/Tiny-1B", tags=["gguf", "license:mit"], gated="manual", _apps=["llama.cpp"]),
    entry(2, id="acme/Big-70B", safetensors={"parameters": {"BF16": 70_000_000_000}, "total": 70_000_000_000}),
    entry(3, id="other/Speech", pipeline_tag="automatic-speech-recognition", library_name="nemo"),
    entry(4, id="other/Deutsch", cardData={"license": "apache-2.0", "language": ["de", False]}),
    entry(5, id="other/Child", tags=["base_model:acme/Big-70B", "base_model:quantized:acme/Big-70B"]),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    with served_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: ServedHub) -> None:
    server.list_models([*SPECIAL, *(entry(number) for number in range(10, 60))])
    for name in (".behave.json", ".public", ".requests.jsonl"):
        (server.root / name).unlink(missing_ok=True)


def ids(server: ServedHub, cache: Path, query: HubQuery) -> list[str]:
    return [model.id for model in search_hub(query, hub=server.hub(cache))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"text": "tiny"}, {"acme/Tiny-1B"}),
        ({"author": "acme"}, {"acme/Tiny-1B", "acme/Big-70B"}),
        ({"author": "acme", "gated": False}, {"acme/Big-70B"}),
        ({"gated": True}, {"acme/Tiny-1B"}),
        ({"task": "automatic-speech-recognition"}, {"other/Speech"}),
        ({"license": "mit"}, {"acme/Tiny-1B"}),
        ({"library": "nemo"}, {"other/Speech"}),
        ({"format": "gguf"}, {"acme/Tiny-1B"}),
        ({"app": "llama.cpp"}, {"acme/Tiny-1B"}),
        ({"language": "de", "license": "apache-2.0"}, {"other/Deutsch"}),
        ({"base_model": "acme/Big-70B"}, {"other/Child"}),
        ({"min_parameters": 6_000_000_000, "max_parameters": 80_500_000_000}, {"acme/Big-70B"}),
        ({"min_parameters": 71_000_000_000}, set()),
    ],
)
def test_every_filter_reaches_the_hub(
    tmp_path: Path, server: ServedHub, query: dict[str, Any], found: set[str]
) -> None:
    assert set(ids(server, tmp_path, HubQuery(**query))) == found


@pytest.mark.parametrize(
    ("sort", "first"),
    [("downloads", "acme/Tiny-1B"), ("likes", "maker/model-0059"), ("trending", "maker/model-0055")],
)
def test_the_order_is_the_hubs(tmp_path: Path, server: ServedHub, sort: Any, first: str) -> None:
    assert ids(server, tmp_path, HubQuery(sort=sort, limit=3))[0] == first


def test_pages_arrive_one_by_one_and_only_when_wanted(tmp_path: Path, server: ServedHub) -> None:
    pages: list[HubPage] = []
    models = search_hub(HubQuery(page_size=20, sort="created"), pages.append, hub=server.hub(tmp_path))
    assert len(list(islice(models, 21))) == 21
    assert [len(page.models) for page in pages] == [20, 20]
    assert len(list(models)) == 34
    assert [page.total_seen for page in pages] == [20, 40, 55]
    assert pages[-1].next_cursor is None
    assert len(server.requests()) == 3


def test_a_list_is_taken_up_again_at_its_cursor(tmp_path: Path, server: ServedHub) -> None:
    query, hub = HubQuery(page_size=15, sort="created"), server.hub(tmp_path)
    whole = [model.id for page in iter_pages(query, hub=hub) for model in page.models]
    assert len(whole) == len(set(whole)) == 55
    first = next(iter_pages(query, hub=hub))
    rest = [model.id for page in iter_pages(query, first.next_cursor, hub=hub) for model in page.models]
    assert [model.id for model in first.models] + rest == whole
    assert list(search_hub(HubQuery(limit=17, page_size=10), hub=hub))[16].id == ids(server, tmp_path, HubQuery())[16]


def test_a_link_to_another_address_is_not_followed_there(
    tmp_path: Path, server: ServedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mirror passes the Hub's links on; a hostile one could name any address, and would be sent the token.
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    (server.root / ".public").write_text(server.network)
    assert len(ids(server, tmp_path, HubQuery(page_size=20))) == 55
    assert {request["server"] for request in server.requests()} == {"Hub"}


@pytest.mark.parametrize(
    ("rule", "slept"),
    [
        ({"status": 500, "times": 2}, 1 + 2),
        ({"status": 503, "times": 1, "headers": {"Retry-After": "7"}}, 8),
        ({"status": 429, "times": 1, "headers": {"RateLimit": '"api";r=0;t=40', "Retry-After": "1"}}, 41),
        ({"cut_after_bytes": 100, "times": 2}, 1 + 2),
        ({"delay_seconds": 0.5, "times": 1}, 1),
    ],
)
def test_what_passes_is_tried_again(tmp_path: Path, server: ServedHub, rule: dict[str, Any], slept: float) -> None:
    server.misbehave(None, {"at": "list", **rule})
    sleeps: list[float] = []
    hub = server.hub(tmp_path, sleeps, timeout_seconds=0.3)
    assert len(next(iter_pages(HubQuery(page_size=5, files=False), hub=hub)).models) == 5
    assert sum(sleeps) == pytest.approx(slept)
    assert max(sleeps) <= 0.5


@pytest.mark.parametrize(
    ("rule", "words", "requests"),
    [
        ({"status": 500}, "status 500 when asked for the list of models", 4),
        ({"status": 429, "headers": {"Retry-After": "4000"}}, "asks to wait", 1),
        ({"status": 400}, "start it anew", 1),
        ({"status": 401}, "refused the token", 1),
        ({"status": 403}, "forbids access", 1),
        ({"body": "<html>log in</html>", "headers": {"Content-Type": "text/html"}}, "login page", 1),
        ({"body": '{"models": []}'}, "JSON, but no list", 1),
    ],
)
def test_what_does_not_pass_is_a_sentence(
    tmp_path: Path, server: ServedHub, rule: dict[str, Any], words: str, requests: int
) -> None:
    server.misbehave(None, {"at": "list", **rule})
    with pytest.raises(HubUnavailable, match=words):
        next(iter_pages(HubQuery(), hub=server.hub(tmp_path)))
    assert len(server.requests()) == requests


def test_entries_that_are_no_models_are_counted_and_left_out(tmp_path: Path, server: ServedHub) -> None:
    server.misbehave(None, {"at": "list", "body": '[{"id": "a/b"}, 3, {"tags": []}, {"id": "a/c", "downloads": "x"}]'})
    page = next(iter_pages(HubQuery(), hub=server.hub(tmp_path)))
    assert ([model.id for model in page.models], page.skipped) == (["a/b", "a/c"], 2)


def test_a_pull_ends_when_cancelled_even_while_it_waits(tmp_path: Path, server: ServedHub) -> None:
    server.misbehave(None, {"at": "list", "status": 429, "skip": 1, "headers": {"Retry-After": "300"}})
    sleeps: list[float] = []
    pages = iter_pages(HubQuery(page_size=10), hub=server.hub(tmp_path, sleeps), is_cancelled=lambda: len(sleeps) >= 3)
    cursor = next(pages).next_cursor
    with pytest.raises(Cancelled, match="start again"):
        next(pages)
    assert len(sleeps) == 3
    (server.root / ".behave.json").unlink()
    assert sum(len(page.models) for page in iter_pages(HubQuery(), cursor, hub=server.hub(tmp_path))) == 45


def test_both_forms_of_retry_after_are_understood() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < (asked_wait_seconds({"retry-after": later}, 503) or 0) <= 90
    assert asked_wait_seconds({"retry-after": "soon"}, 503) is None
    assert asked_wait_seconds({}, 429) is None


def test_a_server_that_is_not_there_is_given_up_soon(tmp_path: Path, server: ServedHub) -> None:
    sleeps: list[float] = []
    hub = server.hub(tmp_path, sleeps, retries=Retries(connect_attempts=2))._replace(endpoint="http://127.0.0.1:9")
    with pytest.raises(HubUnavailable, match="could not be reached"):
        next(iter_pages(HubQuery(), hub=hub))
    assert sum(sleeps) == 1


# One model


CONFIG = b'{"model_type": "llama", "num_hidden_layers": 2, "auto_map": {"AutoModel": "modeling_x.Model"}}'
FULL = {
    "pipeline_tag": "text-generation",
    "library_name": "transformers",
    "tags": ["transformers", "safetensors", "custom_code", "arxiv:1"],
    "cardData": {
        "license": "other",
        "license_name": "house-license",
        "license_link": "LICENSE",
        "base_model": "acme/Big-70B",
        "datasets": ["acme/words"],
        "language": ["en", False],
    },
    "baseModels": {"relation": "finetune", "models": [{"_id": "1", "id": "acme/Big-70B"}]},
    "gated": False,
    "downloads": 42,
    "likes": 7,
    "trendingScore": 3,
    "safetensors": {"parameters": {"BF16": 500}, "total": 500},
    "config": {"model_type": "llama"},
    "securityRepoStatus": {"scansDone": True, "filesWithIssues": []},
}


@pytest.fixture(scope="module")
def repositories(server: ServedHub) -> ServedHub:
    weights = bytes(1000)
    files = {"config.json": CONFIG, "tokenizer_config.json": b'{"model_max_length": 4096}', "modeling_x.py": b"pass"}
    server.add("acme/full", {**files, "model.safetensors": weights}, FULL)
    server.add("acme/gated", files, {"gated": "manual"})
    server.add("acme/damaged", {"config.json": b"{not json", "m-Q4_K_M.gguf": b"GGUF"})
    flagged = {"scansDone": True, "filesWithIssues": [{"path": "pytorch_model.bin", "level": "unsafe"}]}
    server.add("acme/flagged", {"pytorch_model.bin": b"x"}, {"securityRepoStatus": flagged})
    server.add("acme/fresh", {"a.bin": b"x"}, {"securityRepoStatus": {"scansDone": False, "filesWithIssues": []}})
    return server


def test_every_fact_of_a_model_has_a_source(tmp_path: Path, repositories: ServedHub) -> None:
    found = fetch_hub_model("acme/full", hub=repositories.hub(tmp_path))
    model = found.model
    assert (model.revision, model.license, model.license_name) == (REVISION, "other", "house-license")
    assert model.license_link == f"https://huggingface.co/acme/full/blob/{REVISION}/LICENSE"
    assert (model.base_models, model.base_model_relation) == (("acme/Big-70B",), "finetune")
    assert (model.parameters, model.weights_bytes, model.formats) == (500, 1000, ("safetensors",))
    assert (model.datasets, model.languages) == (("acme/words",), ("en", "no"))
    assert (model.downloads, model.likes, model.trending_score, model.gated) == (42, 7, 3.0, False)
    assert (model.released, model.updated) == ("2025-06-01", "2025-07-01")
    assert (model.security, model.remote_code, found.code) == ("safe", True, ("modeling_x.py",))
    assert model.weights_files[0].sha256 == "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"
    assert found.config is not None
    assert found.config["num_hidden_layers"] == 2
    assert found.tokenizer_config == {"model_max_length": 4096}
    unset = Model(id="x").model_dump()
    known = {name for name, value in model.model_dump().items() if value != unset[name]}
    assert known - {"id", "kind", "notes", "provenance"} == {fact.field for fact in model.provenance}
    assert all("Hub API" in fact.source and REVISION in fact.source for fact in model.provenance)


LLAMA = (
    b'{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2, "hidden_size": 64,'
    b'"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 100,'
    b'"max_position_embeddings": 2048, "tie_word_embeddings": true}'
)


def test_the_configuration_completes_what_the_api_tells(tmp_path: Path, repositories: ServedHub) -> None:
    repositories.add("acme/configured", {"config.json": LLAMA, "model.safetensors": bytes(8)})
    model = fetch_model("acme/configured", hub=repositories.hub(tmp_path))
    assert model.architecture is not None
    assert (model.architecture.layers, model.architecture.kv_heads, model.context_native_tokens) == (2, 2, 2048)
    sources = {fact.field: fact.source for fact in model.provenance}
    assert sources["context_native_tokens"].startswith(f"config.json of acme/configured at {REVISION}")
    assert sources["license"].startswith("Hub API, model info")
    assert fetch_model("acme/gated", hub=repositories.hub(tmp_path)).architecture is None


def test_a_gguf_repository_has_the_network_of_its_parent(tmp_path: Path, repositories: ServedHub) -> None:
    repositories.add("acme/parent", {"config.json": LLAMA, "model.safetensors": bytes(8)}, {"tags": ["custom_code"]})
    for parent in ("parent", "gated"):
        card = {"license": "mit", "base_model": f"acme/{parent}", "base_model_relation": "quantized"}
        repositories.add(f"acme/of-{parent}-GGUF", {"a-Q4_0.gguf": b"GGUF"}, {"cardData": card})
    model = fetch_model("acme/of-parent-GGUF", hub=repositories.hub(tmp_path))
    assert model.architecture is not None
    assert (model.architecture.layers, model.license, model.remote_code) == (2, "mit", False)
    (fact,) = (fact for fact in model.provenance if fact.field == "architecture")
    assert (fact.confidence, "which acme/of-parent-GGUF was quantized from" in fact.source) == ("derived", True)
    assert fetch_model("acme/of-gated-GGUF", hub=repositories.hub(tmp_path)).architecture is None


def test_a_gguf_header_is_read_from_afar_where_nothing_else_tells(
    tmp_path: Path, repositories: ServedHub, smollm2: Path
) -> None:
    card = {"license": "mit", "base_model": "acme/gated", "base_model_relation": "quantized"}
    repositories.add("acme/orphan-GGUF", {"small-Q4_1.gguf": smollm2.read_bytes()}, {"cardData": card})
    before = len(repositories.requests())
    model = fetch_model("acme/orphan-GGUF", hub=repositories.hub(tmp_path))
    here = read_gguf(smollm2)
    assert (model.architecture, model.parameters) == (here.architecture, here.parameters)
    assert model.context_native_tokens == here.context_tokens
    sources = {fact.field: (fact.source, fact.confidence) for fact in model.provenance}
    assert sources["architecture"] == (f"GGUF header of small-Q4_1.gguf of acme/orphan-GGUF at {REVISION}", "verified")
    asked = [request["range"] for request in repositories.requests()[before:] if request["server"] == "ContentNetwork"]
    assert asked[0] == "bytes=0-2097151"
    assert len(asked) <= 2
    repositories.misbehave("acme/orphan-GGUF", {"at": "network", "ignores_range": True})
    assert fetch_model("acme/orphan-GGUF", hub=repositories.hub(tmp_path)).architecture == here.architecture
    repositories.misbehave("acme/orphan-GGUF", {"at": "network", "body": "<html>"})
    assert fetch_model("acme/orphan-GGUF", hub=repositories.hub(tmp_path)).architecture is None


@pytest.mark.parametrize("body", ["[]", "<html>", '"x"'])
def test_an_info_that_is_none_is_a_sentence(tmp_path: Path, repositories: ServedHub, body: str) -> None:
    repositories.add("acme/odd", {})
    repositories.misbehave("acme/odd", {"at": "info", "body": body})
    with pytest.raises(HubUnavailable, match="not the Hub's JSON"):
        fetch_hub_model("acme/odd", hub=repositories.hub(tmp_path))


def test_what_scanners_say_is_told_from_what_they_have_not_looked_at(tmp_path: Path, repositories: ServedHub) -> None:
    hub = repositories.hub(tmp_path)
    assert fetch_hub_model("acme/flagged", hub=hub).flagged == ("pytorch_model.bin",)
    assert fetch_hub_model("acme/flagged", hub=hub).model.security == "unsafe"
    assert fetch_hub_model("acme/fresh", hub=hub).model.security == "unscanned"
    assert fetch_hub_model("acme/damaged", hub=hub).model.security is None


def test_configuration_that_cannot_be_read_is_unknown_with_a_note(tmp_path: Path, repositories: ServedHub) -> None:
    gated = fetch_hub_model("acme/gated", hub=repositories.hub(tmp_path))
    assert (gated.config, gated.model.gated) == (None, True)
    assert "Accept its terms at https://huggingface.co/acme/gated" in gated.model.notes[0]
    damaged = fetch_hub_model("acme/damaged", hub=repositories.hub(tmp_path))
    assert damaged.config is None
    assert "not readable JSON" in damaged.model.notes[0]


def test_a_mirror_without_expand_still_tells_the_rest(tmp_path: Path, repositories: ServedHub) -> None:
    repositories.misbehave("acme/full", {"at": "expand", "status": 400})
    model = fetch_hub_model("acme/full", hub=repositories.hub(tmp_path)).model
    assert (model.base_models, model.trending_score) == (("acme/Big-70B",), None)
    (repositories.root / "acme/full/.behave.json").unlink()


@pytest.mark.parametrize(
    ("model_id", "revision", "words"),
    [
        ("acme/nothing", None, "no model 'acme/nothing' on the Hub"),
        ("acme/full", "v9", "has no revision 'v9'"),
        ("not a hub id", None, "neither a file on this machine nor a Hub id"),
        ("../../etc", None, "neither a file on this machine nor a Hub id"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    tmp_path: Path, repositories: ServedHub, model_id: str, revision: str | None, words: str
) -> None:
    with pytest.raises(ModelNotFound, match=words):
        fetch_hub_model(model_id, revision, hub=repositories.hub(tmp_path))


# Environment and secrecy


PROBE = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from catalog.errors import WorkbenchError
from catalog.hub import HubQuery, cached_revisions, fetch_hub_model, search_hub
try:
    print(len(list(search_hub(HubQuery(author="acme", limit=2)))), fetch_hub_model("acme/full").model.id)
except WorkbenchError as error:
    print(error)
print(repr(cached_revisions()))
"""


def run(code: str, home: Path, **environment: str) -> str:
    settings = {**os.environ, "HF_HOME": str(home), "HF_TOKEN": TOKEN, "NO_PROXY": "", "no_proxy": "", **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=settings, check=True)
    return done.stdout + done.stderr


def of_models(server: ServedHub) -> list[dict[str, Any]]:
    """Without what huggingface_hub asks on its own, without a token: once a day, for its list of agents."""
    return [request for request in server.requests() if request["path"] != "/api/agent-harnesses"]


def test_the_environment_is_honoured_and_the_token_is_sent_but_never_shown(
    tmp_path: Path, repositories: ServedHub
) -> None:
    online = run(PROBE, tmp_path, HF_ENDPOINT=repositories.address, HF_DEBUG="1")
    assert "2 acme/full" in online
    assert {request["authorization"] for request in of_models(repositories)} == {f"Bearer {TOKEN}"}
    count = len(of_models(repositories))
    proxied = run(PROBE, tmp_path, HF_ENDPOINT="http://hub.example.invalid", HTTP_PROXY=repositories.address)
    assert "2 acme/full" in proxied
    assert len(of_models(repositories)) == 2 * count
    offline = run(PROBE, tmp_path, HF_ENDPOINT=repositories.address, HF_HUB_OFFLINE="1")
    assert "(offline)" in offline
    assert len(of_models(repositories)) == 2 * count
    assert TOKEN not in online + proxied + offline


def test_the_token_is_in_no_error_and_no_log(
    tmp_path: Path, server: ServedHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    # Only the wire trace of httpcore2, below INFO, shows the headers that a server sends.
    caplog.set_level("INFO")
    caplog.set_level("DEBUG", logger="huggingface_hub")
    hub = server.hub(tmp_path)
    server.add("acme/echo", {"e-Q8_0.gguf": b"GGUF"})
    shown = [repr(hub)]
    for status in (400, 401, 403, 404, 429, 500):
        # A server that repeats the header it was sent, in the body and in the header that the Hub uses for messages.
        rule = {"status": status, "body": '{"error": "AUTHORIZATION"}', "headers": {"X-Error-Message": f"bad {TOKEN}"}}
        server.misbehave(None, {"at": "list", **rule})
        server.misbehave("acme/echo", {"at": "info", **rule})
        for call in (lambda: list(search_hub(HubQuery(), hub=hub)), lambda: list_gguf_files("acme/echo", hub=hub)):
            with pytest.raises((HubUnavailable, ModelNotFound)) as caught:
                call()
            shown.append(f"{caught.value} {caught.value!r}")
    assert len(shown) == 13
    assert TOKEN in server.requests()[-1]["authorization"]
    assert TOKEN not in "".join(shown) + caplog.text
