"""Lists of models, live: a query, its pages one after the other, and a cursor to go on later.

huggingface_hub's `list_models` follows the Link header itself but gives out neither cursor nor page (its issues #2741
and #4257), so the pages are asked for here. Some properties exist for one model only: the Hub refuses `baseModels`,
`childrenModelCount` and `usedStorage` in lists (huggingface_hub #3182); parents are read from tags and card instead.
Judges nothing and stores nothing.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from catalog.hub.client import DEFAULT_HUB, Hub, ask_json, stop_if_cancelled
from catalog.hub.errors import not_json
from catalog.hub.facts import model_from_answer
from catalog.records import Model, Record

HubSort = Literal["trending", "downloads", "likes", "updated", "created"]
_SORTS: dict[HubSort, str] = {
    "trending": "trendingScore",
    "downloads": "downloads",
    "likes": "likes",
    "updated": "lastModified",
    "created": "createdAt",
}
_EXPANDED = (
    "cardData",
    "config",
    "createdAt",
    "downloads",
    "gated",
    "lastModified",
    "library_name",
    "likes",
    "pipeline_tag",
    "safetensors",
    "sha",
    "tags",
    "trendingScore",
)
_EXPANDED_FILES = ("gguf", "siblings")
"""Names of files, and the header of one GGUF file with its whole chat template."""


class HubQuery(Record):
    """Filters and order of a live search. None means: no filter. All filters must hold."""

    text: str | None = None
    """Part of the id."""
    author: str | None = None
    """Owner of the repository."""
    task: str | None = None
    """Pipeline tag, such as `text-generation`."""
    license: str | None = None
    """License id as the Hub spells it."""
    library: str | None = None
    """Library tag, such as `transformers`."""
    format: str | None = None
    """Weight format as a tag: `gguf`, `safetensors`, `onnx`, `mlx` …"""
    app: str | None = None
    """Program that can run it: `llama.cpp`, `vllm`, `ollama` …"""
    language: str | None = None
    """Language code that the card lists."""
    base_model: str | None = None
    """Id of a parent."""
    tags: tuple[str, ...] = ()
    """Any other tags that must be there."""
    min_parameters: int | None = Field(default=None, ge=0)
    """Smallest number of weights, as the Hub counts them."""
    max_parameters: int | None = Field(default=None, ge=0)
    """Largest number of weights, as the Hub counts them."""
    gated: bool | None = None
    """True keeps only gated models, False only open ones."""
    sort: HubSort = "trending"
    """Order, most first. `created` is the one that stays put while the whole list is pulled."""
    limit: int | None = Field(default=None, gt=0)
    """Most models; None means all."""
    page_size: int = Field(default=100, gt=0, le=1000)
    """Models asked for at once; the Hub counts requests, so pull the whole list with 1000."""
    files: bool = True
    """Whether the names of files and GGUF headers are asked for; pages grow tenfold with them."""


class HubPage(Record):
    """One page of a list."""

    models: tuple[Model, ...]
    """In the Hub's order."""
    next_cursor: str | None
    """Give it to `iter_pages` with the same query to go on after this page; None on the last page."""
    total_seen: int = Field(ge=0)
    """Models of this page and those before it in this call."""
    skipped: int = Field(default=0, ge=0)
    """Entries of this page that were no model."""


def iter_pages(
    query: HubQuery,
    cursor: str | None = None,
    *,
    hub: Hub = DEFAULT_HUB,
    is_cancelled: Callable[[], bool] | None = None,
) -> Iterator[HubPage]:
    """The pages of a list, from the start or after `cursor`, each asked for only when it is wanted.

    Raises HubUnavailable, or Cancelled as soon as `is_cancelled` says so; the last page's cursor stays good.
    """
    hub = hub if is_cancelled is None else hub._replace(is_cancelled=is_cancelled)
    asked: str | list[tuple[str, str]] = cursor if cursor is not None else query_pairs(query)
    origin = f"Hub API, list of models, {datetime.now(UTC).date()}"
    seen = 0
    while True:
        answer = ask_json(hub, "/api/models", asked)
        if not isinstance(answer.document, list):
            raise not_json("the list of models", "JSON, but no list")
        left = None if query.limit is None else query.limit - seen
        entries = answer.document if left is None else answer.document[:left]
        models = tuple(model for entry in entries if (model := _read(entry, origin)) is not None)
        seen += len(entries)
        # A server that names the same page again would never end.
        more = answer.next_query if answer.next_query != asked and answer.document else None
        enough = query.limit is not None and seen >= query.limit
        yield HubPage(models=models, next_cursor=more, total_seen=seen, skipped=len(entries) - len(models))
        if more is None or enough:
            return
        stop_if_cancelled(hub)
        asked = more


def search_hub(
    query: HubQuery,
    on_page: Callable[[HubPage], None] | None = None,
    *,
    hub: Hub = DEFAULT_HUB,
    is_cancelled: Callable[[], bool] | None = None,
) -> Iterator[Model]:
    """The models that match, in the Hub's order; `on_page` is told of each page as it arrives. Raises as iter_pages."""
    for page in iter_pages(query, hub=hub, is_cancelled=is_cancelled):
        if on_page is not None:
            on_page(page)
        yield from page.models


def query_pairs(query: HubQuery) -> list[tuple[str, str]]:
    """The query as the Hub's API wants it (parameters of HfApi.list_models in huggingface_hub 2.4)."""
    filters = [
        *(f"license:{query.license}" for _ in [0] if query.license),
        *(f"base_model:{query.base_model}" for _ in [0] if query.base_model),
        *(text for text in (query.library, query.format, query.language) if text),
        *query.tags,
    ]
    size = query.page_size if query.limit is None else min(query.page_size, query.limit)
    single = {
        "search": query.text,
        "author": query.author,
        "pipeline_tag": query.task,
        "apps": query.app,
        "gated": None if query.gated is None else str(query.gated).lower(),
        "num_parameters": _range(query.min_parameters, query.max_parameters),
        "sort": _SORTS[query.sort],
        "limit": str(size),
    }
    expanded = (*_EXPANDED, *(_EXPANDED_FILES if query.files else ()))
    return [
        *(("filter", text) for text in filters),
        *((key, text) for key, text in single.items() if text is not None),
        *(("expand", name) for name in expanded),
    ]


def _range(low: int | None, high: int | None) -> str | None:
    """`min:6B,max:128B`, the syntax of the Hub's own page."""
    parts = [f"{name}:{_short(value)}" for name, value in (("min", low), ("max", high)) if value is not None]
    return ",".join(parts) or None


def _short(value: int) -> str:
    for unit, size in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return str(value)


def _read(entry: object, origin: str) -> Model | None:
    """One entry; None where it is no model at all. One broken entry of two million must not end the list."""
    if not isinstance(entry, dict):
        return None
    try:
        return model_from_answer(entry, origin=origin)
    except ValueError:
        return None
