"""The one door to the Hugging Face Hub: search, pages, facts of one model, downloads, and what the cache holds.

Honours HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, the cache variables and the proxies through huggingface_hub itself, whose
session every request uses. Never reads, prints or returns a token. Judges no license and predicts no memory.

address.py reads what people paste · client.py asks with retries · errors.py explains · search.py lists · details.py one
model · headers.py reads GGUF headers from afar · facts.py, sizes.py, files.py turn answers into records · plan.py
chooses files · download.py fetches them, placing.py puts them into the cache · cache.py looks at what is there
"""

from pathlib import Path

from catalog.errors import ModelNotFound
from catalog.hub.address import HubAddress, is_hub_link, parse_address
from catalog.hub.cache import CachedRevision, cached_gguf_files, cached_revisions
from catalog.hub.client import DEFAULT_HUB, PATIENT_HUB, Hub, Retries
from catalog.hub.details import HubModel, fetch_hub_model, fetch_info, fetch_model
from catalog.hub.download import DownloadProgress, download
from catalog.hub.files import HubFile, part_paths, quantization_of
from catalog.hub.headers import fetch_gguf_facts
from catalog.hub.plan import DownloadPlan, PlannedFile, choose_gguf, plan_download
from catalog.hub.search import HubPage, HubQuery, HubSort, iter_pages, search_hub
from catalog.records import Record, WeightsFile

__all__ = [
    "DEFAULT_HUB",
    "PATIENT_HUB",
    "CachedRevision",
    "DownloadPlan",
    "DownloadProgress",
    "Hub",
    "HubAddress",
    "HubFiles",
    "HubModel",
    "HubPage",
    "HubQuery",
    "HubSort",
    "PlannedFile",
    "Retries",
    "cached_gguf_files",
    "cached_revisions",
    "choose_file",
    "download",
    "fetch_file",
    "fetch_gguf_facts",
    "fetch_hub_model",
    "fetch_info",
    "fetch_model",
    "is_hub_link",
    "iter_pages",
    "list_gguf_files",
    "parse_address",
    "plan_download",
    "quantization_of",
    "search_hub",
]


class HubFiles(Record):
    """GGUF files of one revision of a repository."""

    model_id: str
    """The repository."""
    revision: str
    """Commit that pins them."""
    license: str | None
    """License id that the repository declares."""
    license_name: str | None
    """Name beside `license: other`."""
    files: tuple[WeightsFile, ...]
    """One per GGUF file, sizes and digests as the Hub states them."""


def list_gguf_files(model_id: str, revision: str | None = None, *, hub: Hub = DEFAULT_HUB) -> HubFiles:
    """Ask the Hub for a repository's GGUF files. Raises ModelNotFound or HubUnavailable."""
    model = fetch_info(model_id, revision, hub=hub).model
    return HubFiles(
        model_id=model_id,
        revision=model.revision or revision or "main",
        license=model.license,
        license_name=model.license_name,
        files=tuple(file for file in model.weights_files if file.format == "gguf"),
    )


def choose_file(found: HubFiles, quantization: str | None) -> WeightsFile:
    """The file with the wanted quantization, of numbered parts the first. Raises ModelNotFound naming what there is."""
    listed = [HubFile(file.path, file.size_bytes, file.sha256, None) for file in found.files]
    first = choose_gguf(listed, found.model_id, quantization)[0].path
    return next(file for file in found.files if file.path == first)


def fetch_file(model_id: str, filename: str, revision: str, *, hub: Hub = DEFAULT_HUB) -> Path:
    """Download one file with the parts that belong to it, or find it in the cache; the path of the file itself.

    Raises ModelNotFound, HubUnavailable, DownloadRefused or BadWeightsFile.
    """
    plan = plan_download(model_id, revision, files=(filename,), hub=hub)
    paths = download(plan, hub=hub)
    names = [file.path for file in plan.files]
    if filename not in names:
        raise ModelNotFound(f"{filename} is none of its own parts {', '.join(part_paths(filename))}.")
    return paths[names.index(filename)]
