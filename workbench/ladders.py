"""The service's part on quantization ladders: make the rungs of a model, measure how far each lies from a reference.

Both keep the processor busy, so they wait for a benchmark that is running: they would spoil its times.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from catalog.gguf_file import GgufFacts, read_gguf
from runners.divergence import measure_pass, usable_threads
from runners.divergence_records import DivergencePass
from runners.errors import EngineFailed
from runners.prompts import example_request
from runners.records import TestSet, Workload
from workbench.ladder_records import DivergenceReport, Ladder, MeasuredRung, Rung
from workbench.model_catalog import ModelCatalog
from workbench.quantize_ladder import make_ladder, plan_ladder
from workbench.settings import Settings

ChunkListener = Callable[[str, int, int], None]
"""Called with the name of a file, its chunks done and its chunks in all."""

_MIN_CONTEXT = 16


def _ignore() -> None:
    """Nobody wants to know that this waits."""


class Ladders:
    """Ladders over one data directory."""

    def __init__(self, settings: Settings, models: ModelCatalog) -> None:
        self._settings = settings
        self._models = models

    def plan(
        self, model: str, names: Sequence[str], *, quantize_from: str | None = None, output: Path | None = None
    ) -> Ladder:
        """What would be made, how large, and what is there already. Raises ModelNotFound, EngineFailed."""
        return plan_ladder(model, names, self._settings, self._models, quantize_from=quantize_from, output=output)

    def make(
        self,
        ladder: Ladder,
        on_rung: Callable[[Rung], None] = lambda _rung: None,
        on_wait: Callable[[], None] = _ignore,
    ) -> Ladder:
        """Write the planned rungs; each appears whole or not at all. Raises EngineFailed."""
        if all(rung.state != "planned" for rung in ladder.rungs):
            return ladder
        with self._device(on_wait):
            return make_ladder(ladder, self._settings, on_rung)

    def measure(
        self,
        files: Sequence[Path],
        text: Path | TestSet,
        *,
        context_tokens: int = 512,
        on_chunk: ChunkListener = lambda _name, _done, _total: None,
        on_wait: Callable[[], None] = _ignore,
    ) -> DivergenceReport:
        """Perplexity of every file and its divergence from the first, over a text file or the prompts of a test set.

        Raises EngineFailed (too little text, another model, a full disk) and BadWeightsFile.
        """
        if context_tokens < _MIN_CONTEXT:
            raise EngineFailed(f"A context of {context_tokens} tokens is too short to predict from; {_MIN_CONTEXT} is "
                               "the least, 512 is usual.")  # fmt: skip
        found = [read_gguf(file.expanduser().absolute()) for file in files]
        with self._device(on_wait), tempfile.TemporaryDirectory(prefix="divergence-", dir=self._settings.home) as name:
            folder = Path(name)
            text_path = _write_text(text, folder)
            rungs = tuple(
                _measure(facts, text_path, folder / "base", number == 0, context_tokens, on_chunk)
                for number, facts in enumerate(found)
            )
        return DivergenceReport(
            text=f"test set {text.name}" if isinstance(text, TestSet) else str(text),
            context_tokens=context_tokens,
            rungs=rungs,
            notes=_notes(rungs),
        )

    @contextlib.contextmanager
    def _device(self, on_wait: Callable[[], None]) -> Iterator[None]:
        lock = FileLock(self._settings.device_lock_path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _measure(
    facts: GgufFacts, text: Path, base: Path, is_reference: bool, context_tokens: int, on_chunk: ChunkListener
) -> MeasuredRung:
    path = Path(facts.path)
    result = measure_pass(
        DivergencePass(
            model_path=path,
            text_path=text,
            base_folder=base,
            is_reference=is_reference,
            context_tokens=context_tokens,
            threads=usable_threads(),
        ),
        lambda done, total: on_chunk(path.name, done, total),
    )
    return MeasuredRung(
        path=facts.path,
        quantization=facts.quantization,
        size_bytes=facts.size_bytes,
        bits_per_weight=facts.tensor_bytes * 8 / facts.parameters if facts.parameters else None,
        loss=result.loss,
        divergence=result.divergence,
    )


def _write_text(text: Path | TestSet, folder: Path) -> Path:
    """A copy as UTF-8, so that what is measured cannot change between two models."""
    if isinstance(text, TestSet):
        content = _prompts(text)
    else:
        try:
            content = text.expanduser().read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise EngineFailed(f"{text} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
        except OSError as error:
            raise EngineFailed(f"The text {text} cannot be read: {error.strerror}. Name a text file.") from error
    copy = folder / (Path(text.name).name + (".txt" if isinstance(text, TestSet) else ""))
    copy.write_text(content, encoding="utf-8", newline="")
    return copy


def _prompts(test_set: TestSet) -> str:
    """Every prompt with its right answer, a blank line between examples, without a chat template."""
    parts = []
    for example in test_set.examples:
        request = example_request(test_set, example, Workload(kind="accuracy"))
        turns = [message.content for message in request.messages]
        parts.append("\n".join([*turns, request.answer_prefix + example.target]))
    return "\n\n".join(parts)


def _notes(rungs: Sequence[MeasuredRung]) -> tuple[str, ...]:
    reference = rungs[0].bits_per_weight
    finer = [
        Path(rung.path).name
        for rung in rungs[1:]
        if reference is not None and rung.bits_per_weight is not None and rung.bits_per_weight > reference
    ]
    if not finer:
        return ()
    return (
        f"{', '.join(finer)} has more bits per weight than the reference: its distance says what the reference lost as "
        "well. Put the least quantized file first.",
    )
