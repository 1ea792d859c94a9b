"""Finds the two runs that a person names, and holds the second against the first. Computes nothing itself."""

from results import trouble
from results.errors import UnknownBenchmark
from results.records import Benchmark
from results.regression import Side, regress
from results.regression_records import Regression
from results.store import Store


class Regressions:
    """Comparisons of two stored runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def compare(self, first: str, second: str, margin: float | None = None) -> Regression:
        """Two runs, each named as `benchmark/candidate`, or as a benchmark alone where that leaves one choice.

        Raises UnknownBenchmark with near names, NothingToCompare without common examples.
        """
        named = [self._split(name) for name in (first, second)]
        names = _candidates(named[0], named[1])
        sides = [self._side(benchmark, name) for (benchmark, _), name in zip(named, names, strict=True)]
        return regress(sides[0], sides[1], margin)

    def _split(self, name: str) -> tuple[Benchmark, str | None]:
        """The benchmark, and the candidate where one is named."""
        stored = {benchmark.name: benchmark for benchmark in self._store.benchmarks()}
        if name in stored:
            return stored[name], None
        start, slash, candidate = name.partition("/")
        if start not in stored or not slash:
            runs = [f"{benchmark.name}/{each}" for benchmark in stored.values() for each in benchmark.candidates]
            raise UnknownBenchmark(trouble.unknown("benchmark or run", name, [*stored, *runs]))
        benchmark = stored[start]
        if candidate not in benchmark.candidates:
            what = f"candidate of benchmark {start!r} called"
            raise UnknownBenchmark(trouble.unknown(what, candidate, benchmark.candidates))
        return benchmark, candidate

    def _side(self, benchmark: Benchmark, candidate: str) -> Side:
        spec = self._store.run_spec(benchmark.name, candidate)
        run = self._store.run_measurements(benchmark.name, candidate)
        machine = benchmark.machine
        words = f"{machine.cpu}, {machine.logical_cores} cores" if machine else ""
        return Side(f"{benchmark.name}/{candidate}", spec, run, words)


def _candidates(first: tuple[Benchmark, str | None], second: tuple[Benchmark, str | None]) -> tuple[str, str]:
    """The two candidates: those named, else the one name that both have, else the only one of each."""
    (mine, named), (theirs, other_named) = first, second
    if named is not None and other_named is not None:
        return named, other_named
    if named is not None or other_named is not None:
        known = named or other_named or ""
        open_ = theirs if named is not None else mine
        found = known if known in open_.candidates else _only(open_)
        return (known, found) if named is not None else (found, known)
    common = [name for name in mine.candidates if name in theirs.candidates]
    if mine.name != theirs.name and len(common) == 1:
        return common[0], common[0]
    return _only(mine), _only(theirs)


def _only(benchmark: Benchmark) -> str:
    if len(benchmark.candidates) != 1:
        names = ", ".join(f"{benchmark.name}/{name}" for name in benchmark.candidates)
        raise UnknownBenchmark(f"Which candidate of {benchmark.name!r} is meant? Name one of: {names}.")
    return benchmark.candidates[0]
