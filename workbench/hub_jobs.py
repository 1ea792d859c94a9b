"""Work that waits for the Hub: searching it, pulling the catalog, fetching weights. Each is the work of one job."""

import datetime
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from catalog.added import add_model
from catalog.errors import Cancelled
from catalog.hub import PATIENT_HUB, DownloadPlan, DownloadProgress, HubPage, HubQuery, HubSort, download, iter_pages
from catalog.records import ModelQuery, SortKey
from catalog.update import UpdateProgress, update_catalog
from workbench.jobs import Job
from workbench.settings import Settings

HUB_MATCHES = 200
"""Models that one question to the Hub brings into the catalog."""
TEXT_GENERATION = "text-generation"
PULL_PAGE = 1000
"""Models asked for at once when the whole list is pulled; the Hub counts requests."""

_SORTS: dict[SortKey, HubSort] = {
    "downloads": "downloads",
    "likes": "likes",
    "trending": "trending",
    "rising": "trending",
    "released": "created",
    "updated": "updated",
}


class UpdateScope(NamedTuple):
    """What an update pulls."""

    task: str = TEXT_GENERATION
    """Pipeline tag."""
    trending: int | None = None
    """Only that many of the most trending; None pulls all."""

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.task}, {self.trending} trending" if self.trending is not None else self.task


class HubSearch:
    """Asks the Hub for models like those of a query and adds what it lists to the catalog."""

    def __init__(self, query: ModelQuery, settings: Settings, changed: Callable[[], None]) -> None:
        self._query = query
        self._settings = settings
        self._changed = changed

    def __call__(self, job: Job) -> None:
        """Do the work. Raises HubUnavailable."""
        job.update(unit="models", message="Asking the Hub")
        found = 0
        try:
            for page in iter_pages(hub_query(self._query), is_cancelled=job.is_cancelled):
                for model in page.models:
                    add_model(self._settings.catalog_folder, model)
                found += len(page.models)
                job.update(done=found)
        except Cancelled:
            pass
        finally:
            if found:
                self._changed()
        job.update(message=f"{found} models found")


class CatalogUpdate:
    """Pulls models from the Hub into the catalog, page by page; an interrupted pull goes on where it stopped."""

    def __init__(self, scope: UpdateScope, settings: Settings, changed: Callable[[], None]) -> None:
        self._scope = scope
        self._settings = settings
        self._changed = changed

    def __call__(self, job: Job) -> None:
        """Do the work. Raises HubUnavailable or CatalogError; what was pulled before stays for the next try."""
        scope = self._scope
        job.update(unit="models", message=f"Pulling {scope.title}", total=scope.trending or 0)

        def show(progress: UpdateProgress) -> None:
            resumed = f", {progress.resumed:,} of them from an earlier try" if progress.resumed else ""
            job.update(done=progress.models, message=f"{progress.stage}{resumed}")

        try:
            summary = update_catalog(
                partial(_pages, scope, job),
                self._settings.catalog_folder,
                scope=scope.title,
                now=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")[:19],
                on_progress=show,
                is_cancelled=job.is_cancelled,
            )
        except Cancelled:
            return
        self._changed()
        job.update(message=f"{summary.fetched:,} models fetched, {summary.models:,} in the catalog")


def _pages(scope: UpdateScope, job: Job, cursor: str | None) -> Iterator[HubPage]:
    """A whole list is pulled by age, the one order that keeps still while it is pulled."""
    query = HubQuery(
        task=scope.task,
        sort="trending" if scope.trending is not None else "created",
        limit=scope.trending,
        page_size=PULL_PAGE,
        files=False,
    )
    return iter_pages(query, cursor, hub=PATIENT_HUB, is_cancelled=job.is_cancelled)


class Download:
    """Fetches the files of a plan into the Hugging Face cache."""

    def __init__(self, plan: DownloadPlan) -> None:
        self._plan = plan

    def __call__(self, job: Job) -> None:
        """Do the work. Raises HubUnavailable, DownloadRefused or BadWeightsFile; what arrived stays."""
        job.update(unit="bytes", message=f"Fetching {self._plan.model_id}", total=self._plan.bytes_total)
        clock = RateClock()

        def show(progress: DownloadProgress) -> None:
            job.update(
                done=progress.bytes_done,
                total=progress.bytes_total,
                message=f"{progress.path}, {progress.files_done} of {progress.files_total} files done",
                remaining_seconds=clock.remaining(progress.bytes_done, progress.bytes_total),
            )

        try:
            download(self._plan, show, job.is_cancelled)
        except Cancelled:
            return


class RateClock:
    """Time left, from the rate since the first look."""

    def __init__(self) -> None:
        self._began: tuple[float, int] | None = None

    def remaining(self, done: int, total: int) -> float | None:
        """Seconds left; None until something has moved."""
        now = time.perf_counter()
        if self._began is None:
            self._began = (now, done)
        since, before = self._began
        if done <= before or now <= since:
            return None
        return (total - done) * (now - since) / (done - before)


def hub_query(query: ModelQuery) -> HubQuery:
    """The part of a query that the Hub itself can answer; the rest is filtered here afterwards."""
    return HubQuery(
        text=query.text,
        author=query.author,
        task=query.task,
        license=query.licenses[0] if query.licenses is not None and len(query.licenses) == 1 else None,
        library=query.library,
        format=query.format,
        language=query.language,
        min_parameters=query.min_parameters,
        max_parameters=query.max_parameters,
        gated=query.gated,
        sort=_SORTS.get(query.sort, "downloads"),
        limit=HUB_MATCHES,
    )
