"""A worker that stays: keeps its model loaded and answers what it is told to, one request after the other.

For head-to-head, where a person asks again. Writes every piece of an answer with the time it came, judges nothing.
"""

from runners.errors import EngineFailed, RunnerError
from runners.live_orders import Inbox
from runners.records import (
    AnswerStopped,
    Chunk,
    ChunkArrived,
    CompletionDone,
    Failure,
    FailureHappened,
    Request,
    RequestRetried,
)
from runners.session import Session
from runners.stopwatch import RequestFailed, time_stream


class _Stopped(Exception):
    """A person stopped the answer."""


def answer_orders(session: Session, inbox: Inbox) -> None:
    """Answer what arrives, until the process is ended."""
    while True:
        request = inbox.next_request()
        if inbox.is_stopped(request.id):
            session.events.write(AnswerStopped(request_id=request.id))
        else:
            _answer(session, inbox, request)


def _answer(session: Session, inbox: Inbox, request: Request) -> None:
    events, stopwatch = session.events, session.stopwatch
    started = stopwatch.now()

    def show(chunk: Chunk) -> None:
        nonlocal started
        if chunk.retried is not None:
            started = stopwatch.now()
            events.write(RequestRetried(segment=session.segment, request_id=request.id, retry=chunk.retried))
        if chunk.text:
            events.write(
                ChunkArrived(
                    request_id=request.id,
                    text=chunk.text,
                    thinking=chunk.thinking,
                    tokens=chunk.tokens,
                    offset_seconds=stopwatch.now() - started,
                )
            )
        if chunk.finish_reason is None and inbox.is_stopped(request.id):
            raise _Stopped

    try:
        for _, outcome in time_stream(session.engine, (request,), stopwatch, on_chunk=show):
            if isinstance(outcome, RequestFailed):
                events.write(FailureHappened(failure=_failure(request, outcome.message)))
            else:
                completion = outcome.model_copy(update={"workload": "prompts", "segment": session.segment})
                events.write(CompletionDone(completion=completion))
    except _Stopped:
        events.write(AnswerStopped(request_id=request.id))
    except RunnerError as error:
        events.write(FailureHappened(failure=_failure(request, str(error), engine=isinstance(error, EngineFailed))))


def _failure(request: Request, message: str, *, engine: bool = True) -> Failure:
    return Failure(
        stage="request",
        kind="engine" if engine else "limit",
        message=message,
        hint="Ask again, or read the worker's log.",
        request_id=request.id,
    )
