"""What a live worker is told on its standard input, one JSON line an order: answer a request, or stop answering it."""

import os
import queue
import threading
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from catalog.records import Record
from runners.records import Request

LIVE = "--live"
"""Third argument of a worker that is to stay and answer orders, in place of the workloads of its spec."""


class AnswerOrder(Record):
    """Answer a request; those that come meanwhile wait."""

    order: Literal["answer"] = "answer"
    request: Request
    """What to answer."""


class StopOrder(Record):
    """Do not go on with a request, whether it is being answered or waits."""

    order: Literal["stop"] = "stop"
    request_id: str
    """Which one."""


Order = Annotated[AnswerOrder | StopOrder, Field(discriminator="order")]
"""One line."""

_order_adapter: TypeAdapter[Order] = TypeAdapter(Order)


class Inbox:
    """Orders of the parent, read on a thread of their own: a stop has to arrive while an answer is written."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._stopped: set[str] = set()

    def open(self) -> None:
        """Begin to read; on_end is called when nobody is left who could send an order."""
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def next_request(self) -> Request:
        """The next request, waited for."""
        return self._waiting.get()

    def is_stopped(self, request_id: str) -> bool:
        """Whether a request is not wanted any more."""
        return request_id in self._stopped

    def _read(self) -> None:
        rest = b""
        while piece := os.read(0, 65_536):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(_order_adapter.validate_json(line))
        self._on_end()

    def _take(self, order: Order) -> None:
        if isinstance(order, StopOrder):
            self._stopped.add(order.request_id)
        else:
            self._waiting.put(order.request)


def order_line(order: Order) -> bytes:
    """An order as it is sent."""
    return order.model_dump_json().encode() + b"\n"
