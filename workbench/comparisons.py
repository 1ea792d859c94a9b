"""Comparisons of stored benchmarks, each made once and kept until something it rests on is another.

Resampling 4,000 examples of five candidates takes seconds, and every view of a benchmark asks for its comparison. What
is kept is given out again while neither the results file (whoever wrote to it), nor the profile, nor the catalog has
changed. Where the file has changed, what the comparison was made from is read again and compared, so that writes that
concern other benchmarks cost a read and no resampling. Holds no statistics and no SQL.
"""

import threading
from collections import OrderedDict, defaultdict
from typing import NamedTuple

from catalog.errors import WorkbenchError
from catalog.index import Index
from catalog.licenses import judge_license
from catalog.records import Candidate, FitSettings, Model, Profile, Verdict
from results.comparison import compare
from results.cost import with_costs
from results.ladder import ladder_of
from results.ladder_records import QuantizationLoss
from results.recommendation import Recommender
from results.records import Benchmark, BenchmarkComparison, CandidateSummary, RunMeasurements
from results.store import Store
from results.store_file import Stamp
from results.summary import summarise
from results.versions import other_version_notes
from runners.engine_options import LlamaCppOptions
from workbench.model_catalog import ModelCatalog

MOST_KEPT = 8
"""Comparisons kept; the one that was asked for longest ago goes first."""


class Compared(NamedTuple):
    """A comparison, and what it was made from."""

    comparison: BenchmarkComparison
    measurements: tuple[RunMeasurements, ...]
    recommender: Recommender


class _Stored(NamedTuple):
    """Everything in the results file that a comparison rests on."""

    benchmark: Benchmark
    measurements: tuple[RunMeasurements, ...]
    losses: tuple[QuantizationLoss, ...]
    otherwise: tuple[str, ...]


class _Kept(NamedTuple):
    stamp: Stamp
    profile: Profile
    catalog: Index
    stored: _Stored
    compared: Compared


class Comparisons:
    """Makes and keeps comparisons. Several threads may ask."""

    def __init__(self, store: Store, models: ModelCatalog) -> None:
        self._store = store
        self._models = models
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def of(self, benchmark: str) -> Compared:
        """All candidates of a benchmark and all their pairs. Raises UnknownBenchmark or NothingToCompare."""
        with self._lock:
            turn = self._locks[benchmark]
        # Who asks meanwhile waits for the same comparison instead of making another.
        with turn:
            kept = self._current(benchmark)
            with self._lock:
                self._kept[benchmark] = kept
                self._kept.move_to_end(benchmark)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            return kept.compared

    def _current(self, benchmark: str) -> _Kept:
        # The stamp first: what is written while the rest is read makes the next call read again.
        stamp, profile, index = self._store.stamp(), self._models.profile(), self._models.index()
        kept = self._kept.get(benchmark)
        as_before = kept is not None and kept.profile == profile and kept.catalog is index
        if kept is not None and as_before and kept.stamp == stamp:
            return kept
        stored = self._read(benchmark)
        if kept is not None and as_before and kept.stored == stored:
            return kept._replace(stamp=stamp)
        comparison, measurements = self._compare(stored, profile), stored.measurements
        compared = Compared(comparison, measurements, Recommender(comparison, measurements))
        return _Kept(stamp, profile, index, stored, compared)

    def _read(self, benchmark: str) -> _Stored:
        stored, measurements = self._store.benchmark(benchmark), self._store.measurements(benchmark)
        digests = {run.candidate.weights_sha256 for run in measurements} - {None}
        losses = self._store.losses({digest for digest in digests if digest is not None})
        return _Stored(stored, measurements, losses, self._store.measured_otherwise(benchmark))

    def _compare(self, stored: _Stored, profile: Profile) -> BenchmarkComparison:
        measurements = stored.measurements
        summaries = tuple(self._summary(run, profile) for run in measurements)
        notes = other_version_notes(stored.benchmark.name, stored.otherwise, len(measurements))
        prices = stored.benchmark.requirements.prices
        compared = with_costs(compare(stored.benchmark, summaries, measurements), prices)
        ladder = ladder_of([summary.candidate for summary in summaries], stored.losses)
        return compared.model_copy(update={"ladder": ladder, "notes": notes})

    def _summary(self, run: RunMeasurements, profile: Profile) -> CandidateSummary:
        candidate = run.candidate
        model = self._measured_model(candidate)
        predicted = None
        if model is not None and isinstance(run.options, LlamaCppOptions):
            settings = FitSettings(
                quantization=candidate.quantization or "Q4_K_M", context_tokens=run.options.context_tokens
            )
            predicted = self._models.predict(model, settings, candidate.weights_bytes or None).total_bytes
        return summarise(run, self._verdict(candidate, model, profile), predicted)

    def _measured_model(self, candidate: Candidate) -> Model | None:
        for name in (candidate.model_id, candidate.weights_path):
            try:
                return self._models.find(name) if name else None
            except WorkbenchError:
                continue
        return None

    def _verdict(self, candidate: Candidate, model: Model | None, profile: Profile) -> Verdict:
        if model is not None and model.license is not None:
            return self._models.verdict(model, profile)
        return judge_license(candidate.license, profile, license_name=candidate.license_name)
