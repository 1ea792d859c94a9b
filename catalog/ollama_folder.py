"""Ollama's model folder: which manifest names which blob, and the license text beside it.

manifests/HOST/NAMESPACE/NAME/TAG is JSON that lists layers by media type; blobs/sha256-HEX holds them. A layer of type
application/vnd.ollama.image.model is a GGUF file. Models are read elsewhere (local_models).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MODEL, _LICENSE = "application/vnd.ollama.image.model", "application/vnd.ollama.image.license"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LARGEST_MANIFEST = 1_000_000
_LICENSE_TITLE_CHARACTERS = 400

# Title in the first lines of a license text → id as the Hub spells it. Longer titles first.
_TITLES = (
    ("llama 4 community license", "llama4"),
    ("llama 3.3 community license", "llama3.3"),
    ("llama 3.2 community license", "llama3.2"),
    ("llama 3.1 community license", "llama3.1"),
    ("meta llama 3 community license", "llama3"),
    ("llama 2 community license", "llama2"),
    ("gemma terms of use", "gemma"),
    ("apache license", "apache-2.0"),
    ("mit license", "mit"),
)


class OllamaModel(NamedTuple):
    """One tag of one model."""

    name: str
    """As one types it: `llama3.2:3b`."""
    weights: Path
    """The blob with the GGUF file."""
    sha256: str
    hub_id: str | None
    """Repository on the Hub, where it was pulled from there (hf.co/owner/name)."""
    license_text: str
    """Beginning of its license; empty where it ships none."""


class OllamaProblem(NamedTuple):
    """A manifest that cannot be used."""

    path: Path
    message: str


def ollama_models(root: Path) -> Iterator[OllamaModel | OllamaProblem]:
    """Every tag in an Ollama folder that has weights, in order of its name."""
    manifests = root / "manifests"
    for path in sorted(file for file in manifests.glob("*/*/*/*") if file.is_file()):
        try:
            model = _read_manifest(root, path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            yield OllamaProblem(path, f"{path} is no manifest of Ollama ({error}). Pull the model again.")
            continue
        if model is None:
            continue  # a tag without weights, such as a cloud model
        if not model.weights.is_file():
            yield OllamaProblem(path, f"The weights of {model.name} are missing: {model.weights}. Pull it again.")
            continue
        yield model


def license_of_text(text: str) -> str | None:
    """Id of a well-known license by the title in its first lines; None for any other text."""
    start = " ".join(text[:_LICENSE_TITLE_CHARACTERS].lower().split())
    return next((identity for title, identity in _TITLES if title in start), None)


def _read_manifest(root: Path, path: Path) -> OllamaModel | None:
    if path.stat().st_size > _LARGEST_MANIFEST:
        raise ValueError(f"{path.stat().st_size:,} bytes")
    layers = json.loads(path.read_bytes())["layers"]
    digests = {layer["mediaType"]: layer["digest"] for layer in reversed(layers)}
    if _MODEL not in digests:
        return None
    match = _DIGEST.fullmatch(digests[_MODEL])
    if match is None:
        raise ValueError(f"the digest is {digests[_MODEL]!r}")
    host, namespace, name, tag = path.relative_to(root / "manifests").parts
    official = (host, namespace) == ("registry.ollama.ai", "library")
    shown = f"{name}:{tag}" if official else f"{host}/{namespace}/{name}:{tag}"
    return OllamaModel(
        shown,
        root / "blobs" / f"sha256-{match[1]}",
        match[1],
        f"{namespace}/{name}" if host in {"hf.co", "huggingface.co"} else None,
        _license_text(root, digests.get(_LICENSE)),
    )


def _license_text(root: Path, digest: str | None) -> str:
    match = _DIGEST.fullmatch(digest or "")
    if match is None:
        return ""
    try:
        with (root / "blobs" / f"sha256-{match[1]}").open(encoding="utf-8", errors="replace") as file:
            return file.read(_LICENSE_TITLE_CHARACTERS)
    except OSError:
        return ""
