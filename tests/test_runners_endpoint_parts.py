"""The parts of the endpoint engine that need no server: event streams, waits, limits, labels in answers."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.waits import asked_seconds
from runners.engine_options import EndpointOptions, LlamaCppOptions
from runners.event_stream import event_data
from runners.label_answers import label_in
from runners.records import Completion, RunSpec, Validity
from runners.retry_policy import wait_before
from runners.scorer_options import LabelMatchOptions
from runners.scorers.registry import open_scorer
from runners.spending import Spending
from tests.making import make_spec, make_test_set

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
STREAM = (
    ': hello\r\n\r\ndata: {"text": "größer\u2028日本"}\r\n\r\nevent: x\nid: 7\ndata:one\ndata: two\n\ndata: [DONE]\n'
)
LOCAL = "http://localhost:1/v1"


def read_events(*pieces: bytes) -> list[str]:
    async def arrive() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def collect() -> list[str]:
        return [data async for data in event_data(arrive())]

    return asyncio.run(collect())


@given(cuts=st.lists(st.integers(min_value=0, max_value=len(STREAM.encode())), max_size=6))
def test_events_are_the_same_wherever_the_packets_are_cut(cuts: list[int]) -> None:
    data = STREAM.encode()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert read_events(*pieces) == ['{"text": "größer\u2028日本"}', "one\ntwo", "[DONE]"]


def test_an_event_that_is_cut_off_is_left_out_and_broken_utf8_is_replaced() -> None:
    assert read_events(b"data: whole\n\ndata: hal") == ["whole"]
    assert read_events(b"data: \xff\n\n") == ["\ufffd"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("Sun, 01 Mar 2026 12:00:20 GMT", 20.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_the_wait_that_a_server_asks_for(header: str | None, seconds: float | None) -> None:
    assert asked_seconds(header, NOW) == seconds


def test_without_a_wish_waits_double_up_to_a_minute_and_are_spread() -> None:
    assert [wait_before(attempt, None, 1.0, NOW) for attempt in (1, 2, 3, 4, 20)] == [0.5, 1.0, 2.0, 4.0, 60.0]
    assert wait_before(3, None, 0.0, NOW) == 1.0
    assert wait_before(1, "301", 0.5, NOW) is None


def test_requests_are_spaced_evenly() -> None:
    spending = Spending(EndpointOptions(base_url=LOCAL, requests_per_minute=30))
    assert spending.seconds_until_next(100.0) == 0
    spending.take_turn(100.0)
    assert spending.seconds_until_next(100.5) == 1.5
    spending.take_turn(100.5)
    assert spending.seconds_until_next(103.0) == 1.0


def test_tokens_that_may_still_come_count_until_it_is_known_how_many_did() -> None:
    spending = Spending(EndpointOptions(base_url=LOCAL, max_total_tokens=100))
    spending.reserve("a", 60)
    assert "may take 60" in (spending.refusal(60) or "")
    spending.settle("a", 20)
    assert spending.refusal(60) is None
    spending.reserve("b", 60)
    spending.settle("b", None)
    assert "80 were used" in (spending.refusal(30) or "")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('{"label": "returns"}', "returns"),
        ('\n```json\n{"label": "returns"}\n```', "returns"),
        ('{"label": 3}', '{"label": 3}'),
        ('{"label": "ret', '{"label": "ret'),
        ('{"intent": "returns"}', '{"intent": "returns"}'),
        ("returns", "returns"),
    ],
)
def test_the_label_is_read_out_of_an_object_and_other_text_stays(text: str, label: str) -> None:
    assert label_in(text) == label


@pytest.mark.parametrize(
    ("changes", "validity"),
    [
        ({"finish_reason": "refused", "text": "I cannot say returns"}, Validity.REFUSED),
        ({"finish_reason": "length", "text": "", "thinking_chunks": 9}, Validity.TRUNCATED),
        ({"finish_reason": "stop", "text": "", "thinking_chunks": 9}, Validity.EMPTY),
        ({"finish_reason": "stop", "text": "Returns."}, Validity.SCORED),
    ],
)
def test_a_refusal_is_no_answer_and_thinking_without_end_is_truncated(
    changes: dict[str, object], validity: Validity
) -> None:
    test_set = make_test_set()
    completion = Completion.model_validate(
        {"request_id": "e0", "workload": "accuracy", "method": "generated", "prompt_tokens": 1, **changes}
    )
    assert open_scorer(LabelMatchOptions())(completion, test_set.examples[0], test_set).validity is validity


def test_limits_and_the_name_of_the_key_do_not_make_another_run() -> None:
    def key(**changes: object) -> str:
        return make_spec(EndpointOptions.model_validate({"base_url": LOCAL, **changes})).key

    assert key() == key(max_requests=5, api_key_variable="OTHER", timeout_seconds=9, requests_per_minute=3)
    assert len({key(), key(model="other"), key(base_url="http://localhost:2/v1"), key(label_answers="free")}) == 4


def test_keys_of_other_engines_are_what_they_were() -> None:
    spec: RunSpec = make_spec(LlamaCppOptions())
    assert spec.key == "cdbddb745104b30244bc9c99a6cca32a"
