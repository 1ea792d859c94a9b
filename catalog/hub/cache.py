"""What the Hugging Face cache on this machine holds; asks nobody.

The cache names the blob of a large file after its sha256, so a digest is known here without reading the file.
Removes nothing.
"""

import re
import shutil
from pathlib import Path

from huggingface_hub import scan_cache_dir, try_to_load_from_cache
from huggingface_hub.errors import CacheNotFound
from huggingface_hub.file_download import repo_folder_name

from catalog.hub.client import DEFAULT_HUB, Hub
from catalog.hub.files import HubFile, format_of, quantization_of
from catalog.records import Record, WeightsFile


class CachedRevision(Record):
    """Files of one revision of a model that are on this machine, whole."""

    model_id: str
    """The repository."""
    revision: str
    """Commit that pins them."""
    refs: tuple[str, ...]
    """Branches and tags that pointed to it when it was fetched."""
    folder: str
    """Absolute path that holds the files under their own names."""
    size_bytes: int
    """All files together."""
    files: tuple[WeightsFile, ...]
    """Every file with its absolute path; files other than weights have the format `other`."""


def cached_revisions(model_id: str | None = None, *, hub: Hub = DEFAULT_HUB) -> tuple[CachedRevision, ...]:
    """What is in the cache, by model and revision; of one model, or of all."""
    try:
        cache = scan_cache_dir(hub.cache_folder)
    except (CacheNotFound, ValueError):
        return ()
    found = [
        CachedRevision(
            model_id=repository.repo_id,
            revision=revision.commit_hash,
            refs=tuple(sorted(revision.refs)),
            folder=str(revision.snapshot_path),
            size_bytes=revision.size_on_disk,
            files=tuple(
                WeightsFile(
                    path=str(file.file_path),
                    size_bytes=file.size_on_disk,
                    format=format_of(file.file_name),
                    quantization=_quantization(file.file_path.relative_to(revision.snapshot_path).as_posix()),
                    sha256=_sha256(file.blob_path),
                )
                for file in sorted(revision.files, key=lambda file: file.file_path)
            ),
        )
        for repository in cache.repos
        if repository.repo_type == "model" and model_id in {None, repository.repo_id}
        for revision in repository.revisions
    ]
    return tuple(sorted(found, key=lambda entry: (entry.model_id, entry.revision)))


def cached_gguf_files(model_id: str, *, hub: Hub = DEFAULT_HUB) -> tuple[WeightsFile, ...]:
    """GGUF files of a repository that the Hugging Face cache already holds; asks nobody."""
    return tuple(file for entry in cached_revisions(model_id, hub=hub) for file in entry.files if file.format == "gguf")


def cached_path(hub: Hub, model_id: str, revision: str, path: str) -> Path | None:
    """Where one whole file of a revision lies, if it does."""
    found = try_to_load_from_cache(model_id, path, cache_dir=hub.cache_folder, revision=revision)
    return Path(found) if isinstance(found, str) else None


def blob_path(hub: Hub, model_id: str, digest: str) -> Path:
    """Where the cache keeps the content of a file: its name is the ETag, sha256 or git's digest."""
    return model_folder(hub, model_id) / "blobs" / digest


def model_folder(hub: Hub, model_id: str) -> Path:
    """Folder of one repository in the cache."""
    return hub.cache_folder / repo_folder_name(repo_id=model_id, repo_type="model")


def partial_path(blob: Path) -> Path:
    """Where an unfinished blob waits; the name that the cache's own tools know as unfinished."""
    return blob.with_name(f"{blob.name}.incomplete")


def bytes_here(hub: Hub, model_id: str, revision: str, file: HubFile) -> int:
    """Bytes of a file that need not be fetched any more, whole or from an interrupted download."""
    size = file.size_bytes or 0
    if cached_path(hub, model_id, revision, file.path) is not None:
        return size
    digest = file.sha256 or file.git_oid
    if digest is None:
        return 0
    blob = blob_path(hub, model_id, digest)
    if blob.exists():
        return size
    partial = partial_path(blob)
    return min(size, partial.stat().st_size) if partial.exists() else 0


def free_bytes(folder: Path) -> int:
    """Free space where `folder` is, or will be once it is made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _quantization(path: str) -> str | None:
    return quantization_of(path) if format_of(path) == "gguf" else None


def _sha256(blob: Path) -> str | None:
    return blob.name if re.fullmatch(r"[0-9a-f]{64}", blob.name) else None
