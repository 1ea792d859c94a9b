"""The stopwatch measures what the engine did: the scripted engine's delays are known exactly."""

import itertools

import pytest

from catalog.records import Candidate
from runners.engine_options import ScriptedOptions
from runners.prompts import example_request
from runners.records import Completion, Workload
from runners.scripted_engine import ScriptedEngine
from runners.stopwatch import Stopwatch, time_stream
from tests.making import make_test_set

TOLERANCE = 0.25
"""Sleeping is never shorter than asked; a busy machine wakes late. What matters is caught from below and by order."""


def run(options: ScriptedOptions, examples: int = 3) -> list[Completion]:
    candidate = Candidate(name="c", model_id="m", weights_path="", weights_bytes=0, engine="scripted")
    engine = ScriptedEngine(candidate, options)
    engine.load()
    test_set = make_test_set(examples)
    requests = [example_request(test_set, example, Workload(kind="latency")) for example in test_set.examples]
    outcomes = [outcome for _, outcome in time_stream(engine, requests, Stopwatch())]
    return [outcome for outcome in outcomes if isinstance(outcome, Completion)]


def test_time_to_first_token_and_gaps_equal_the_script() -> None:
    for completion in run(ScriptedOptions(first_token_seconds=0.05, token_seconds=0.03)):
        offsets = completion.chunk_offsets_seconds
        for place, offset in enumerate(offsets):
            # Delays count from when the answer before was due to end: what came late before makes this one seem early.
            assert offset == pytest.approx(0.05 + place * 0.03, abs=TOLERANCE)
        assert completion.output_tokens == 4
        assert completion.text == "one two three four"


def test_an_empty_first_chunk_is_not_the_first_token() -> None:
    (first, *_) = run(ScriptedOptions(first_token_seconds=0.05, empty_first_chunk=True))
    assert len(first.chunk_offsets_seconds) == 4
    assert first.chunk_offsets_seconds[0] >= 0.05  # the first request of a stream counts from its own hand-over


def test_requests_follow_each_other_without_overlap() -> None:
    completions = run(ScriptedOptions(first_token_seconds=0.02, token_seconds=0.0))
    for earlier, later in itertools.pairwise(completions):
        assert earlier.finished_at_seconds is not None
        assert later.ready_at_seconds is not None
        assert later.started_at_seconds is not None
        assert earlier.finished_at_seconds <= later.ready_at_seconds <= later.started_at_seconds


def test_the_load_delay_is_not_part_of_any_request() -> None:
    (first, *_) = run(ScriptedOptions(load_seconds=0.2, first_token_seconds=0.01))
    assert first.started_at_seconds is not None
    assert first.started_at_seconds < 0.1
