"""Generates many answers at once: continuous batching, a beginning that all prompts share, a place for each answer.

A finished answer's slot is refilled at once. Renders, tokenizes and samples nothing itself; times nothing.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runners.errors import EngineFailed
from runners.llama_cells import ROWS, CellLayout, aligned
from runners.llama_decoder import Entry, log_total
from runners.llama_model import LlamaModel
from runners.llama_regions import Regions
from runners.llama_sampling import Sampler
from runners.llama_scoring import common_prefix
from runners.llama_text import LlamaText
from runners.records import Chunk, NotYet, Request
from runners.stop_strings import StopStrings
from runners.utf8_pieces import Utf8Pieces


@dataclass(frozen=True)
class Bounds:
    """How much generation may take."""

    sequences: int
    """Sequences from 0 on; 0 is the shared beginning."""
    batch_tokens: int
    """Tokens decoded in one call."""
    cells: int
    """KV cache cells, shared by all sequences."""


class _Slot:
    """One request while it is decoded."""

    def __init__(self, request: Request, prompt: str, tokens: list[int], text: LlamaText) -> None:
        self.request = request
        self.prompt = tokens
        self.sampler = Sampler(text, request)
        self.place = 0
        self.decoded = 0
        self.next_token: int | None = None
        self.output_tokens = 0
        self.pieces = Utf8Pieces()
        self.splitter = text.splitter(prompt)
        self.stops = StopStrings(request.stop)

    @property
    def cells(self) -> int:
        """Most cells that it can need."""
        return len(self.prompt) + self.request.max_output_tokens

    @property
    def position(self) -> int:
        """Where the next token stands."""
        return self.decoded if self.next_token is None else len(self.prompt) + self.output_tokens - 1


class Generation:
    """Answers of one stream of requests."""

    def __init__(self, model: LlamaModel, bounds: Bounds, layout: CellLayout | None) -> None:
        """`layout` is None where nothing can be placed (recurrent layers)."""
        self._context = model.context
        self._decoder = model.decoder
        self._text = model.text
        self._bounds = bounds
        self._layout = layout
        self._regions: Regions | None = None
        self._shared = 0
        self._slots: list[_Slot] = []
        self._encoded: dict[str, list[int]] = {}
        """Tokens of prompts that are still to come, by request."""

    def run(self, requests: Iterable[Request | NotYet], at_once: int, sharing: Sequence[Request]) -> Iterator[Chunk]:
        """Chunks of all answers; `sharing` are the requests whose common beginning is computed once, if any."""
        self._decoder.clear()
        free = deque(range(self._prepare(at_once, sharing)))
        pending = iter(requests)
        waiting: _Slot | None = None
        try:
            while True:
                while free:
                    waiting = waiting or self._next(pending)
                    if waiting is None:
                        break
                    if waiting.cells > self._bounds.cells:
                        yield _overflow(waiting)
                        waiting.sampler.close()
                        waiting = None
                        continue
                    if not self._has_room(waiting):
                        break
                    self._admit(waiting, free.popleft())
                    waiting = None
                if not self._slots:
                    return
                for slot, chunk in self._step():
                    if chunk.finish_reason is not None:
                        self._release(slot)
                        free.append(slot.place)
                    yield chunk
        finally:
            for slot in (*self._slots, *((waiting,) if waiting is not None else ())):
                slot.sampler.close()
            self._slots = []
            self._decoder.clear()

    def _prepare(self, at_once: int, sharing: Sequence[Request]) -> int:
        """Decode what is shared and lay the regions out; gives how many answers grow at once."""
        most = max(1, min(at_once, self._bounds.sequences - 1))
        if not sharing:
            return most
        prompts = [self._encode(request) for request in sharing]
        self._encoded = {request.id: tokens for request, tokens in zip(sharing, prompts, strict=True)}
        needs = [len(tokens) + request.max_output_tokens for tokens, request in zip(prompts, sharing, strict=True)]
        fitting = [number for number, need in enumerate(needs) if need <= self._bounds.cells]
        prefix = common_prefix([prompts[number] for number in fitting])
        own = max((needs[number] for number in fitting), default=0) - len(prefix)
        if self._layout is None:
            self._decode_shared(prefix)
            return most
        room = self._bounds.cells - aligned(len(prefix)) - ROWS
        most = min(most, room // aligned(own), (self._bounds.sequences - 1) // 2) if own else 0
        if most < 1:
            # One answer needs nearly all cells: there is nothing to share them with.
            return 1
        self._layout.prepare()
        self._decode_shared(prefix)
        self._regions = Regions(self._context, self._decoder, self._layout, first_sequence=1)
        self._regions.lay_out(self._shared, own, most)
        return most

    def _decode_shared(self, prefix: list[int]) -> None:
        self._shared = len(prefix)
        list(self._decoder.decode_rows([Entry(token, position, (0,)) for position, token in enumerate(prefix)]))

    def _next(self, pending: Iterator[Request | NotYet]) -> _Slot | None:
        """The next request, once it is due; None where there is none, or none yet and others are under way."""
        request = next(pending, None)
        while isinstance(request, NotYet) and not self._slots:
            time.sleep(request.seconds)
            request = next(pending, None)
        if request is None or isinstance(request, NotYet):
            return None
        tokens = self._encoded.pop(request.id, None) or self._encode(request)
        return _Slot(request, self._text.render(request).text, tokens, self._text)

    def _encode(self, request: Request) -> list[int]:
        return self._text.encode(self._text.render(request).text)

    def _has_room(self, slot: _Slot) -> bool:
        if self._regions is not None:
            return True
        own = [other.cells - self._shared for other in (*self._slots, slot)]
        return self._shared + sum(own) <= self._bounds.cells

    def _admit(self, slot: _Slot, place: int) -> None:
        slot.place = place
        slot.decoded = self._shared
        if self._shared:
            self._decoder.share(0, place + 1)
        self._slots.append(slot)
        # Cells are handed out in the order of the rows.
        self._slots.sort(key=lambda other: other.place)

    def _release(self, slot: _Slot) -> None:
        self._slots.remove(slot)
        slot.sampler.close()
        if self._regions is None:
            self._decoder.forget(slot.place + 1)
        else:
            self._regions.close(slot.place)

    def _step(self) -> Iterator[tuple[_Slot, Chunk]]:
        """One call of the C library: the next token of every answer, and as much of new prompts as fits."""
        entries: list[Entry] = []
        owners: dict[int, _Slot] = {}
        room = self._bounds.batch_tokens - ROWS - sum(slot.next_token is not None for slot in self._slots)
        for slot in self._slots:
            first = slot.position
            if slot.next_token is not None:
                tokens = [slot.next_token]
            else:
                tokens = slot.prompt[first : first + max(0, room)]
                room -= len(tokens)
                slot.decoded += len(tokens)
            if not tokens:
                continue
            if self._regions is not None:
                self._regions.open(slot.place, first, first + len(tokens))
            ends = slot.next_token is not None or slot.decoded == len(slot.prompt)
            entries += [Entry(token, first + number, (slot.place + 1,)) for number, token in enumerate(tokens)]
            if ends:
                entries[-1] = entries[-1]._replace(wants_logits=True)
                owners[len(entries) - 1] = slot
        if self._regions is not None and self._layout is not None:
            self._layout.fill_rows(entries)
        found = []
        for index, row in self._decoder.decode_rows(entries):
            if index in owners:
                slot = owners[index]
                try:
                    found += [(slot, chunk) for chunk in self._advance(slot, row)]
                except EngineFailed as error:
                    found.append((slot, _failed(slot, str(error))))
        if self._layout is not None and self._regions is not None:
            self._layout.forget_rows()
        yield from found

    def _advance(self, slot: _Slot, row: int) -> Iterator[Chunk]:
        """Take the next token of an answer: one chunk, or two where thinking ends within a token."""
        logits = self._decoder.logits(row)
        token = slot.sampler.choose(self._context, row, logits, lambda token: self._is_outside(slot, token))
        ended = self._text.ends(token)
        if not ended:
            slot.output_tokens += 1
            slot.next_token = token
        pieces = [] if ended else list(slot.splitter.add(slot.pieces.add(self._text.piece(token))))
        parts = [(text if thinking else slot.stops.add(text), thinking) for text, thinking in pieces]
        finished = ended or slot.stops.reached or slot.output_tokens >= slot.request.max_output_tokens
        if finished and not slot.stops.reached:
            rest = [*slot.splitter.add(slot.pieces.flush()), *slot.splitter.flush()]
            parts += [(text if thinking else slot.stops.add(text), thinking) for text, thinking in rest]
            parts.append((slot.stops.flush(), False))
        parts = _joined(parts)
        for number, (text, thinking) in enumerate(parts):
            last = number == len(parts) - 1
            stopped = ended or slot.stops.reached
            yield Chunk(
                request_id=slot.request.id,
                text=text,
                tokens=int(last and not ended),
                thinking=thinking,
                logprobs=(float(logits[token]) - log_total(logits),)
                if slot.request.logprobs and last and not ended
                else (),
                finish_reason=("stop" if stopped else "length") if last and finished else None,
                prompt_tokens=len(slot.prompt) if last and finished else None,
                cached_tokens=self._shared if last and finished else None,
            )

    def _is_outside(self, slot: _Slot, token: int) -> bool:
        return slot.splitter.is_outside_answer(self._text.piece(token).decode("utf-8", "replace"))


def _joined(parts: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Neighbours of one kind as one; at least one part, which may be empty."""
    joined: list[tuple[str, bool]] = []
    for text, thinking in parts:
        if joined and (not text or joined[-1][1] == thinking):
            joined[-1] = (joined[-1][0] + text, joined[-1][1])
        else:
            joined.append((text, thinking))
    return joined or [("", False)]


def _failed(slot: _Slot, reason: str) -> Chunk:
    return Chunk(request_id=slot.request.id, text="", tokens=0, finish_reason="failed", failure=reason)


def _overflow(slot: _Slot) -> Chunk:
    return Chunk(
        request_id=slot.request.id,
        text="",
        tokens=0,
        finish_reason="overflow",
        prompt_tokens=len(slot.prompt),
        cached_tokens=0,
    )
