"""The device belongs to one measurement at a time: waits for it on the calling thread. Jobs have `hold_device`."""

import contextlib
from collections.abc import Callable, Iterator

from filelock import FileLock, Timeout

from workbench.settings import Settings


@contextlib.contextmanager
def device(settings: Settings, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the device; `on_wait` is called once where somebody else does."""
    lock = FileLock(settings.device_lock_path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
