"""Reads what people paste for a model: an id, the address of its page or of a file, or `owner/name:Q4_K_M`.

Pure. Does not check that the model exists.
"""

import re
from urllib.parse import unquote, urlsplit

from catalog.errors import ModelNotFound
from catalog.hub.client import DEFAULT_HUB, Hub, check_model_id
from catalog.records import Record

_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co", "hf-mirror.com"})
_OTHER_KINDS = frozenset({"datasets", "spaces", "papers", "collections", "docs", "models", "api", "blog", "learn"})


class HubAddress(Record):
    """A model, and what of it was meant."""

    model_id: str
    """`owner/name`."""
    revision: str | None = None
    """Branch, tag or commit that the address names; None where it names `main` or nothing."""
    path: str | None = None
    """File that it names."""
    quantization: str | None = None
    """Quantization after a colon, as llama.cpp and Ollama write it."""


def is_hub_link(text: str, *, hub: Hub = DEFAULT_HUB) -> bool:
    """Whether `text` is an address on the Hub, on the configured mirror or the one everybody knows."""
    return _split(text, hub) is not None


def parse_address(text: str, *, hub: Hub = DEFAULT_HUB) -> HubAddress:
    """The model meant by an id or an address. Raises ModelNotFound for anything else."""
    path = _split(text, hub)
    if path is None:
        # Neither an address elsewhere nor a path on this machine can be an id; the check below would see pieces only.
        check_model_id(text.strip().partition(":")[0] if "://" not in text else text)
        path = text.strip()
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] in _OTHER_KINDS and len(parts) > 1:
        raise ModelNotFound(f"{text} is not the page of a model ({parts[0]}). Name a model such as owner/name.")
    name, _, quantization = "/".join(parts[:2]).partition(":")
    check_model_id(name)
    rest = parts[2:]
    revision = rest[1] if len(rest) > 1 and rest[0] in {"tree", "blob", "resolve", "raw", "commit"} else None
    return HubAddress(
        model_id=name,
        revision=None if revision == "main" else revision,
        path="/".join(rest[2:]) or None if revision is not None and rest[0] != "tree" else None,
        quantization=quantization or None,
    )


def _split(text: str, hub: Hub) -> str | None:
    """The path on the Hub; None where `text` is no address there."""
    text = text.strip()
    if text.startswith("hf://"):
        return text.removeprefix("hf://").removeprefix("models/")
    split = urlsplit(text if re.match(r"https?://", text) else f"https://{text}")
    own = urlsplit(hub.endpoint)
    if split.netloc in _HOSTS or (split.netloc == own.netloc and text.startswith("http")):
        return split.path
    return None
