"""The views' numbers, held against values worked out by hand."""

from pathlib import Path

import duckdb
import pytest

from results.example_records import ExampleQuery
from results.store import Store
from runners.records import (
    CompletionDone,
    MemorySample,
    ModelLoaded,
    RunResult,
    Score,
    Validity,
    Workload,
    WorkloadFinished,
)
from runners.scorer_options import EmbeddingSimilarityOptions, JudgeOptions
from tests.results_samples import LOADED, benchmark, failure, judged, run_result, spec, timed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "results.duckdb")
    store.save_benchmark(benchmark("A"))
    return store


def ask(store: Store, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(store.path, read_only=True) as db:
        return db.execute(query).fetchall()


def test_latency_of_a_request(store: Store) -> None:
    store.save_run("demo", run_result(completions=[timed("e1", (0.5, 0.75, 1.5), cached_tokens=5)]))
    (timing,) = store.measurements("demo")[0].timings
    assert timing.ttft_seconds == 0.5
    assert timing.e2e_seconds == 1.5
    assert timing.tpot_seconds == pytest.approx((1.5 - 0.5) / 2)
    assert timing.prefill_tokens_per_second == pytest.approx((20 - 5) / 0.5)
    assert timing.decode_tokens_per_second == pytest.approx(2.0)
    assert ask(store, "SELECT queue_seconds FROM request_timings") == [(0.25,)]


@pytest.mark.parametrize(
    ("offsets", "output_tokens", "ttft", "e2e", "tpot"),
    [
        ((), 0, None, None, None),
        ((0.5,), 1, 0.5, 0.5, None),
        ((0.5,), 3, 0.5, 0.5, None),
        ((0.5, 0.5), 2, 0.5, 0.5, 0.0),
        ((0.5, 1.5), 5, 0.5, 1.5, 0.25),
    ],
)
def test_a_request_without_a_number_gives_none(
    store: Store,
    offsets: tuple[float, ...],
    output_tokens: int,
    ttft: float | None,
    e2e: float | None,
    tpot: float | None,
) -> None:
    store.save_run("demo", run_result(completions=[timed("e1", offsets, output_tokens=output_tokens)]))
    (timing,) = store.measurements("demo")[0].timings
    assert (timing.ttft_seconds, timing.e2e_seconds, timing.tpot_seconds) == (ttft, e2e, tpot)
    assert (timing.decode_tokens_per_second is None) == (not tpot)


def test_a_fully_cached_prompt_has_no_prefill_rate(store: Store) -> None:
    store.save_run("demo", run_result(completions=[timed("e1", (0.5, 1.0), cached_tokens=20)]))
    assert store.measurements("demo")[0].timings[0].prefill_tokens_per_second is None


def test_accuracy_requests_give_no_latency(store: Store) -> None:
    store.save_run("demo", run_result(completions=[judged("e1", "yes", target="yes"), timed("e2", (0.5,))]))
    assert [timing.request_id for timing in store.measurements("demo")[0].timings] == ["e2"]


def test_the_first_text_of_the_answer_comes_after_the_thinking(store: Store) -> None:
    thinking = timed("e1", (0.5, 0.75, 1.5, 1.75))
    completion = thinking.completion.model_copy(update={"thinking_chunks": 2})
    only_thinking = timed("e2", (0.5, 0.75))
    unended = only_thinking.completion.model_copy(update={"thinking_chunks": 2})
    done = [
        thinking.model_copy(update={"completion": completion}),
        only_thinking.model_copy(update={"completion": unended}),
        timed("e3", (0.25, 0.5)),
    ]
    store.save_run("demo", run_result(completions=done))
    timings = {timing.request_id: timing for timing in store.measurements("demo")[0].timings}
    assert [(t.ttft_seconds, t.ttfa_seconds) for t in timings.values()] == [(0.5, 1.5), (0.5, None), (0.25, 0.25)]
    assert timings["e1"].gaps_seconds == (0.25, 0.75, 0.25)
    assert store.run_result("demo", "A").completions[0].completion.thinking_chunks == 2


def test_a_failed_request_is_counted_once_and_adds_nothing(store: Store) -> None:
    failures = [failure("e2", "latency"), failure("e2", "latency"), failure("e1", "latency"), failure(None, "latency")]
    store.save_run("demo", run_result(completions=[timed("e1", (0.1, 0.2), output_tokens=10)], failures=failures))
    (level,) = [each for each in store.measurements("demo")[0].levels if each.workload == "latency"]
    # e1 failed once and was answered after a resumption; the last failure is the run's and no request's.
    assert (level.requests, level.failed, level.output_tokens_per_second) == (1, 1, 2.0)


def test_levels_are_measured_apart_and_what_has_no_window_is_left_out(store: Store) -> None:
    def at(level: float, number: int, segment: int = 0) -> CompletionDone:
        done = timed(f"c{level:g}-s{segment}-n{number}", (0.1, 0.3), output_tokens=8, segment=segment)
        changes = {"workload": "load_sweep", "level": level, "example_id": None}
        return done.model_copy(update={"completion": done.completion.model_copy(update=changes)})

    def window(level: float, ends: float, segment: int = 0, joules: float | None = None) -> WorkloadFinished:
        return WorkloadFinished(
            segment=segment,
            workload="load_sweep",
            level=level,
            started_at_seconds=1.0,
            finished_at_seconds=ends,
            energy_joules=joules,
            energy_source=None if joules is None else "RAPL package-0",
        )

    # Segment 0 died at level 2, which segment 1 did anew as a whole.
    done = [at(1, 0), at(1, 1), at(2, 0), at(2, 0, 1), at(2, 1, 1)]
    result = run_result(completions=done)
    windows = (window(1, 5.0, joules=40.0), window(2, 3.0, 1))
    store.save_run("demo", result.model_copy(update={"windows": windows}))
    measured = store.measurements("demo")[0]
    found = [(each.level, each.requests, each.output_tokens_per_second, each.energy_joules) for each in measured.levels]
    assert found == [(1.0, 2, 4.0, 40.0), (2.0, 2, 8.0, None)]
    assert sorted(timing.request_id for timing in measured.timings) == ["c1-s0-n0", "c1-s0-n1", "c2-s1-n0", "c2-s1-n1"]
    assert ask(store, "SELECT completions FROM run_overview") == [(5,)]


def test_cold_and_warm_loads_are_told_apart_by_what_was_in_memory(store: Store) -> None:
    def load(seconds: float, share: float | None, repeat: int = 0, segment: int = 0) -> ModelLoaded:
        return ModelLoaded(segment=segment, load_seconds=seconds, loaded=LOADED, repeat=repeat, cached_share=share)

    for loads, expected in (
        ([load(4.0, 0.01), load(0.5, 1.0, 1), load(0.7, 0.99, 2)], (4.0, 0.01, 4.0, 0.6, 2)),
        ([load(2.0, 0.6), load(0.5, 1.0, 1)], (2.0, 0.6, None, 0.5, 1)),
        ([load(2.0, None), load(1.0, None, 1)], (2.0, None, None, 1.0, 1)),
        ([load(2.0, 1.0)], (2.0, 1.0, None, None, 0)),
    ):
        store.save_run("demo", run_result().model_copy(update={"loads": tuple(loads)}))
        run = store.measurements("demo")[0]
        assert (
            run.load_seconds, run.load_cached_share, run.cold_load_seconds, run.warm_load_seconds, run.warm_loads
        ) == expected  # fmt: skip


def test_the_first_request_after_a_load_is_apart_from_all_others(store: Store) -> None:
    first = timed("first-0-0", (0.9, 1.0))
    first = first.model_copy(update={"completion": first.completion.model_copy(update={"workload": "load"})})
    store.save_run("demo", run_result(completions=[first, timed("e1", (0.1, 0.2))]))
    measured = store.measurements("demo")[0]
    assert (measured.first_request_ttft_seconds, measured.first_request_e2e_seconds) == (0.9, 1.0)
    assert [timing.request_id for timing in measured.timings] == ["e1"]
    assert ask(store, "SELECT completions FROM run_overview") == [(1,)]


def test_every_gap_between_chunks_counts(store: Store) -> None:
    store.save_run("demo", run_result(completions=[timed("e1", (0.5, 0.75, 1.5)), timed("e2", (0.25,))]))
    gaps = ask(store, "SELECT request_id, gap, gap_seconds, tokens FROM inter_token_gaps ORDER BY gap")
    assert gaps == [("e1", 1, 0.25, 1), ("e1", 2, 0.75, 1)]


def test_throughput_counts_only_measured_windows(store: Store) -> None:
    done = [
        judged("e1", "yes", target="yes"),
        judged("e2", "no", target="no"),
        judged("e3", "yes", target="yes", segment=1),
        timed("e1", (0.1, 0.2), output_tokens=2),
        timed("e2", (0.1, 0.2, 0.3), output_tokens=3),
    ]
    store.save_run("demo", run_result(completions=done))
    # Segment 1 died before its window ended; accuracy took 2 s, latency 5 s.
    assert store.measurements("demo")[0].accuracy_examples_per_second == 1.0
    columns = "requests_per_second, output_tokens_per_second, prompt_tokens_per_second, characters_per_second"
    rates = ask(store, f"SELECT {columns} FROM run_throughput WHERE workload = 'latency'")
    assert rates == [(2 / 5, 1.0, 40 / 5, 25 / 5)]


def test_windows_of_several_segments_add_up(store: Store) -> None:
    first = run_result(completions=[judged("e1", "yes", target="yes"), judged("e2", "no", target="no", segment=1)])
    window = WorkloadFinished(segment=1, workload="accuracy", started_at_seconds=1.0, finished_at_seconds=3.0)
    store.save_run("demo", first.model_copy(update={"windows": (*first.windows, window)}))
    assert store.measurements("demo")[0].accuracy_examples_per_second == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("pss", "peak", "method"), [((None, None), 700, "RSS"), ((400, 300), 400, "PSS"), ((None, 300), 300, "PSS")]
)
def test_peak_memory(store: Store, pss: tuple[int | None, int | None], peak: int, method: str) -> None:
    samples = [
        MemorySample(at_seconds=0, rss_bytes=700, pss_bytes=pss[0], gpu_bytes=5, mapped_file_bytes=30, processes=1),
        MemorySample(at_seconds=1, rss_bytes=600, pss_bytes=pss[1], gpu_bytes=9, high_water_bytes=800, processes=2),
    ]
    store.save_run("demo", run_result(memory=samples))
    measured = store.measurements("demo")[0]
    assert (measured.peak_memory_bytes, measured.peak_memory_method) == (peak, method)
    assert (measured.peak_gpu_bytes, measured.peak_mapped_file_bytes, measured.high_water_bytes) == (9, 30, 800)


def test_what_was_not_measured_is_none(store: Store) -> None:
    result = RunResult(spec=spec(), status="failed")
    store.save_run("demo", result)
    measured = store.measurements("demo")[0]
    assert measured.peak_memory_bytes is None
    assert measured.peak_memory_method is None
    assert measured.load_seconds is None
    assert measured.loaded is None
    assert measured.accuracy_examples_per_second is None
    assert measured.timings == ()


def test_first_and_repeated_loads_are_apart(store: Store) -> None:
    result = run_result()
    later = tuple(
        ModelLoaded(
            segment=segment, load_seconds=seconds, loaded=LOADED.model_copy(update={"build": f"later {segment}"})
        )
        for segment, seconds in ((2, 0.5), (1, 0.25))
    )
    store.save_run("demo", result.model_copy(update={"loads": (*later, *result.loads)}))
    measured = store.measurements("demo")[0]
    assert (measured.load_seconds, measured.loaded) == (1.5, LOADED)
    assert ask(store, "SELECT repeated_load_seconds FROM run_loads") == [(0.375,)]


def test_every_example_has_one_outcome(store: Store) -> None:
    done = [
        judged("e1", "yes", target="yes"),
        judged("e2", "mumble", target="no", validity=Validity.TRUNCATED),
        timed("e4", (0.5,)),
    ]
    failures = [failure("e1"), failure("e3"), failure("e4", "latency")]
    store.save_run("demo", run_result(completions=done, failures=failures))
    outcomes = store.measurements("demo")[0].outcomes
    # e1 failed once and was answered after a resumption; e4 failed in the latency workload only.
    assert [(o.example_id, o.validity, o.right) for o in outcomes] == [
        ("e1", Validity.SCORED, True),
        ("e2", Validity.TRUNCATED, False),
        ("e3", Validity.FAILED, None),
        ("e4", Validity.SKIPPED, None),
    ]
    assert [outcome.slices for outcome in outcomes[1:3]] == [{"channel": "mail"}, {"channel": "chat"}]


def test_a_completion_whose_scorer_crashed_is_failed_and_its_text_is_kept(store: Store) -> None:
    unscored = CompletionDone(completion=judged("e1", "yes", target="yes").completion)
    store.save_run("demo", run_result(completions=[unscored], failures=[failure("e1")]))
    answer = store.example_results("demo", ExampleQuery(limit=1))[0].answers["A"]
    assert (answer.validity, answer.right, answer.text) == (Validity.FAILED, None, "yes")


def test_only_the_first_scorer_decides(store: Store) -> None:
    done = judged("e1", "yes", target="yes")
    other = Score(request_id="e1", example_id="e1", scorer="other", version="1", validity=Validity.SCORED, value=0.0)
    store.save_run("demo", run_result(completions=[done.model_copy(update={"scores": (other, *done.scores)})]))
    assert store.measurements("demo")[0].outcomes[0].right is True


def test_a_run_without_accuracy_workload_has_no_outcomes(store: Store) -> None:
    asked = spec(workloads=[Workload(kind="latency")])
    store.save_run("demo", run_result(completions=[timed("e1", (0.5,))], run_spec=asked))
    assert store.measurements("demo")[0].outcomes == ()


def test_the_probability_of_the_chosen_answer_is_a_softmax(store: Store) -> None:
    done = [
        judged("e1", "yes", target="yes", logprobs=(-1.0, -2.0)),
        judged("e2", "no", target="no", logprobs=(-1000.0, -1002.0)),
        judged("e3", "other", target="yes", logprobs=(-1.0, -2.0)),
    ]
    store.save_run("demo", run_result(completions=done))
    found = [each.answers["A"].probability for each in store.example_results("demo")]
    assert found[0] == pytest.approx(1 / (1 + 2.718281828459045**-1))
    assert found[1] == pytest.approx(1 / (1 + 2.718281828459045**2))
    assert found[2:] == [None, None]


def test_the_probability_of_a_calibrated_answer_is_what_decided(store: Store) -> None:
    (done,) = [judged("e1", "no", target="no", logprobs=(-1.0, -2.0))]
    scores = tuple(
        score.model_copy(update={"baseline_logprob": baseline})
        for score, baseline in zip(done.completion.choice_scores, (-0.5, -3.0), strict=True)
    )
    completion = done.completion.model_copy(update={"choice_scores": scores})
    calibrated = done.model_copy(update={"completion": completion})
    store.save_run("demo", run_result(completions=[calibrated]))
    assert store.run_result("demo", "A").completions[0].completion.choice_scores == scores
    # Evidence -1.0 + 0.5 for "yes" and -2.0 + 3.0 for "no".
    assert store.example_results("demo")[0].answers["A"].probability == pytest.approx(1 / (1 + 2.718281828459045**-1.5))


@pytest.mark.parametrize("unit", ["tokens", "bytes"])
def test_answers_chosen_by_something_else_than_their_probability_have_none(store: Store, unit: str) -> None:
    workload = Workload.model_validate({"kind": "accuracy", "length_normalisation": unit})
    done = [judged("e1", "yes", target="yes", logprobs=(-4.0, -2.0))]
    store.save_run("demo", run_result(completions=done, run_spec=spec(workloads=[workload])))
    assert store.example_results("demo")[0].answers["A"].probability is None


def grade(example_id: str, scorer: str) -> Score:
    return Score(
        request_id=example_id, example_id=example_id, scorer=scorer, version="1", validity=Validity.SCORED, value=1.0
    )


def test_grades_go_when_another_run_changes_because_the_report_on_their_judge_does(store: Store) -> None:
    """Similarities to the right answer rest on the run alone, and stay."""
    store.save_benchmark(benchmark("A", "B"))
    for name in ("A", "B"):
        store.save_run("demo", run_result(name, completions=[judged("e1", "yes", target="yes")]))
    judge = JudgeOptions(judge="someone", rules="1")
    alike = EmbeddingSimilarityOptions(model="m", pooling="mean")
    for options in (judge, alike):
        store.save_pass("demo", "A", options, [grade("e1", options.name)])
    first, _ = store.measurements("demo")
    assert [options.name for options in first.scorers] == ["label_match", "embedding_similarity", "judge"]
    store.save_run("demo", run_result("B", completions=[judged("e1", "no", target="yes")]))
    first, _ = store.measurements("demo")
    assert [options.name for options in first.scorers] == ["label_match", "embedding_similarity"]
    assert [column.scorer for column in first.scored] == ["label_match", "embedding_similarity"]
