"""An event loop on a thread of its own, for an engine that holds many connections and is asked from one thread.

Cancelling what was started here closes its connection at once, which a blocked thread could not.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class EventLoop:
    """Runs coroutines until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin; the future says how it ended, and cancelling it cancels the work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it and wait."""
        return self.start(work).result()

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """End everything that still runs, do what is left to do, and end the thread."""
        self.run(self._cancel_all())
        self.run(last)
        self.run(self._let_transports_close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    async def _let_transports_close(self) -> None:
        # A transport that was closed gives its socket back in one of the loop's next rounds.
        for _ in range(3):
            await asyncio.sleep(0)
