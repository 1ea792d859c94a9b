"""Stopping candidates that can no longer win: the bet against its closed form and in simulations, races, whole runs."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from results.sequential import LosingBet
from runners.asking_order import shuffled
from runners.records import (
    Completion,
    CompletionDone,
    Failure,
    FailureHappened,
    RunResult,
    RunSpec,
    Score,
    Validity,
    Workload,
    WorkloadStarted,
)
from runners.test_set_records import Example, TestSet
from tests.making import make_examples, make_spec, make_test_set
from tests.test_cli import printed, workbench
from workbench.early_stopping import EarlyStops, Race
from workbench.errors import BadBenchmarkFile
from workbench.records import EarlyStopping

SETS, EXAMPLES, ALPHA = 1_000, 150, 0.05


def highest(differences: np.ndarray, margin: float = 0.0) -> tuple[float, int]:
    """Largest e-value of a test set that is looked at after every example, and when 1/α was first reached."""
    bet, most, when = LosingBet(margin), 0.0, len(differences)
    for place, difference in enumerate(differences):
        bet.add(float(difference))
        most = max(most, bet.e_value)
        if bet.e_value >= 1 / ALPHA:
            return most, place + 1
    return most, when


@settings(max_examples=30)
@given(st.lists(st.booleans(), max_size=120))
def test_for_right_and_wrong_the_bet_is_the_mixture_of_binomials(losses: list[bool]) -> None:
    bet = LosingBet()
    for lost in losses:
        bet.add(1.0 if lost else -1.0)
        bet.add(0.0)
    wins, lost_count = losses.count(False), losses.count(True)
    closed = (
        (len(losses) + 1) * math.log(2)
        + special.betaln(wins + 1, lost_count + 1)
        + math.log(special.betainc(wins + 1, lost_count + 1, 0.5))
    )
    assert math.log(bet.e_value) == pytest.approx(closed, abs=1e-9)


def test_the_error_rate_is_kept_however_often_one_looks() -> None:
    rng = np.random.default_rng(1)
    wrong = {"right or wrong": 0, "scores": 0, "exactly at the margin": 0}
    for _ in range(SETS):
        ours, theirs = rng.random(EXAMPLES) < 0.7, rng.random(EXAMPLES) < 0.7
        wrong["right or wrong"] += highest(theirs * 1.0 - ours)[0] >= 1 / ALPHA
        scores = rng.beta(2, 1, EXAMPLES), rng.beta(4, 2, EXAMPLES)
        wrong["scores"] += highest(scores[0] - scores[1])[0] >= 1 / ALPHA
        better = rng.random(EXAMPLES) < 0.8
        wrong["exactly at the margin"] += highest(better * 1.0 - ours, margin=0.1)[0] >= 1 / ALPHA
    for what, count in wrong.items():
        assert count / SETS <= ALPHA, (what, count)


def test_a_candidate_that_is_clearly_worse_is_stopped_after_part_of_the_examples() -> None:
    rng = np.random.default_rng(2)
    asked = [highest((rng.random(EXAMPLES) < 0.85) * 1.0 - (rng.random(EXAMPLES) < 0.5))[1] for _ in range(200)]
    assert np.mean(asked) < EXAMPLES / 2


def test_a_difference_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not 1\.5"):
        LosingBet().add(1.5)
    with pytest.raises(ValueError, match="cannot be negative"):
        LosingBet(-0.1)


def test_the_evidence_stays_finite() -> None:
    bet = LosingBet()
    for _ in range(5_000):
        bet.add(1.0)
    assert 1e299 < bet.e_value <= 1e300


# The order of asking


def test_the_order_is_random_but_the_same_for_a_seed_and_keeps_groups_together() -> None:
    examples = tuple(
        example.model_copy(update={"slices": {"group": str(place // 4)} if place < 40 else {}})
        for place, example in enumerate(make_examples(60))
    )
    units = shuffled(examples, seed=3)
    flat = [example.id for unit in units for example in unit]
    assert units == shuffled(examples, seed=3)
    assert flat != [example.id for example in examples]
    assert units != shuffled(examples, seed=4)
    assert sorted(flat) == sorted(example.id for example in examples)
    assert sorted(len(unit) for unit in units) == [1] * 20 + [4] * 10


def test_only_an_accuracy_workload_is_shuffled() -> None:
    with pytest.raises(ValueError, match="only an accuracy workload is shuffled"):
        Workload(kind="latency", shuffle=True)


# Races


def asked_spec(examples: tuple[Example, ...], name: str = "ours") -> RunSpec:
    return make_spec(name=name, test_set=make_test_set(0).model_copy(update={"examples": examples}))


def answer(example: Example, value: float, at: float = 0.0) -> CompletionDone:
    return CompletionDone(
        completion=Completion(
            request_id=example.id,
            workload="accuracy",
            example_id=example.id,
            text="x",
            finish_reason="stop",
            method="scored_choices",
            prompt_tokens=1,
            finished_at_seconds=at,
        ),
        scores=(
            Score(
                request_id=example.id,
                example_id=example.id,
                scorer="label_match",
                version="1",
                validity=Validity.SCORED,
                value=value,
            ),
        ),
    )


def finished(spec: RunSpec, value: float) -> RunResult:
    done = tuple(answer(example, value) for example in spec.test_set.examples)
    return RunResult(spec=spec, status="finished", completions=done)


def race_of(examples: tuple[Example, ...], *, minimum: int = 10, margin: float = 0.0) -> tuple[EarlyStops, Race]:
    """A race against a candidate that was right everywhere."""
    stops = EarlyStops(EarlyStopping(min_examples=minimum), make_test_set(), 2, margin)
    stops.finish(finished(asked_spec(examples, "best"), 1.0), None)
    race = stops.race(asked_spec(examples))
    assert race is not None
    return stops, race


def in_order(examples: tuple[Example, ...]) -> list[Example]:
    return [example for unit in shuffled(examples, 0) for example in unit]


def test_a_race_is_lost_after_enough_examples_and_says_what_it_saved() -> None:
    examples = make_examples(100)
    stops, race = race_of(examples)
    race(WorkloadStarted(segment=0, workload="accuracy", total=100, remaining=100, at_seconds=5.0))
    done = []
    for place, example in enumerate(in_order(examples)):
        done.append(answer(example, 0.0, at=5.0 + 2.0 * (place + 1)))
        race(done[-1])
        if race.stop is not None:
            break
    result = stops.finish(RunResult(spec=asked_spec(examples), status="cancelled", completions=tuple(done)), race)
    assert result.status == "stopped"
    assert result.stopped is not None
    assert (result.stopped.against, result.stopped.examples, result.stopped.threshold) == ("best", 10, 20.0)
    assert (result.stopped.value, result.stopped.against_value) == (0.0, 1.0)
    assert result.stopped.not_asked == 90
    assert result.stopped.seconds_per_example == pytest.approx(2.0)
    assert result.stopped.seconds_saved == pytest.approx(180.0)


def test_an_example_waits_for_those_before_it() -> None:
    examples = make_examples(100)
    _, race = race_of(examples)
    first, *others = in_order(examples)
    for example in others:
        race(answer(example, 0.0))
    before = race.stop
    failure = Failure(stage="request", kind="engine", message="It broke.", hint="Wait.", example_id=first.id)
    race(FailureHappened(workload="accuracy", failure=failure))
    assert before is None
    assert race.stop is not None
    assert race.stop.examples == 10


def test_a_margin_and_few_examples_keep_a_candidate_in_the_race() -> None:
    examples = make_examples(60)
    _, plain = race_of(examples, minimum=40)
    _, wide = race_of(examples, margin=0.9)
    for place, example in enumerate(in_order(examples)):
        plain(answer(example, 0.0))
        assert (plain.stop is None) == (place < 39)
        wide(answer(example, 0.0))
    assert wide.stop is None


def test_a_group_is_one_bet_however_many_examples_it_has() -> None:
    examples = tuple(
        example.model_copy(update={"slices": {"group": str(place // 25)}})
        for place, example in enumerate(make_examples(100))
    )
    _, race = race_of(examples)
    for example in in_order(examples):
        race(answer(example, 0.0))
    assert race.stop is None


def test_a_candidate_that_is_as_good_is_never_stopped_and_the_first_has_no_race() -> None:
    examples = make_examples(100)
    stops, race = race_of(examples)
    for example in in_order(examples):
        race(answer(example, 1.0))
    assert race.stop is None
    assert EarlyStops(EarlyStopping(), make_test_set(), 2).race(asked_spec(examples)) is None
    unfinished = RunResult(spec=asked_spec(examples), status="cancelled")
    assert stops.finish(unfinished, race) == unfinished


def test_alpha_is_split_over_all_pairs() -> None:
    assert EarlyStops(EarlyStopping(alpha=0.1), make_test_set(), 20).threshold == pytest.approx(1900)


def test_without_a_mean_there_is_no_early_stopping() -> None:
    nothing = TestSet(name="none", labels=(), examples=make_examples(1), scorers=())
    with pytest.raises(BadBenchmarkFile, match="early_stopping needs a quality that is a mean"):
        EarlyStops(EarlyStopping(), nothing, 2)


# Whole runs

LABELS = ("delivery", "returns", "billing")
PER_CANDIDATE = 90


@pytest.fixture
def race_folder(tmp_path: Path) -> Path:
    """A benchmark of a candidate that is always right and one that is right on every third example."""
    rows = [(f"m{number}", LABELS[number % 3]) for number in range(PER_CANDIDATE)]
    lines = ["id,text,label", *(f"{name},message {name} about {label},{label}" for name, label in rows)]
    (tmp_path / "messages.csv").write_text("\n".join(lines) + "\n")
    right = ", ".join(f"{name}: {label}" for name, label in rows)
    (tmp_path / "race.yaml").write_text(
        "name: race\n"
        "test_set: {file: messages.csv}\n"
        "candidates:\n"
        f"  - {{name: good, model: a, engine: scripted, options: {{answers: {{{right}}}}}}}\n"
        "  - {name: bad, model: b, engine: scripted, options: {score_seconds: 0.1}}\n"
        "workloads: [{kind: accuracy}]\n"
        "early_stopping: {min_examples: 15}\n"
        "requirements: {limits: {verdicts: [allowed, conditional, unknown]}, weights: {latency: 0, memory: 0}}\n"
    )
    return tmp_path


def test_a_stopped_candidate_is_said_to_be_and_cannot_win_and_resuming_continues_it(race_folder: Path) -> None:
    done = workbench(race_folder, "bench", str(race_folder / "race.yaml"))
    assert "bad: stopped" in done.stderr
    assert "it can no longer win" in done.stderr
    runs = {run["candidate"]: run for run in printed(workbench(race_folder, "runs", "race", "--json"))}
    assert (runs["good"]["status"], runs["bad"]["status"]) == ("finished", "stopped")
    assert 15 <= runs["bad"]["completions"] < PER_CANDIDATE
    made = printed(workbench(race_folder, "compare", "race", "--json"))
    bad = made["candidates"][1]
    assert bad["stopped"]["against"] == "good"
    assert bad["stopped"]["not_asked"] == PER_CANDIDATE - runs["bad"]["completions"]
    assert bad["stopped"]["seconds_saved"] > 0
    assert bad["accuracy"]["n"] == runs["bad"]["completions"]
    assert made["pairs"] == []
    assert "stopped early" in workbench(race_folder, "compare", "race").stdout
    recommended = printed(workbench(race_folder, "recommend", "race", "--json"))
    assert recommended["winner"] == "good"
    (excluded,) = recommended["excluded"]
    assert [limit["limit"] for limit in excluded["broken"]] == ["early_stopping"]
    workbench(race_folder, "bench", str(race_folder / "race.yaml"), "--resume")
    runs = {run["candidate"]: run for run in printed(workbench(race_folder, "runs", "race", "--json"))}
    assert (runs["bad"]["status"], runs["bad"]["completions"]) == ("finished", PER_CANDIDATE)
    made = printed(workbench(race_folder, "compare", "race", "--json"))
    assert made["candidates"][1]["stopped"] is None
    assert len(made["pairs"]) == 1
