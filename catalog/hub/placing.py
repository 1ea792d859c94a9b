"""Hands a file to huggingface_hub: to put a finished blob in its place, or to fetch what only Xet storage serves.

Its own code knows the layout of the cache, links where the system has links and copies where it has none. Progress and
cancelling reach it through the class that it takes for tqdm. Resumes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download

from catalog.errors import HubUnavailable
from catalog.hub.client import Hub, stop_if_cancelled
from catalog.hub.errors import EXPECTED, explained
from catalog.hub.plan import DownloadPlan, PlannedFile


def place(hub: Hub, plan: DownloadPlan, file: PlannedFile, on_bytes: Callable[[int], None]) -> Path:
    """Path of the file under its own name. `on_bytes` gets the bytes so far, if any are fetched.

    Raises HubUnavailable, ModelNotFound or Cancelled.
    """
    large = file.size_bytes is not None and file.size_bytes > hub.largest_http_bytes
    try:
        path = hf_hub_download(
            plan.model_id,
            file.path,
            revision=plan.revision,
            cache_dir=hub.cache_folder,
            endpoint=hub.endpoint,
            tqdm_class=_bar_class(hub, on_bytes),
        )
    except (*EXPECTED, ConnectionError, RuntimeError) as error:
        # hf_xet raises Python's own kinds of errors.
        if large and isinstance(error, (ValueError, ConnectionError, RuntimeError)):
            raise HubUnavailable(
                f"{file.path} has {file.size_bytes:,} bytes; the Hub serves files of that size through its Xet storage "
                f"only, and that failed ({type(error).__name__}). Install hf_xet, unset HF_HUB_DISABLE_XET, check that "
                "the network reaches xethub.hf.co, or choose a model that comes in parts."
            ) from error
        raise explained(error, plan.model_id, plan.revision) from error
    return Path(path)


def _bar_class(hub: Hub, on_bytes: Callable[[int], None]) -> Any:
    class Bar:
        """As much of tqdm as huggingface_hub uses."""

        total: Any = None
        n = 0

        def __init__(self, *_: Any, **options: Any) -> None:
            # Of Xet's two bars, the one of bytes received is not what lies on the disk.
            self._counts = "downloading bytes" not in str(options.get("desc"))

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            return

        def update(self, n: float | None = 1) -> None:
            stop_if_cancelled(hub)
            self.n += int(n or 0)
            if self._counts:
                on_bytes(self.n)

        def set_postfix_str(self, *_: Any, **__: Any) -> None:
            return

        def refresh(self) -> None:
            return

        def close(self) -> None:
            return

    return Bar
