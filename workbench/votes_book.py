"""The service's part on votes: what they say, how far they follow the scorers, and their export.

Which votes count is chosen here: of one batch, of one slice, of a benchmark's candidates. The figures are made in
results/standing.py and results/vote_agreement.py; the head-to-heads themselves are asked in workbench/head_to_head.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from results.errors import BadVoteFilter, NothingToCompare
from results.head_to_head_records import Ballot, BatchSummary, JudgedPair, RoundAnswer
from results.records import Benchmark, BenchmarkComparison
from results.standing import identified, in_slice, standing
from results.standing_records import HeadToHeadStanding
from results.store import Store
from results.vote_agreement import ScoredVote, vote_agreement
from runners.records import Completion, FinishReason, RunSpec, Validity
from runners.scorers.judging import judge
from runners.scorers.registry import open_scorer
from runners.test_set_records import digest
from workbench.benchmark_file import parse_benchmark
from workbench.candidates import candidate_name
from workbench.exports import Exports, Written
from workbench.records import CandidateDefinition
from workbench.vote_records import BenchmarkVotes

_STANDINGS_KEPT = 8


class VotesBook:
    """Votes of one data directory."""

    def __init__(self, store: Store, exports: Exports) -> None:
        self._store = store
        self._exports = exports
        self._said: dict[tuple[tuple[str, str, str], ...], HeadToHeadStanding] = {}

    def batches(self) -> tuple[BatchSummary, ...]:
        """Every batch and how far it is, newest first."""
        return self._store.head_to_head.batches()

    def ballots(self, *, batch: str | None = None, part: str | None = None) -> tuple[Ballot, ...]:
        """Votes that stand, oldest first: of one batch (id or name), of one slice such as `language=de`, or all.

        Raises UnknownHeadToHead and BadVoteFilter.
        """
        found = self._store.head_to_head.ballots(None if batch is None else self._store.head_to_head.batch(batch).id)
        return found if part is None else _of_slice(found, part)

    def say(self, ballots: Sequence[Ballot]) -> HeadToHeadStanding:
        """What these votes say; the last few standings are kept, because a page asks for the same again and again."""
        # A vote never changes: a correction is another vote, with an id of its own.
        key = tuple((each.id, each.left_name, each.right_name) for each in ballots)
        if key not in self._said:
            self._said = dict([*self._said.items()][1 - _STANDINGS_KEPT :]) | {key: standing(ballots)}
        return self._said[key]

    def csv(self, *, batch: str | None = None, without: Collection[str] = ()) -> str:
        """Every vote ever cast as CSV, but those of some batches."""
        with TemporaryDirectory() as folder:
            written = self._exports.write_votes(self._store.head_to_head, Path(folder) / "votes.csv", batch, without)
            return written.path.read_text(encoding="utf-8")

    def standing(self, *, batch: str | None = None, part: str | None = None) -> HeadToHeadStanding:
        """What these votes say. NothingToCompare where there are none; else as `ballots`."""
        return self.say(self.ballots(batch=batch, part=part))

    def that_judge(self, ballots: Sequence[Ballot], benchmarks: Sequence[Benchmark]) -> tuple[Benchmark, ...]:
        """Benchmarks on whose examples some of these votes compare two of their candidates; most votes first."""
        between = [each for each in ballots if each.left != each.right]
        on = {each.test_set_hash for each in between}
        counts: dict[str, int] = {}
        for benchmark in benchmarks:
            if benchmark.test_set_hash in on:
                names = self._names(benchmark)
                own = [each for each in between if each.test_set_hash == benchmark.test_set_hash]
                counts[benchmark.name] = sum({each.left, each.right} <= names.keys() for each in own)
        found = [each for each in benchmarks if counts.get(each.name)]
        return tuple(sorted(found, key=lambda each: -counts[each.name]))

    def of_benchmark(
        self, comparison: BenchmarkComparison, among: Sequence[Ballot] | None = None
    ) -> BenchmarkVotes | None:
        """The standing of a benchmark's candidates, and how far votes follow its scorer; None without votes on them.

        A vote belongs to a benchmark where both answers came from candidates that it has (the same model, revision,
        file, engine and options, whatever the name), without a system prompt or temperature of their own; on whatever
        prompt, in whatever batch. Votes kept before 0.5 belong to it by name. `among` leaves out all other votes.
        """
        names = self._names(comparison.benchmark)
        ballots = [_renamed(each, names) for each in identified(self._store.head_to_head.ballots())]
        if among is not None:
            wanted = {each.id for each in among}
            ballots = [each for each in ballots if each.id in wanted]
        own = [each for each in ballots if {each.left, each.right} <= names.keys()]
        if not any(each.left != each.right for each in own):
            return None
        found = self.say(own)
        judged = {each.name for group in found.groups for each in group.candidates}
        scored = self._scored(comparison, {each.id: each for each in own})
        shares = {each.name: each.share.value for group in found.groups[:1] for each in group.candidates}
        return BenchmarkVotes(
            benchmark=comparison.benchmark.name,
            standing=found,
            agreement=vote_agreement(scored, shares, _quality(comparison)),
            without_votes=tuple(name for name in names.values() if name not in judged),
        )

    def beside(self, comparison: BenchmarkComparison) -> BenchmarkVotes:
        """The same; NothingToCompare without votes on the benchmark's candidates."""
        found = self.of_benchmark(comparison)
        if found is None:
            name = comparison.benchmark.name
            raise NothingToCompare(
                f"No vote was cast between candidates of the benchmark {name!r}. Judge some of their answers in step "
                "Head-to-head first."
            )
        return found

    def export(self, path: Path, *, batch: str | None = None) -> Written:
        """Write every vote ever cast, with prompt and answers; the format follows the file's ending. ExportFailed."""
        shelf = self._store.head_to_head
        batch_id = None if batch is None else shelf.batch(batch).id
        return self._exports.write_votes(shelf, path.expanduser().absolute(), batch_id)

    def _names(self, stored: Benchmark) -> dict[str, str]:
        """Names of the benchmark's candidates by the key of their votes."""
        if not stored.definition:
            return {name: name for name in stored.candidates}
        definition = parse_benchmark(stored.definition, stored.source or stored.name)
        return {candidate_key(each): candidate_name(each) for each in definition.candidates}

    def _scored(self, comparison: BenchmarkComparison, ballots: Mapping[str, Ballot]) -> list[ScoredVote]:
        """Votes on the benchmark's examples, both answers judged by its first scorer; those it cannot judge are out."""
        pairs = self._store.head_to_head.judged_pairs(comparison.benchmark.test_set_hash)
        wanted = [pair for pair in pairs if pair.vote_id in ballots]
        if not wanted:
            return []
        name = comparison.benchmark.name
        spec = self._store.run_spec(name, comparison.candidates[0].candidate.name)
        return [
            ScoredVote(ballots[pair.vote_id], *values)
            for pair, values in zip(wanted, _judged(spec, wanted), strict=True)
            if values is not None
        ]


def candidate_key(definition: CandidateDefinition) -> str:
    """Says whose votes add up: the same model, file, engine and options, whatever the name."""
    return digest(definition.model_dump(mode="json", exclude={"name"}))


def _of_slice(ballots: Sequence[Ballot], part: str) -> tuple[Ballot, ...]:
    places = {(column, value) for each in ballots for column, value in each.slices.items()}
    known = sorted("=".join(place) for place in places)
    if "=" not in part:
        raise BadVoteFilter(f"{part!r} is no slice: write column=value{_such_as(known)}.")
    parts = part.split("=")
    # The name of a column may hold the sign too.
    splits = (("=".join(parts[:cut]).strip(), "=".join(parts[cut:]).strip()) for cut in range(1, len(parts)))
    found = next((tuple(in_slice(ballots, *place)) for place in splits if place in places), ())
    if not found:
        raise BadVoteFilter(f"No vote is on a prompt of the slice {part!r}{_such_as(known)}.")
    return found


def _such_as(known: Sequence[str]) -> str:
    return f"; slices with votes: {', '.join(known[:8])}" if known else "; no vote is on a prompt with slices"


def _renamed(ballot: Ballot, names: Mapping[str, str]) -> Ballot:
    """With the benchmark's names; an old vote's name becomes the key of the candidate that has it."""
    keys = {name: key for key, name in names.items()}
    left, right = (key if key in names else keys.get(key, key) for key in (ballot.left, ballot.right))
    return ballot.model_copy(
        update={
            "left": left,
            "right": right,
            "left_name": names.get(left, ballot.left_name),
            "right_name": names.get(right, ballot.right_name),
        }
    )


def _quality(comparison: BenchmarkComparison) -> dict[str, float]:
    return {
        summary.candidate.name: summary.quality.estimate.value * (1 if summary.quality.higher_is_better else -1)
        for summary in comparison.candidates
        if summary.quality is not None
    }


def _judged(spec: RunSpec, pairs: Sequence[JudgedPair]) -> list[tuple[float, float] | None]:
    """What the test set's first scorer gives both answers of each pair; None where it cannot judge one of them."""
    if not spec.test_set.scorers:
        return [None] * len(pairs)
    examples = {example.id: example for example in spec.test_set.examples}
    scorer = open_scorer(spec.test_set.scorers[0])

    def value(answer: RoundAnswer, example_id: str) -> float | None:
        example = examples.get(example_id)
        if example is None:
            return None
        scores, _ = judge([scorer], _completion(answer, example_id), example, spec.asked)
        if not scores or scores[0].validity in {Validity.FAILED, Validity.SKIPPED}:
            return None
        return (scores[0].value or 0.0) if scores[0].validity == Validity.SCORED else 0.0

    try:
        values = [(value(pair.left, pair.example_id), value(pair.right, pair.example_id)) for pair in pairs]
    finally:
        scorer.close()
    return [None if left is None or right is None else (left, right) for left, right in values]


def _completion(answer: RoundAnswer, example_id: str) -> Completion:
    reason: FinishReason = "length" if answer.finish_reason == "length" else "stop"
    return Completion(
        request_id=f"{answer.round_id}-{answer.slot}",
        workload="prompts",
        example_id=example_id,
        text=answer.text,
        finish_reason=reason,
        method="generated",
        prompt_tokens=0,
    )
