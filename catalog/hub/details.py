"""Everything the Hub knows of one model at one pinned revision: card, files with digests, summaries, scanners, config.

Two questions to the API, because `expand` cannot be combined with file sizes and the scanners' verdict
(huggingface_hub 2.4, HfApi.model_info), and two small files; for GGUF those of the parent, or a header. Downloads no
weights and runs no code.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from huggingface_hub import get_session
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from catalog.config.facts import ConfigFacts, read_config
from catalog.config.into_model import with_config_facts
from catalog.errors import HubUnavailable, ModelNotFound
from catalog.hub.client import DEFAULT_HUB, Hub, ask_json, check_model_id, file_url, info_path, with_retries
from catalog.hub.errors import not_json, page_of
from catalog.hub.facts import flagged_files, model_from_answer
from catalog.hub.files import HubFile, code_files, files_of, part_paths
from catalog.hub.headers import as_config_facts, fetch_gguf_facts
from catalog.records import Model

_LARGEST_CONFIG_BYTES = 8_000_000
"""Some quantized repositories list every layer in config.json: 3 MB have been seen."""
_ONE_MODEL_ONLY = ("baseModels", "trendingScore")


class HubModel(NamedTuple):
    """One model with what the record cannot hold."""

    model: Model
    """The facts."""
    files: tuple[HubFile, ...]
    """Every file of the revision."""
    flagged: tuple[str, ...]
    """Files that the Hub's scanners call unsafe or suspicious."""
    code: tuple[str, ...]
    """Python files of the repository."""
    config: Mapping[str, Any] | None
    """config.json; None where there is none or it may not be read."""
    tokenizer_config: Mapping[str, Any] | None
    """tokenizer_config.json."""


def fetch_info(model_id: str, revision: str | None = None, *, hub: Hub = DEFAULT_HUB) -> HubModel:
    """The model without its configuration files: two requests. Raises ModelNotFound, HubUnavailable or Cancelled."""
    check_model_id(model_id)
    raw = _ask(hub, model_id, revision, [("blobs", "true"), ("securityStatus", "true")])
    sha = raw.get("sha")
    pinned = sha if isinstance(sha, str) and sha else revision
    raw.update(_rest(hub, model_id, pinned))
    origin = f"Hub API, model info, {datetime.now(UTC).date()}"
    files = files_of(raw.get("siblings"))
    try:
        model = model_from_answer({**raw, "id": raw.get("id") or model_id, "sha": pinned}, origin=origin)
    except ValueError as error:
        raise not_json(model_id, "JSON, but no info of a model") from error
    return HubModel(model, files, flagged_files(raw), code_files(files), None, None)


def fetch_hub_model(model_id: str, revision: str | None = None, *, hub: Hub = DEFAULT_HUB) -> HubModel:
    """The model with config.json and tokenizer_config.json, at most four requests. Raises as fetch_info.

    Configuration that may not be read (gated) or is damaged stays None with a note, never a default.
    """
    found = fetch_info(model_id, revision, hub=hub)
    notes: list[str] = []
    config = _document(hub, found, "config.json", notes)
    tokenizer_config = _document(hub, found, "tokenizer_config.json", notes)
    model = found.model
    if config is not None and config.get("auto_map") and model.remote_code is not True:
        model = model.model_copy(update={"remote_code": True})
    if notes:
        model = model.model_copy(update={"notes": (*model.notes, *notes)})
    return found._replace(model=model, config=config, tokenizer_config=tokenizer_config)


def fetch_model(model_id: str, revision: str | None = None, *, hub: Hub = DEFAULT_HUB) -> Model:
    """One model with everything that the Hub and its own configuration tell of it. Raises as fetch_info.

    A quantized repository without config.json, as GGUF ones are, has the network of the model it was made from; where
    that may not be read either, the header of its smallest GGUF file tells.
    """
    found = fetch_hub_model(model_id, revision, hub=hub)
    if found.config is not None:
        source = f"config.json of {found.model.id} at {found.model.revision}"
        facts: ConfigFacts | None = read_config(found.config, source=source, tokenizer_config=found.tokenizer_config)
    else:
        facts = _parent_facts(hub, found.model) or _header_facts(hub, found)
    return found.model if facts is None else with_config_facts(found.model, facts)


def _parent_facts(hub: Hub, model: Model) -> ConfigFacts | None:
    if model.base_model_relation != "quantized" or len(model.base_models) != 1:
        return None
    parent_id = model.base_models[0]
    try:
        parent = fetch_hub_model(parent_id, hub=hub)
    except (HubUnavailable, ModelNotFound):
        return None
    if parent.config is None:
        return None
    source = f"config.json of {parent_id} at {parent.model.revision}, which {model.id} was quantized from"
    facts = read_config(parent.config, source=source, tokenizer_config=parent.tokenizer_config)
    inherited = tuple(
        fact.model_copy(update={"confidence": "derived" if fact.confidence == "verified" else fact.confidence})
        for fact in facts.provenance
        if fact.field not in {"quantization", "remote_code"}
    )
    # How the parent is stored and loaded says nothing of the child.
    own = {"quantization": None, "remote_code": bool(model.remote_code), "provenance": inherited}
    return facts.model_copy(update=own)


def _header_facts(hub: Hub, found: HubModel) -> ConfigFacts | None:
    model = found.model
    names = {file.path for file in model.weights_files if file.format == "gguf"}
    # Of parts, the first holds the header.
    firsts = [file for file in found.files if file.path in names and part_paths(file.path)[0] == file.path]
    if not firsts or model.revision is None:
        return None
    file = min(firsts, key=lambda file: file.size_bytes or 0)
    try:
        facts = fetch_gguf_facts(model.id, model.revision, file, hub=hub)
    except (HubUnavailable, ModelNotFound):
        return None
    if facts is None:
        return None
    return as_config_facts(facts, file, source=f"GGUF header of {file.path} of {model.id} at {model.revision}")


def _ask(hub: Hub, model_id: str, revision: str | None, query: list[tuple[str, str]]) -> dict[str, Any]:
    answer = ask_json(hub, info_path(model_id, revision), query, model_id=model_id, revision=revision)
    if not isinstance(answer.document, dict):
        raise not_json(model_id, "JSON, but no object")
    return answer.document


def _rest(hub: Hub, model_id: str, revision: str | None) -> dict[str, Any]:
    """What only `expand` gives. Mirrors may not know it, and it is worth no failure: tags and card tell most of it."""
    query = [("expand", name) for name in _ONE_MODEL_ONLY]
    try:
        answer = _ask(hub, model_id, revision, query)
    except HubUnavailable:
        return {}
    return {name: answer[name] for name in _ONE_MODEL_ONLY if answer.get(name) is not None}


def _document(hub: Hub, found: HubModel, path: str, notes: list[str]) -> Mapping[str, Any] | None:
    file = next((file for file in found.files if file.path == path), None)
    revision = found.model.revision
    if file is None or revision is None:
        return None
    if file.size_bytes is not None and file.size_bytes > _LARGEST_CONFIG_BYTES:
        notes.append(f"{path} has {file.size_bytes:,} bytes and was not read.")
        return None
    model_id = found.model.id
    url = file_url(hub, model_id, revision, path)

    def get() -> Any:
        # Redirects are followed without the token where they leave the Hub; that is httpx2's own rule.
        response = get_session().get(url, headers=build_hf_headers(), timeout=hub.timeout_seconds)
        hf_raise_for_status(response)
        return response

    try:
        document = with_retries(hub, get, model_id=model_id, revision=revision).json()
    except HubUnavailable:
        gated = f" Accept its terms at {page_of(model_id)} first." if found.model.gated else ""
        notes.append(f"{path} could not be read, so what only it tells is unknown.{gated}")
        return None
    except (ModelNotFound, ValueError):
        notes.append(f"{path} is not readable JSON, so what only it tells is unknown.")
        return None
    return document if isinstance(document, dict) else None
