"""Fetches the files of a plan into the Hugging Face cache: resumable, checked, cancellable, with progress in bytes.

huggingface_hub 2.4 starts an interrupted file from zero (its issue #4196), so the bytes are fetched here into the name
under which the cache keeps unfinished blobs, with its lock held, and go on where they stopped. The finished blob is
then put into place by huggingface_hub's own `hf_hub_download`, which finds it there and only links it.

Plain HTTP on purpose, although most files live in Xet storage: hf_xet cannot resume either, and talks to hosts of its
own, past HF_ENDPOINT and mirrors (huggingface_hub #4475, xet-core #470). Only files above 50 GB, which the Hub serves
through Xet alone, go through hf_hub_download whole. Chooses nothing; that is the plan's business.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import httpx2
from filelock import FileLock, Timeout
from huggingface_hub import get_hf_file_metadata, get_session
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from catalog.errors import BadWeightsFile, DownloadRefused, HubUnavailable
from catalog.hub.cache import blob_path, cached_path, free_bytes, model_folder, partial_path
from catalog.hub.client import (
    DEFAULT_HUB,
    Hub,
    check_model_id,
    file_url,
    is_hub_address,
    stop_if_cancelled,
    wait,
    wait_after,
)
from catalog.hub.errors import EXPECTED, explained
from catalog.hub.placing import place
from catalog.hub.plan import DownloadPlan, PlannedFile
from catalog.records import Record

_CHUNK_BYTES = 1 << 20
_LOCK_SECONDS = 0.5
"""Wait for another process's download before looking whether the user has cancelled."""


class DownloadProgress(Record):
    """How far a download is."""

    path: str
    """File that is being fetched."""
    bytes_done: int
    """Of all files, with what was there before."""
    bytes_total: int
    """Of all files."""
    files_done: int
    """Files that are complete."""
    files_total: int
    """Files of the plan."""


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Target(NamedTuple):
    """One file on its way."""

    plan: DownloadPlan
    file: PlannedFile
    etag: str
    """Name of the blob."""
    size_bytes: int | None
    address: str
    """Where the bytes are; a signed address that may expire, so it is asked for again on every try."""


class _Report:
    """Counts bytes over all files and tells the caller."""

    def __init__(self, plan: DownloadPlan, on_progress: Callable[[DownloadProgress], None] | None) -> None:
        self._plan = plan
        self._on_progress = on_progress
        self._before = 0
        self._files = 0

    def at(self, file: PlannedFile, size_bytes: int) -> None:
        """So much of `file` is here."""
        if self._on_progress is not None:
            self._on_progress(
                DownloadProgress(
                    path=file.path,
                    bytes_done=self._before + size_bytes,
                    bytes_total=max(self._plan.bytes_total, self._before + size_bytes),
                    files_done=self._files,
                    files_total=len(self._plan.files),
                )
            )

    def finished(self, file: PlannedFile, size_bytes: int) -> None:
        """`file` is complete."""
        self._files += 1
        self.at(file, size_bytes)
        self._before += size_bytes


def download(
    plan: DownloadPlan,
    on_progress: Callable[[DownloadProgress], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    *,
    hub: Hub = DEFAULT_HUB,
) -> tuple[Path, ...]:
    """The files of the plan on this machine, in its order.

    Whatever arrives before an interruption is kept and not fetched again. Raises DownloadRefused (too little disk),
    HubUnavailable, ModelNotFound, BadWeightsFile (what arrived is not what the Hub states), Cancelled.
    """
    check_model_id(plan.model_id)
    hub = hub if is_cancelled is None else hub._replace(is_cancelled=is_cancelled)
    _check_disk(plan, hub)
    report = _Report(plan, on_progress)
    paths = []
    for file in plan.files:
        stop_if_cancelled(hub)
        path = cached_path(hub, plan.model_id, plan.revision, file.path)
        if path is None:
            try:
                path = _fetch(hub, plan, file, report)
            except OSError as error:
                raise HubUnavailable(
                    f"{file.path} of {plan.model_id} could not be stored in {hub.cache_folder}: "
                    f"{error.strerror or type(error).__name__}. Free some space or check its permissions."
                ) from error
        report.finished(file, path.stat().st_size)
        paths.append(path)
    return tuple(paths)


def _check_disk(plan: DownloadPlan, hub: Hub) -> None:
    free = free_bytes(hub.cache_folder)
    if plan.bytes_missing > free:
        raise DownloadRefused(
            f"{plan.model_id} needs {plan.bytes_missing / 1e9:,.1f} GB more and {hub.cache_folder} has "
            f"{free / 1e9:,.1f} GB free. Free some space, set HF_HOME to a larger disk, or choose a smaller file."
        )


def _fetch(hub: Hub, plan: DownloadPlan, file: PlannedFile, report: _Report) -> Path:
    digest = file.sha256 or file.git_oid
    if digest is None or not blob_path(hub, plan.model_id, digest).exists():
        target = _locate(hub, plan, file)
        if target.size_bytes is not None and target.size_bytes > hub.largest_http_bytes:
            return place(hub, plan, file, lambda done: report.at(file, done))
        with _locked(hub, target):
            _fill(hub, target, report)
    return place(hub, plan, file, lambda done: report.at(file, done))


@contextmanager
def _locked(hub: Hub, target: _Target) -> Iterator[None]:
    """Hold the lock that other programs take for the same blob, so that nobody else writes into it."""
    path = hub.cache_folder / ".locks" / model_folder(hub, target.plan.model_id).name / f"{target.etag}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    while not lock.is_locked:
        stop_if_cancelled(hub)
        with suppress(Timeout):
            lock.acquire(timeout=_LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _locate(hub: Hub, plan: DownloadPlan, file: PlannedFile) -> _Target:
    """Ask where the bytes are. Raises HubUnavailable or ModelNotFound once patience ends."""
    url = file_url(hub, plan.model_id, plan.revision, file.path)
    attempt = 0
    while True:
        attempt += 1
        stop_if_cancelled(hub)
        try:
            facts = get_hf_file_metadata(url, timeout=hub.timeout_seconds, endpoint=hub.endpoint)
        except EXPECTED as error:
            seconds = wait_after(hub, attempt, error)
            if seconds is None:
                raise explained(error, plan.model_id, plan.revision) from error
            wait(hub, seconds)
            continue
        etag = facts.etag
        if etag is None or "/" in etag or etag in {".", ".."}:
            raise HubUnavailable(
                f"The server gave no usable ETag for {file.path} of {plan.model_id}, so it is no Hub. "
                "Check HF_ENDPOINT."
            )
        return _Target(plan, file, etag, facts.size if facts.size is not None else file.size_bytes, facts.location)


def _fill(hub: Hub, target: _Target, report: _Report) -> None:
    """Fetch the blob, going on where an earlier try stopped, check it and give it its name."""
    blob = blob_path(hub, target.plan.model_id, target.etag)
    if blob.exists():
        return
    blob.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(blob)
    found = partial.exists()
    _complete(hub, target, partial, report)
    try:
        _verify(target, partial)
    except BadWeightsFile:
        if not found:
            raise
        # What lay there was no beginning of this file: other programs write unfinished blobs in other orders.
        _complete(hub, target, partial, report)
        _verify(target, partial)
    partial.replace(blob)


def _complete(hub: Hub, target: _Target, partial: Path, report: _Report) -> None:
    """Append until the file is whole, or patience ends. Raises HubUnavailable, ModelNotFound or Cancelled."""
    attempt = 0
    while True:
        before = _size(partial)
        try:
            _append(hub, target, partial, report)
            return
        except EXPECTED as error:
            # Only tries that bring nothing count: a line that drops every gigabyte still gets there.
            attempt = 1 if _size(partial) > before else attempt + 1
            seconds = wait_after(hub, attempt, error)
            if seconds is None:
                raise explained(error, target.plan.model_id, target.plan.revision) from error
            wait(hub, seconds)
            target = _locate(hub, target.plan, target.file)


def _append(hub: Hub, target: _Target, partial: Path, report: _Report) -> None:
    """One try. Raises what httpx2 and huggingface_hub raise; what has arrived stays in `partial`."""
    here = _size(partial)
    if target.size_bytes is not None and here >= target.size_bytes:
        return
    headers = build_hf_headers(headers={"accept-encoding": "identity"})
    if not is_hub_address(hub, target.address):
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    if here:
        headers["range"] = f"bytes={here}-"
    with get_session().stream("GET", target.address, headers=headers, timeout=hub.timeout_seconds) as response:
        if response.status_code == 416:
            # More is here than the server has: a leftover of another file.
            partial.unlink()
            raise httpx2.RemoteProtocolError("the range lies behind the end")
        hf_raise_for_status(response)
        # A server that ignores ranges sends the whole file again.
        resumes = here > 0 and response.status_code == 206
        done = here if resumes else 0
        told = done
        report.at(target.file, done)
        with partial.open("ab" if resumes else "wb") as file:
            # As they come: httpx2 drops what it has gathered for a larger chunk when the connection breaks.
            for chunk in response.iter_bytes():
                file.write(chunk)
                done += len(chunk)
                if done - told >= _CHUNK_BYTES:
                    told = done
                    report.at(target.file, done)
                    stop_if_cancelled(hub)
    if target.size_bytes is not None and done < target.size_bytes:
        raise httpx2.RemoteProtocolError(f"{done} of {target.size_bytes} bytes")


def _verify(target: _Target, partial: Path) -> None:
    """Compare with what the Hub states; a file that differs is removed, because going on from it never helps."""
    file, size = target.file, partial.stat().st_size
    expected = target.size_bytes
    if expected is not None and size != expected:
        partial.unlink()
        raise BadWeightsFile(
            f"{file.path} of {target.plan.model_id} came with {size:,} bytes instead of {expected:,}. "
            "Download it again."
        )
    digest: _Digest
    if file.sha256 is not None:
        digest, stated, kind = hashlib.sha256(), file.sha256, "sha256"
    elif file.git_oid is not None:
        # Git hashes a header before the content.
        digest, stated, kind = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), file.git_oid, "git digest"
    else:
        return
    with partial.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != stated:
        partial.unlink()
        raise BadWeightsFile(
            f"{file.path} of {target.plan.model_id} has the {kind} {digest.hexdigest()[:12]}… and the Hub states "
            f"{stated[:12]}…; what arrived was removed. Download it again; if that happens twice, distrust the mirror."
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
