"""The one door to the Hugging Face Hub: which GGUF files a repository has, and fetching the one that is wanted.

Honours HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the proxies through huggingface_hub itself. Never prints or returns a
token. Searching the whole Hub is not done here yet; the shipped snapshot is searched instead (catalog/index.py).
"""

import re
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, hf_hub_download, scan_cache_dir
from huggingface_hub.errors import (
    CacheNotFound,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from catalog.errors import HubUnavailable, ModelNotFound
from catalog.records import Record, WeightsFile

_QUANTIZATION = re.compile(r"(?<![A-Za-z0-9])((?:I?Q\d\w*|BF16|F16|F32|MXFP4\w*))(?=[.-]|$)", re.IGNORECASE)


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


def quantization_of(filename: str) -> str | None:
    """Quantization that a file name carries, such as `Q4_K_M`."""
    found = _QUANTIZATION.findall(Path(filename).stem + ".")
    return found[-1].upper() if found else None


def list_gguf_files(model_id: str, revision: str | None = None) -> HubFiles:
    """Ask the Hub for a repository's GGUF files. Raises ModelNotFound or HubUnavailable."""
    try:
        info = HfApi().model_info(model_id, revision=revision, files_metadata=True)
    except _EXPECTED as error:
        raise _explained(model_id, revision, error) from error
    card = info.card_data
    files = tuple(
        WeightsFile(
            path=file.rfilename,
            size_bytes=file.size,
            format="gguf",
            quantization=quantization_of(file.rfilename),
            sha256=file.lfs.sha256 if file.lfs is not None else None,
        )
        for file in info.siblings or ()
        if file.rfilename.lower().endswith(".gguf")
    )
    return HubFiles(
        model_id=model_id,
        revision=info.sha or revision or "main",
        license=getattr(card, "license", None),
        license_name=getattr(card, "license_name", None),
        files=files,
    )


def choose_file(found: HubFiles, quantization: str | None) -> WeightsFile:
    """The file with the wanted quantization. Raises ModelNotFound naming what there is."""
    if not found.files:
        message = (
            f"{found.model_id} has no GGUF file. Look for a repository with GGUF in its name that was made from it, "
            "and name that one as model."
        )
        raise ModelNotFound(message)
    fitting = [file for file in found.files if quantization in {None, file.quantization}]
    if len(fitting) == 1:
        return fitting[0]
    offered = ", ".join(sorted({file.quantization or file.path for file in found.files}))
    if fitting:
        what = "several files" if quantization is None else f"several files for {quantization}"
        raise ModelNotFound(f"{found.model_id} has {what}; name one quantization. It offers: {offered}.")
    raise ModelNotFound(f"{found.model_id} has no {quantization} file. It offers: {offered}.")


def fetch_file(model_id: str, filename: str, revision: str) -> Path:
    """Download one file into the Hugging Face cache (or find it there). Raises ModelNotFound or HubUnavailable."""
    try:
        return Path(hf_hub_download(model_id, filename, revision=revision))
    except _EXPECTED as error:
        raise _explained(model_id, revision, error) from error
    except OSError as error:
        raise HubUnavailable(f"{filename} of {model_id} could not be stored: {error.strerror or error}.") from error


def cached_gguf_files(model_id: str) -> tuple[WeightsFile, ...]:
    """GGUF files of a repository that the Hugging Face cache already holds; asks nobody."""
    try:
        cache = scan_cache_dir()
    except CacheNotFound:
        return ()
    return tuple(
        WeightsFile(
            path=str(file.file_path),
            size_bytes=file.size_on_disk,
            format="gguf",
            quantization=quantization_of(file.file_name),
        )
        for repository in cache.repos
        if repository.repo_id == model_id and repository.repo_type == "model"
        for revision in repository.revisions
        for file in revision.files
        if file.file_name.lower().endswith(".gguf")
    )


_EXPECTED = (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    LocalEntryNotFoundError,
    httpx2.HTTPError,
    ValueError,
)


def _explained(model_id: str, revision: str | None, error: Exception) -> ModelNotFound | HubUnavailable:
    missing = (
        (RevisionNotFoundError, f"{model_id} has no revision {revision!r}. Leave revision out to take the newest."),
        (
            RepositoryNotFoundError,
            f"There is no model {model_id!r} on the Hub, or it is private. Check its spelling, or set HF_TOKEN.",
        ),
        (HFValidationError, f"{model_id!r} is neither a file on this machine nor a Hub id such as owner/name."),
    )
    unreachable = (
        (
            (OfflineModeIsEnabled, LocalEntryNotFoundError),
            f"{model_id} is not in the Hugging Face cache, and the Hub cannot be asked (offline). "
            "Go online, or name the path of a GGUF file.",
        ),
        (
            HfHubHTTPError,
            f"The Hub answered with status {_status(error)} when asked for {model_id}. Try again later.",
        ),
    )
    # A gated repository is a RepositoryNotFoundError as well, so it is looked at first.
    if isinstance(error, GatedRepoError):
        return HubUnavailable(
            f"{model_id} is gated: accept its terms on the model's page with your account, set HF_TOKEN and try again."
        )
    for kind, message in missing:
        if isinstance(error, kind):
            return ModelNotFound(message)
    for kinds, message in unreachable:
        if isinstance(error, kinds):
            return HubUnavailable(message)
    return HubUnavailable(
        f"The Hub could not be reached for {model_id} ({type(error).__name__}). "
        "Check the network and the proxy settings, or name the path of a GGUF file."
    )


def _status(error: Exception) -> int | str:
    response = getattr(error, "response", None)
    return getattr(response, "status_code", "unknown")
