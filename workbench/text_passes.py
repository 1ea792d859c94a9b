"""The service's part on scorers that compare stored answers with the right ones by another model.

No run is done again. The model runs in a process of its own; what it finds becomes scores of the runs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from results.metrics import measured, metric_estimates
from results.store import Store
from runners.child_pass import Progress
from runners.engine_options import LlamaCppOptions
from runners.errors import EngineFailed
from runners.records import Completion, RunResult, Score, Validity
from runners.scorer_options import BertScoreOptions, EmbeddingSimilarityOptions, PassOptions
from runners.scorers.judgement import trouble
from runners.text_pass import TextPass, TextPassResult, check_installed, compare_texts
from workbench.candidates import resolve_candidate
from workbench.device import device
from workbench.model_catalog import ModelCatalog
from workbench.pass_records import PassedCandidate, PassReport
from workbench.records import CandidateDefinition
from workbench.settings import Settings

VERSION = "1"
"""Version of these scorers: changes whenever the same answer could get another score."""


class _Item(NamedTuple):
    """One stored answer with the places of its pairs; none where there is nothing to compare."""

    candidate: str
    completion: Completion
    pairs: tuple[int, ...]


class TextPasses:
    """Later scorers over one data directory."""

    def __init__(self, settings: Settings, models: ModelCatalog, store: Store) -> None:
        self._settings = settings
        self._models = models
        self._store = store

    def score(
        self,
        benchmark: str,
        wanted: TextPass,
        *,
        on_progress: Progress = lambda _done, _total: None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> PassReport:
        """Score every stored answer of the accuracy workload; `wanted` without texts.

        Raises UnknownBenchmark, EngineUnavailable, EngineFailed, and what a model's file can be refused for.
        """
        stored = self._store.benchmark(benchmark)
        check_installed(wanted.kind)
        having = {info.candidate for info in self._store.runs(benchmark) if info.completions}
        names = [name for name in stored.candidates if name in having]
        runs = {name: self._store.run_result(benchmark, name) for name in names}
        asked, items, without = _questions(runs)
        if not items:
            raise EngineFailed(f"The runs of {benchmark!r} hold no answers to examples that have a right answer.")
        sha256 = None
        if wanted.kind == "llama":
            wanted, sha256 = self._with_file(wanted)
        with device(self._settings, on_wait):
            update = {"texts": asked.texts, "pairs": asked.pairs}
            found = compare_texts(wanted.model_copy(update=update), on_progress)
        options = _options(wanted, found, sha256)
        for name in names:
            mine = [item for item in items if item.candidate == name]
            self._store.save_pass(benchmark, name, options, _scores(mine, found, options))
        return self._report(benchmark, options, found, without)

    def _with_file(self, wanted: TextPass) -> tuple[TextPass, str | None]:
        """The pass with its model's file on this machine, and the file's digest."""
        definition = CandidateDefinition(model=wanted.model, options=LlamaCppOptions())
        candidate = resolve_candidate(definition, Path.cwd(), self._settings, self._models.index())
        return wanted.model_copy(update={"model": candidate.weights_path}), candidate.weights_sha256

    def _report(self, benchmark: str, options: PassOptions, found: TextPassResult, without: int) -> PassReport:
        candidates = []
        for run in self._store.measurements(benchmark):
            if options.name not in {scorer.name for scorer in run.scorers}:
                continue
            place = [scorer.name for scorer in run.scorers].index(options.name)
            candidates.append(
                PassedCandidate(
                    name=run.candidate.name,
                    answers=sum(value is not None for value in run.scored[place].values),
                    metrics=tuple(
                        metric for metric in metric_estimates(measured(run)) if metric.scorer == options.name
                    ),
                )
            )
        return PassReport(
            benchmark=benchmark,
            scorer=options,
            candidates=tuple(candidates),
            without_target=without,
            notes=found.notes,
        )


class _Asked(NamedTuple):
    texts: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]


def _questions(runs: dict[str, RunResult]) -> tuple[_Asked, list[_Item], int]:
    """Every different text once, the pairs to compare, each answer with its pairs; examples without right answer."""
    places: dict[str, int] = {}
    pairs: dict[tuple[int, int], int] = {}
    items: list[_Item] = []
    without: set[str] = set()

    def pair(answer: str, target: str) -> int:
        asked = tuple(places.setdefault(text, len(places)) for text in (answer, target))
        return pairs.setdefault((asked[0], asked[1]), len(pairs))

    for name, run in runs.items():
        examples = {example.id: example for example in run.spec.test_set.examples}
        for event in run.completions:
            completion = event.completion
            example = examples.get(completion.example_id or "")
            if completion.workload != "accuracy" or example is None:
                continue
            targets = [target for target in example.targets if target.strip()]
            if not targets:
                without.add(example.id)
                continue
            is_answer = trouble(completion) is None
            asked = tuple(pair(completion.text, target) for target in targets) if is_answer else ()
            items.append(_Item(name, completion, asked))
    return _Asked(tuple(places), tuple(pairs)), items, len(without)


def _scores(items: Sequence[_Item], found: TextPassResult, options: PassOptions) -> list[Score]:
    """One score per answer, by the right answer that it is nearest to; an answer without text is 0."""
    decisive = "f1" if "f1" in found.columns else "cosine"
    scores = []
    for item in items:
        completion = item.completion
        best = max(item.pairs, key=lambda place: found.columns[decisive][place], default=None)
        counts = {name: 0.0 if best is None else column[best] for name, column in found.columns.items()}
        scores.append(
            Score(
                request_id=completion.request_id,
                example_id=completion.example_id or "",
                scorer=options.name,
                version=VERSION,
                validity=trouble(completion) or Validity.SCORED,
                value=min(1.0, max(0.0, counts[decisive])),
                counts=counts,
            )
        )
    return scores


def _options(wanted: TextPass, found: TextPassResult, sha256: str | None) -> PassOptions:
    if wanted.kind == "bert_score":
        return BertScoreOptions(model=found.model)
    return EmbeddingSimilarityOptions(model=found.model, sha256=sha256, pooling=found.pooling, prefix=wanted.prefix)
