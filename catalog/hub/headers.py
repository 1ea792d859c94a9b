"""Reads the header of a GGUF file on the Hub without fetching its weights: a few megabytes of many gigabytes.

The head is laid into an empty file of the full length, so that the same reader serves files here and there. Behind the
head stands a stretch that no header can hold: running into it means that more of the head is needed.
"""

import tempfile
from pathlib import Path
from typing import BinaryIO

import httpx2
from huggingface_hub import get_session
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from catalog.config.facts import ConfigFacts
from catalog.errors import BadWeightsFile
from catalog.gguf_file import GgufFacts, read_gguf
from catalog.hub.client import DEFAULT_HUB, Hub, file_url, with_retries
from catalog.hub.files import HubFile, part_paths
from catalog.records import Confidence, Provenance

_HEADS_BYTES = (2 << 20, 12 << 20, 48 << 20)
"""Small vocabularies fit the first; 262,144 tokens with their merges the second."""
_WALL_BYTES = 8 << 20
"""Longer than any single value of a header, so none reaches beyond it."""


def fetch_gguf_facts(model_id: str, revision: str, file: HubFile, *, hub: Hub = DEFAULT_HUB) -> GgufFacts | None:
    """Facts of a file on the Hub; its paths are those in the repository. None where the header cannot be read.

    Raises ModelNotFound, HubUnavailable or Cancelled.
    """
    size = file.size_bytes
    if size is None:
        return None
    url = file_url(hub, model_id, revision, file.path)
    with tempfile.TemporaryDirectory() as folder:
        # Not under its own name, which may promise parts that are not here.
        path = Path(folder) / "head.gguf"
        for head in _HEADS_BYTES:
            with path.open("r+b" if path.exists() else "w+b") as target:
                have = min(head, size)
                with_retries(hub, lambda: _lay(hub, url, target, have), model_id=model_id, revision=revision)  # noqa: B023
                target.seek(have)
                target.write(b"\xff" * min(_WALL_BYTES, size - have))
                target.truncate(size)
            try:
                facts = read_gguf(path)
            except BadWeightsFile:
                if have == size:
                    return None
                continue
            return facts.model_copy(update={"path": file.path})
    return None


def as_config_facts(facts: GgufFacts, file: HubFile, *, source: str) -> ConfigFacts:
    """The header's facts in the shape that is joined to a model. Of one part of several, the count is none."""
    whole = len(part_paths(file.path)) == 1
    values = {
        "parameters": facts.parameters or None if whole else None,
        "context_native_tokens": facts.context_tokens,
        "context_extended_tokens": facts.context_extended_tokens,
        "context_extension": facts.context_extension,
        "context_effective_tokens": facts.context_effective_tokens,
    }
    trust: Confidence = "verified"
    fields = ["architecture", *(name for name, value in values.items() if value is not None)]
    return ConfigFacts(
        architecture=facts.architecture,
        notes=facts.notes,
        provenance=tuple(Provenance(field=name, source=source, confidence=trust) for name in fields),
        **values,
    )


def _lay(hub: Hub, url: str, target: BinaryIO, stop: int) -> httpx2.Response:
    """Write the first `stop` bytes into `target`, and not one more, whatever the server sends."""
    headers = build_hf_headers(headers={"accept-encoding": "identity", "range": f"bytes=0-{stop - 1}"})
    target.seek(0)
    with get_session().stream("GET", url, headers=headers, timeout=hub.timeout_seconds) as response:
        hf_raise_for_status(response)
        left = stop
        for chunk in response.iter_bytes():
            target.write(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                break
    if left > 0:
        raise httpx2.RemoteProtocolError(f"{left} bytes of the head are missing")
    return response
