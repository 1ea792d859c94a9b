"""Decides which files of a repository to fetch for one candidate, and refuses what needs a decision first.

Exact files only, never a whole repository: one GGUF with all its numbered parts, or safetensors with tokenizer and
configuration; pickles only when allowed, because loading them can run code; Python code never. Fetches no weights.
"""

import difflib
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from catalog.errors import DownloadRefused, HubUnavailable, ModelNotFound
from catalog.hub.cache import bytes_here, free_bytes
from catalog.hub.client import DEFAULT_HUB, Hub
from catalog.hub.details import HubModel, fetch_info
from catalog.hub.errors import page_of
from catalog.hub.files import (
    HubFile,
    companions,
    format_of,
    is_weights,
    main_pickles,
    main_safetensors,
    part_paths,
    quantization_of,
)
from catalog.records import Record


class PlannedFile(Record):
    """One file to fetch."""

    path: str
    """Inside the repository."""
    size_bytes: int | None
    """As the Hub states it."""
    sha256: str | None
    """Of the whole file; checked after the download."""
    git_oid: str | None
    """Git's digest, for small files; checked as well."""
    purpose: Literal["weights", "companion"]
    """Weights, or what an engine needs beside them."""


class DownloadPlan(Record):
    """What a download would fetch, at which revision, and what speaks for thinking twice."""

    model_id: str
    """The repository."""
    revision: str
    """Commit that pins every file."""
    files: tuple[PlannedFile, ...]
    """Weights first, in the order of their parts."""
    quantization: str | None
    """Of the weights."""
    bytes_total: int = Field(ge=0)
    """All files together."""
    bytes_missing: int = Field(ge=0)
    """Of them not on this machine yet."""
    bytes_free: int = Field(ge=0)
    """Free where the cache is, when the plan was made."""
    cache_folder: str
    """Where the files go."""
    notes: tuple[str, ...] = ()
    """Worth knowing before the download."""

    @property
    def fits_disk(self) -> bool:
        """Whether what is missing fits the free space."""
        return self.bytes_missing <= self.bytes_free


def plan_download(  # noqa: PLR0913 - two ways to choose, two permissions
    model_id: str,
    revision: str | None = None,
    *,
    quantization: str | None = None,
    files: Sequence[str] | None = None,
    allow_pickle: bool = False,
    allow_unsafe: bool = False,
    hub: Hub = DEFAULT_HUB,
) -> DownloadPlan:
    """The files for one quantization, or the named ones, pinned to a commit.

    Raises ModelNotFound naming what there is, DownloadRefused saying what must be allowed, HubUnavailable.
    """
    found = fetch_info(model_id, revision, hub=hub)
    weights = _named(found, files) if files is not None else _chosen(found, quantization)
    _check(found, weights, allow_pickle=allow_pickle, allow_unsafe=allow_unsafe)
    beside = companions(found.files, weights) if any(format_of(file.path) != "gguf" for file in weights) else ()
    beside = tuple(file for file in beside if file not in weights) if files is None else ()
    pinned = found.model.revision
    if pinned is None:
        raise HubUnavailable(f"The Hub did not state a revision for {model_id}, so nothing can be pinned. Try again.")
    everything = (*weights, *beside)
    total = sum(file.size_bytes or 0 for file in everything)
    here = sum(bytes_here(hub, model_id, pinned, file) for file in everything)
    return DownloadPlan(
        model_id=model_id,
        revision=pinned,
        files=tuple(_planned(file) for file in everything),
        quantization=quantization_of(weights[0].path)
        if format_of(weights[0].path) == "gguf"
        else found.model.quantization,
        bytes_total=total,
        bytes_missing=total - here,
        bytes_free=free_bytes(hub.cache_folder),
        cache_folder=str(hub.cache_folder),
        notes=_notes(found),
    )


def choose_gguf(files: Sequence[HubFile], model_id: str, quantization: str | None) -> tuple[HubFile, ...]:
    """The GGUF file of one quantization with all its parts. Raises ModelNotFound naming what there is."""
    sets = _gguf_sets(files)
    offered = ", ".join(sorted({quantization_of(path) or path for path in sets}))
    if not sets:
        raise ModelNotFound(
            f"{model_id} has no GGUF file. Look for a repository with GGUF in its name that was made from it, "
            "and name that one as model."
        )
    wanted = None if quantization is None else quantization.upper()
    fitting = [path for path in sets if wanted is None or quantization_of(path) == wanted]
    if not fitting:
        raise ModelNotFound(f"{model_id} has no {quantization} file. It offers: {offered}.")
    if len(fitting) > 1:
        what = "several files" if quantization is None else f"several files for {quantization}"
        raise ModelNotFound(f"{model_id} has {what}; name one quantization. It offers: {offered}.")
    return sets[fitting[0]]


def _gguf_sets(files: Sequence[HubFile]) -> dict[str, tuple[HubFile, ...]]:
    """First part → all parts that are there, for every GGUF model of a repository."""
    by_path = {file.path: file for file in files if format_of(file.path) == "gguf" and is_weights(file.path)}
    sets: dict[str, tuple[HubFile, ...]] = {}
    for path in by_path:
        parts = part_paths(path)
        sets[parts[0]] = tuple(by_path[part] for part in parts if part in by_path)
    return sets


def _chosen(found: HubModel, quantization: str | None) -> tuple[HubFile, ...]:
    """By quantization; without one, the original weights where there are any."""
    model, files = found.model, found.files
    safe = main_safetensors(files)
    own = (model.quantization or "").lower()
    if safe and (quantization is None or quantization.lower() == own):
        return safe
    has_gguf = any(format_of(file.path) == "gguf" for file in files)
    if has_gguf or quantization is not None:
        return _whole(choose_gguf(files, model.id, quantization), model.id)
    pickles = main_pickles(files)
    if pickles:
        return pickles
    kinds = ", ".join(model.formats) or "none that is known"
    raise ModelNotFound(
        f"{model.id} has no GGUF, safetensors or pickle weights (formats: {kinds}). Name another model."
    )


def _named(found: HubModel, names: Sequence[str]) -> tuple[HubFile, ...]:
    """The named files, each with the numbered parts that belong to it."""
    by_path = {file.path: file for file in found.files}
    paths = dict.fromkeys(part for name in names for part in part_paths(name))
    missing = [path for path in paths if path not in by_path]
    if missing:
        close = difflib.get_close_matches(missing[0], by_path, n=3, cutoff=0.4)
        hint = f" Close to it: {', '.join(close)}." if close else ""
        raise ModelNotFound(f"{found.model.id} has no file {missing[0]!r} at {found.model.revision}.{hint}")
    if not paths:
        raise ModelNotFound(f"No file of {found.model.id} was named. Name at least one, or a quantization.")
    return tuple(by_path[path] for path in paths)


def _whole(parts: tuple[HubFile, ...], model_id: str) -> tuple[HubFile, ...]:
    wanted = part_paths(parts[0].path)
    if len(parts) != len(wanted):
        raise ModelNotFound(
            f"{model_id} offers {len(parts)} of the {len(wanted)} parts of {parts[0].path}; the model is incomplete "
            "there. Choose another quantization."
        )
    return parts


def _check(found: HubModel, weights: Sequence[HubFile], *, allow_pickle: bool, allow_unsafe: bool) -> None:
    model_id = found.model.id
    code = [file.path for file in weights if file.path.endswith(".py")]
    if code:
        raise DownloadRefused(
            f"{code[0]} is code, and code from repositories is off here. Read it at {page_of(model_id)} and fetch it "
            "yourself if you trust it."
        )
    if found.flagged and not allow_unsafe:
        raise DownloadRefused(
            f"The Hub's scanners flag {', '.join(found.flagged[:3])} of {model_id} as unsafe. Choose another model, or "
            "allow unsafe files explicitly if you know why it is flagged."
        )
    pickles = [file.path for file in weights if format_of(file.path) == "pickle"]
    if pickles and not allow_pickle:
        raise DownloadRefused(
            f"{model_id} offers these weights as pickle only ({pickles[0]}), and loading a pickle can run code. "
            "Look for a safetensors or GGUF version, or allow pickles explicitly."
        )


def _notes(found: HubModel) -> tuple[str, ...]:
    model = found.model
    notes = []
    if model.gated:
        notes.append(f"Gated: its terms must be accepted at {page_of(model.id)} and HF_TOKEN must be set.")
    if model.remote_code:
        files = ", ".join(found.code) or "code named in config.json"
        notes.append(
            f"Loading it with transformers would need trust_remote_code and run {files}; that is off, and no code is "
            "fetched. GGUF weights, or an engine with built-in support for the architecture, need none."
        )
    if model.security == "unscanned":
        notes.append("The Hub's scanners have not finished with this revision.")
    return tuple(notes)


def _planned(file: HubFile) -> PlannedFile:
    return PlannedFile(
        path=file.path,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        git_oid=file.git_oid,
        purpose="weights" if is_weights(file.path) else "companion",
    )
