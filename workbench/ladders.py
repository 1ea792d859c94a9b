"""The service's part on quantization ladders: make the rungs of a model, measure how far each lies from a reference.

Both keep the processor busy, so they wait for a benchmark that is running: they would spoil its times.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.gguf_file import GgufFacts, file_sha256, read_gguf
from results.ladder_records import QuantizationLoss
from results.store import Store
from runners.divergence import measure_pass, usable_threads
from runners.divergence_records import DivergencePass
from runners.engine import engine_version
from runners.errors import EngineFailed
from runners.prompts import example_request
from runners.records import Workload
from runners.test_set_records import TestSet
from workbench.candidates import remembered_sha256
from workbench.clock import now
from workbench.device import device
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

    def __init__(self, settings: Settings, models: ModelCatalog, store: Store) -> None:
        self._settings = settings
        self._models = models
        self._store = store

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
        with device(self._settings, on_wait):
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

        What was found is kept, for the comparisons and reports of benchmarks whose candidates run on these files.
        Raises EngineFailed (too little text, another model, a full disk) and BadWeightsFile.
        """
        if context_tokens < _MIN_CONTEXT:
            raise EngineFailed(f"A context of {context_tokens} tokens is too short to predict from; {_MIN_CONTEXT} is "
                               "the least, 512 is usual.")  # fmt: skip
        found = [read_gguf(file.expanduser().absolute()) for file in files]
        with (
            device(self._settings, on_wait),
            tempfile.TemporaryDirectory(prefix="divergence-", dir=self._settings.home) as name,
        ):
            folder = Path(name)
            text_path = _write_text(text, folder)
            text_sha256 = file_sha256(text_path)
            rungs = tuple(
                self._rung(
                    facts,
                    DivergencePass(
                        model_path=Path(facts.path),
                        text_path=text_path,
                        base_folder=folder / "base",
                        is_reference=number == 0,
                        context_tokens=context_tokens,
                        threads=usable_threads(),
                    ),
                    on_chunk,
                )
                for number, facts in enumerate(found)
            )
        report = DivergenceReport(
            text=f"test set {text.name}" if isinstance(text, TestSet) else str(text),
            text_sha256=text_sha256,
            context_tokens=context_tokens,
            rungs=rungs,
            notes=_notes(rungs),
        )
        self._store.save_losses(_losses(report))
        return report

    def _rung(self, facts: GgufFacts, asked: DivergencePass, on_chunk: ChunkListener) -> MeasuredRung:
        result = measure_pass(asked, lambda done, total: on_chunk(asked.model_path.name, done, total))
        return MeasuredRung(
            path=facts.path,
            sha256=remembered_sha256(asked.model_path, self._settings),
            quantization=facts.quantization,
            size_bytes=facts.size_bytes,
            bits_per_weight=facts.tensor_bytes * 8 / facts.parameters if facts.parameters else None,
            loss=result.loss,
            divergence=result.divergence,
        )


def _losses(report: DivergenceReport) -> tuple[QuantizationLoss, ...]:
    """The report as it is stored: by digests, without paths."""
    reference = report.rungs[0]
    return tuple(
        QuantizationLoss(
            weights_sha256=rung.sha256,
            quantization=rung.quantization,
            size_bytes=rung.size_bytes,
            bits_per_weight=rung.bits_per_weight,
            reference_sha256=reference.sha256,
            reference_quantization=reference.quantization,
            text_sha256=report.text_sha256,
            text=Path(report.text).name,
            context_tokens=report.context_tokens,
            measured_at=now(),
            engine_version=engine_version("llama-cpp"),
            loss=rung.loss,
            divergence=rung.divergence,
        )
        for number, rung in enumerate(report.rungs)
        # A file held against itself is a check of the tool, not a figure of the file.
        if number == 0 or rung.sha256 != reference.sha256
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
