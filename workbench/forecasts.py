"""The service's part on predictions: what a benchmark will take in time, memory and disk, before it starts.

Touches no model, starts nothing and asks nobody: sizes come from the catalog and from files that are here, speeds from
stored runs of this machine (results/forecast.py).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from catalog.errors import WorkbenchError
from catalog.hub import DEFAULT_HUB
from catalog.memory import predict_fit
from catalog.packaged import packaged_weights
from catalog.records import Fit, FitSettings, FitValue, Machine, Model, Record, Speed
from catalog.speed import predict_speed
from results import numbers
from results.forecast import forecast_time, total_time
from results.forecast_records import (
    AskedRun,
    AskedWork,
    CandidateForecast,
    Forecast,
    Obstacle,
    PastWork,
)
from results.store import Store
from runners.engine_options import LlamaCppOptions, VllmOptions
from runners.levels import levels_of, planned_requests, requests_at
from runners.prompts import choices_of, chooses, example_request
from runners.records import JUDGED_KINDS, Workload
from runners.test_set_records import TestSet
from workbench.candidates import candidate_name, local_weights, planned_runs, weights_path
from workbench.model_catalog import ModelCatalog
from workbench.records import BenchmarkDefinition, CandidateDefinition, PreparedBenchmark
from workbench.settings import Settings
from workbench.test_set_book import TestSetBook
from workbench.test_sets import prepare_benchmark

_EXAMPLES_READ = 100
"""Examples whose prompts are rendered for their length."""
_LETTERS_PER_TOKEN = 4.0
"""Of English; the range of the prediction is wider than the difference to other languages."""
_LEVELS_AT_LEAST = 2
"""A load sweep needs two levels to see that throughput stops gaining."""


class _Prompts(Record):
    """How long the prompts of a test set are, in tokens as far as letters tell."""

    test_set: TestSet
    whole: float
    """Mean of a whole prompt."""
    own: float
    """Mean without what all prompts begin with, which a prefix cache computes once."""
    answers: float
    """Mean of all answers that are scored."""
    longest_answer: float
    """The longest label or choice."""
    content_hash: str
    """Of the test set."""


class _Weights(Record):
    """Weights of a candidate, as far as they are known without a download."""

    candidate: CandidateDefinition
    model: Model | None
    is_here: bool
    size_bytes: int | None
    problem: str = ""
    """Why they cannot be used."""


class Forecasts:
    """Predicts benchmarks of one data directory on this machine."""

    def __init__(self, settings: Settings, models: ModelCatalog, test_sets: TestSetBook, store: Store) -> None:
        self._settings = settings
        self._models = models
        self._test_sets = test_sets
        self._store = store
        self._read: tuple[str, _Prompts] | None = None
        self._past: tuple[int, tuple[PastWork, ...]] | None = None

    def of(self, definition: BenchmarkDefinition, folder: Path | None = None) -> Forecast:
        """What a benchmark will take. `folder` is where relative paths start.

        Raises BadTestSet or BadTemplate where the test set cannot be measured.
        """
        folder = folder or Path()
        prompts = self._prompts(definition, folder)
        machine = self._models.machine()
        past = self._past_work(machine)
        runs = tuple(
            self._candidate(self._weights(run.candidate, folder), definition, prompts, machine, past)
            for run in planned_runs(definition)
        )
        low, high, unknown = total_time([run.time for run in runs])
        return Forecast(
            candidates=runs,
            low_seconds=low,
            high_seconds=high,
            unknown=unknown,
            warnings=self._disk(definition, runs),
        )

    def memory(self, prepared: PreparedBenchmark) -> dict[str, int]:
        """Predicted bytes by candidate's name, of those where it is known."""
        machine = self._models.machine()
        folder = Path(prepared.source).parent if prepared.source else self._settings.home
        found = {}
        for run in planned_runs(prepared.definition):
            fit, _ = _memory(self._weights(run.candidate, folder), machine)
            if fit is not None and fit.total_bytes is not None:
                found[candidate_name(run.candidate)] = fit.total_bytes
        return found

    def _candidate(
        self,
        weights: _Weights,
        definition: BenchmarkDefinition,
        prompts: _Prompts,
        machine: Machine,
        past: Sequence[PastWork],
    ) -> CandidateForecast:
        candidate = weights.candidate
        fit, speed = _memory(weights, machine)
        size = weights.size_bytes or (fit.weights_bytes if fit is not None else None)
        quantization = candidate.quantization
        asked = AskedRun(
            name=candidate_name(candidate),
            model_id=candidate.model,
            quantization=quantization,
            engine=candidate.engine,
            weights_bytes=size,
            test_set_hash=prompts.content_hash,
            workloads=tuple(_asked(workload, prompts) for workload in definition.workloads),
            speed=speed,
        )
        return CandidateForecast(
            name=asked.name,
            requests=sum(work.requests_high for work in asked.workloads),
            fit=fit,
            memory_words=_why_no_memory(candidate, fit),
            time=forecast_time(asked, past),
            download_bytes=0 if weights.is_here else size,
            warnings=tuple(_obstacles(asked.name, weights, fit, size)),
        )

    def _past_work(self, machine: Machine) -> tuple[PastWork, ...]:
        """What earlier runs took; read again only when the results file has changed."""
        path = self._settings.results_path
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        if self._past is None or self._past[0] != stamp:
            self._past = (stamp, self._store.past_work(machine.cpu, machine.logical_cores))
        return self._past[1]

    def _prompts(self, definition: BenchmarkDefinition, folder: Path) -> _Prompts:
        """Lengths of the prompts; read again only when the test set, its file or the prompt has changed."""
        names = {"name", "candidates", "requirements", "early_stopping", "shortlist"}
        key = definition.model_dump_json(exclude=names) + _stamp(definition, folder)
        if self._read is None or self._read[0] != key:
            prepared = prepare_benchmark(definition, folder, kept=self._test_sets)
            self._read = (key, _lengths(prepared.test_set))
        return self._read[1]

    def _weights(self, candidate: CandidateDefinition, folder: Path) -> _Weights:
        if candidate.engine in {"endpoint", "scripted"}:
            return _Weights(candidate=candidate, model=None, is_here=True, size_bytes=None)
        path = weights_path(candidate, folder)
        try:
            # The catalog would look for a name in the working directory too, where no run looks.
            model = self._models.find(str(path.absolute())) if path else self._models.index().find(candidate.model)
        except WorkbenchError as error:
            is_path = path is not None or Path(candidate.model).expanduser().is_absolute()
            problem = str(error) if is_path else ""
            return _Weights(candidate=candidate, model=None, is_here=is_path, size_bytes=None, problem=problem)
        here = model.kind == "local"
        source = candidate.quantize_from or candidate.quantization
        files = [file for file in model.weights_files if here or file.quantization == candidate.quantization]
        size = sum(file.size_bytes or 0 for file in files) or None
        if not here:
            found = [file for file in local_weights(candidate.model, self._settings) if _is(source, file.quantization)]
            here = bool(found) or bool(packaged_weights(candidate.model) and source is None)
            exact = [file.size_bytes for file in found if _is(candidate.quantization, file.quantization)]
            size = next((each for each in exact if each), size)
        return _Weights(candidate=candidate, model=model, is_here=here, size_bytes=size)

    def _disk(self, definition: BenchmarkDefinition, runs: Sequence[CandidateForecast]) -> tuple[Obstacle, ...]:
        """Whether what must be fetched has room."""
        # A candidate with several prompts is fetched once.
        each = max(1, len(definition.prompts))
        wanted = [run.download_bytes for run in runs[::each]]
        needed = sum(size or 0 for size in wanted)
        folder = next(path for path in (DEFAULT_HUB.cache_folder, *DEFAULT_HUB.cache_folder.parents) if path.exists())
        free = shutil.disk_usage(folder).free
        if needed > free:
            text = (
                f"The downloads need {numbers.bytes_(needed)} and {numbers.bytes_(free)} is free where they go "
                f"({folder}). Free some space, or leave a candidate out."
            )
            return (Obstacle(severity="failure", text=text),)
        return ()


def _is(wanted: str | None, quantization: str | None) -> bool:
    return wanted is None or wanted == quantization


def _stamp(definition: BenchmarkDefinition, folder: Path) -> str:
    """Changes when a file of the test set does."""
    names = [name for name in (definition.test_set.file, definition.test_set.few_shot) if name is not None]
    paths = [folder / Path(name).expanduser() for name in names]
    return "".join(f"{path.stat().st_mtime_ns}," for path in paths if path.exists())


def _lengths(test_set: TestSet) -> _Prompts:
    workload = Workload(kind="accuracy")
    step = max(1, len(test_set.examples) // _EXAMPLES_READ)
    examples = test_set.examples[::step]
    texts = [
        "".join(message.content for message in example_request(test_set, example, workload).messages)
        for example in examples
    ]
    shared = _shared_letters(min(texts), max(texts)) if len(texts) > 1 else 0
    answers = [[len(each) for each in choices_of(test_set, example)] for example in examples]
    mean = fmean(map(len, texts))
    return _Prompts(
        test_set=test_set,
        whole=mean / _LETTERS_PER_TOKEN,
        own=(mean - shared) / _LETTERS_PER_TOKEN,
        answers=fmean(sum(lengths) for lengths in answers) / _LETTERS_PER_TOKEN,
        longest_answer=max((max(lengths, default=0) for lengths in answers), default=0) / _LETTERS_PER_TOKEN,
        content_hash=test_set.content_hash,
    )


def _shared_letters(first: str, last: str) -> int:
    """How far the first and the last of sorted texts are alike, and so all between them."""
    return next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), 0)


def _asked(workload: Workload, prompts: _Prompts) -> AskedWork:
    """How much one workload asks, in tokens."""
    most = planned_requests(workload, len(prompts.test_set.examples))
    levels = levels_of(workload) if workload.kind in {"load_sweep", "arrivals"} else ()
    fewest = most
    if workload.kind == "load_sweep":
        fewest = sum(requests_at(workload, level) for level in levels[:_LEVELS_AT_LEAST])
    is_judged = workload.kind in JUDGED_KINDS
    prompt = prompts.own if is_judged else prompts.whole
    low, high = _answer_tokens(workload, prompts)
    if workload.synthetic is not None:
        prompt, low, high = workload.synthetic.input_tokens, *(2 * (workload.synthetic.output_tokens,))
    return AskedWork(
        kind=workload.kind,
        requests_low=fewest,
        requests_high=most,
        prompt_tokens=prompt,
        output_tokens_low=low,
        output_tokens_high=high,
        at_least_seconds=sum(requests_at(workload, rate) / rate for rate in levels)
        if workload.kind == "arrivals"
        else 0.0,
        loads=1 + workload.repeats if workload.kind == "load" else 0,
    )


def _answer_tokens(workload: Workload, prompts: _Prompts) -> tuple[float, float]:
    """Fewest and most tokens of an answer."""
    if chooses(prompts.test_set, workload) and workload.answers == "scored":
        return prompts.answers, prompts.answers
    if prompts.longest_answer:
        return min(prompts.longest_answer, workload.max_output_tokens), workload.max_output_tokens
    return workload.max_output_tokens / 10, workload.max_output_tokens


def _memory(weights: _Weights, machine: Machine) -> tuple[Fit | None, Speed | None]:
    candidate, model = weights.candidate, weights.model
    options = candidate.options
    if model is None or not isinstance(options, LlamaCppOptions | VllmOptions):
        return None, None
    own = model.weights_files[0].quantization if model.kind == "local" and model.weights_files else None
    is_llama = isinstance(options, LlamaCppOptions)
    settings = FitSettings(
        quantization=candidate.quantization or own or ("Q4_K_M" if is_llama else "BF16"),
        context_tokens=getattr(options, "context_tokens", None) or FitSettings().context_tokens,
        engine="llama-cpp" if is_llama else "vllm",
    )
    size = weights.size_bytes
    speed = predict_speed(model, machine, settings, weights_bytes=size)
    return predict_fit(model, machine, settings, weights_bytes=size), speed


def _why_no_memory(candidate: CandidateDefinition, fit: Fit | None) -> str:
    if candidate.engine == "endpoint":
        return "held by its server"
    if fit is None or fit.total_bytes is None:
        return "unknown: the facts for a prediction are not here"
    return ""


def _obstacles(name: str, weights: _Weights, fit: Fit | None, size: int | None) -> list[Obstacle]:
    found = []
    if weights.problem:
        found.append(Obstacle(severity="failure", text=f"{name} cannot start: {weights.problem}"))
    if fit is not None and fit.value in {FitValue.NO, FitValue.TIGHT}:
        needed, free = numbers.bytes_(fit.total_bytes), numbers.bytes_(fit.available_bytes)
        if fit.value == FitValue.NO:
            text = (
                f"{name} needs about {needed} and {free} is free: it will not load, or the machine comes to a crawl. "
                "Choose a smaller quantization or a shorter context, or close other programs."
            )
            found.append(Obstacle(severity="failure", text=text))
        else:
            text = f"{name} needs about {needed} of {free} that is free: it is tight. Close other programs first."
            found.append(Obstacle(severity="warning", text=text))
    if not weights.is_here:
        amount = f"{numbers.bytes_(size)} will be" if size else "its weights, of a size that is not known here, will be"
        found.append(
            Obstacle(severity="info", text=f"{name} is not on this machine: {amount} downloaded from the Hub first.")
        )
    return found
