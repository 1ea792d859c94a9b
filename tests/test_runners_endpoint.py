"""The endpoint engine against a real server that behaves well or badly: what is counted, timed, retried and refused."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import ValidationError

from catalog.records import Candidate
from runners.endpoint_engine import EndpointEngine
from runners.engine_options import EndpointOptions
from runners.errors import EngineFailed, LimitReached
from runners.records import Chunk, Completion, Loaded, Message, Request
from runners.stopwatch import Pace, RequestFailed, Stopwatch, time_stream
from tests.openai_server import Behaviour, OpenAiServer, openai_server

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with openai_server() as running:
        yield running


def make_engine(address: str, secrets: dict[str, str] | None = None, **options: Any) -> EndpointEngine:
    candidate = Candidate(name="c", model_id="test/model", weights_path="", weights_bytes=0, engine="endpoint")
    return EndpointEngine(candidate, EndpointOptions(base_url=address, **options), secrets or {})


@contextmanager
def loaded(server: OpenAiServer, secrets: dict[str, str] | None = None, **options: Any) -> Iterator[EndpointEngine]:
    engine = make_engine(server.address, secrets, **options)
    try:
        engine.load()
        yield engine
    finally:
        engine.close()


def refusal_to_load(address: str, secrets: dict[str, str] | None = None, **options: Any) -> str:
    engine = make_engine(address, secrets, **options)
    with pytest.raises(EngineFailed) as caught:
        engine.load()
    engine.close()
    return str(caught.value)


def ask(identity: str = "r1", text: str = "Where is it?", **changes: Any) -> Request:
    return Request(id=identity, messages=(Message(role="user", content=text),), **changes)


def outcomes(engine: EndpointEngine, *requests: Request, at_once: int = 1) -> dict[str, Completion | RequestFailed]:
    timed = time_stream(engine, requests, Stopwatch(), Pace(at_once))
    return {request.id: outcome for request, outcome in timed}


def answer(engine: EndpointEngine, request: Request) -> Completion:
    (outcome,) = outcomes(engine, request).values()
    assert isinstance(outcome, Completion), outcome
    return outcome


def failure(engine: EndpointEngine, request: Request) -> str:
    (outcome,) = outcomes(engine, request).values()
    assert isinstance(outcome, RequestFailed), outcome
    return outcome.message


# Loading


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "[::1]"])
def test_this_machine_may_be_asked_without_leave(host: str) -> None:
    said = refusal_to_load(f"http://{host}:1/v1")
    assert "cannot be reached" in said
    assert "base_url" in said


@pytest.mark.parametrize(
    "host", ["api.example.com", "192.168.0.7", "0.0.0.0", "localhost.example.com", "[2001:db8::1]"]
)
def test_another_machine_is_asked_only_with_leave(host: str) -> None:
    said = refusal_to_load(f"https://{host}/v1")
    assert "another machine" in said
    assert "allow_remote: true" in said


@pytest.mark.parametrize(
    "address",
    ["localhost:11434/v1", "ftp://localhost", "http://", "http://me:pass@localhost/v1", "http://localhost/v1?key=a"],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        EndpointOptions(base_url=address)


def test_a_model_that_the_server_does_not_have_is_named_with_the_nearest(server: OpenAiServer) -> None:
    server.models = ("llama3.2:latest", "qwen3:8b")
    said = refusal_to_load(server.address, model="lama3.2")
    assert "no model 'lama3.2'" in said
    assert "'llama3.2:latest'" in said
    with loaded(server, model="llama3.2") as engine:
        assert answer(engine, ask()).text == "one two three four"


def test_a_server_without_a_list_of_models_is_taken_at_its_word(server: OpenAiServer) -> None:
    server.models = None
    engine = make_engine(server.address)
    assert "was not checked" in engine.load().build
    engine.close()


def test_what_the_server_says_of_itself_is_kept(server: OpenAiServer) -> None:
    engine = make_engine(server.address)
    found: Loaded = engine.load()
    engine.close()
    assert found.context_tokens == 4096
    assert server.address in found.build
    assert "test/model" in found.model_description


def test_a_key_is_taken_from_the_secrets_and_never_shown(server: OpenAiServer) -> None:
    server.key = KEY
    assert "api_key_variable" in refusal_to_load(server.address)
    unset = refusal_to_load(server.address, api_key_variable="MY_KEY")
    assert "MY_KEY, which is not set" in unset
    wrong = refusal_to_load(server.address, {"MY_KEY": "sk-wrong"}, api_key_variable="MY_KEY")
    assert "status 401: Incorrect API key provided: Bearer ***" in wrong
    assert "environment variable MY_KEY" in wrong
    assert "sk-wrong" not in wrong
    broken = refusal_to_load(server.address, {"MY_KEY": "sk-two\nlines"}, api_key_variable="MY_KEY")
    assert "cannot be a key" in broken
    assert "sk-two" not in broken
    with loaded(server, {"MY_KEY": f"{KEY}\n"}, api_key_variable="MY_KEY") as engine:
        assert answer(engine, ask()).text


# Answers


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_an_answer_is_timed_from_its_first_text_and_counted_by_the_servers_figures(
    server: OpenAiServer, api: str
) -> None:
    server.next(Behaviour(first_byte_seconds=0.3, word_seconds=0.02))
    with loaded(server, api=api) as engine:
        done = answer(engine, ask())
    assert done.text == "one two three four"
    assert done.finish_reason == "stop"
    assert done.chunk_offsets_seconds[0] >= 0.3
    assert all(later >= earlier for earlier, later in itertools.pairwise(done.chunk_offsets_seconds))
    assert (done.tokens_from, done.output_tokens, done.cached_tokens) == ("usage", 4, 0)
    assert done.prompt_tokens > 0
    assert server.seen[0].path == ("/v1/chat/completions" if api == "chat" else "/v1/completions")


def test_the_request_says_what_was_asked_for(server: OpenAiServer) -> None:
    with loaded(server) as engine:
        done = answer(engine, ask(max_output_tokens=2, stop=("\n",), temperature=0.5, seed=7))
    sent = server.seen[0].body
    assert (sent["max_tokens"], sent["stop"], sent["temperature"], sent["seed"]) == (2, ["\n"], 0.5, 7)
    assert sent["stream_options"] == {"include_usage": True}
    assert done.finish_reason == "length"
    assert done.text == "one two"


def test_without_figures_pieces_are_counted_and_said_to_be(server: OpenAiServer) -> None:
    server.next(Behaviour(usage=False))
    with loaded(server) as engine:
        done = answer(engine, ask())
    assert (done.tokens_from, done.output_tokens, done.prompt_tokens) == ("chunks", 4, 0)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_counts_as_tokens_but_is_no_part_of_the_answer(server: OpenAiServer, name: str) -> None:
    server.next(Behaviour(thinking="let me see", thinking_field=name))
    with loaded(server) as engine:
        done = answer(engine, ask())
    assert done.text == "one two three four"
    assert done.thinking_chunks == 3
    assert len(done.chunk_offsets_seconds) == 7
    assert done.output_tokens == 7


def test_thinking_inside_the_content_is_told_apart(server: OpenAiServer) -> None:
    server.answer = lambda _: "<think> let me see </think> billing it is"
    with loaded(server) as engine:
        done = answer(engine, ask())
    assert done.text == "billing it is"
    assert done.thinking_chunks >= 3
    assert done.output_tokens == 8


def test_a_schema_and_the_wish_for_log_probabilities_are_passed_on(server: OpenAiServer) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    token = {"delta": {"content": "yes"}, "logprobs": {"content": [{"token": "yes", "logprob": -0.25}]}}
    events = [{"choices": [{"index": 0, **token}]}, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    server.next(Behaviour(raw="".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"))
    with loaded(server) as engine:
        done = answer(engine, ask(json_schema=json.dumps(schema), logprobs=True))
        assert "grammar" in failure(engine, ask(grammar='root ::= "a"'))
    sent = next(seen.body for seen in server.seen if "messages" in seen.body)
    assert sent["response_format"]["json_schema"]["schema"] == schema
    assert sent["logprobs"] is True
    assert (done.text, done.token_logprobs) == ("yes", (-0.25,))


def test_characters_that_are_split_over_packets_stay_whole(server: OpenAiServer) -> None:
    server.answer = lambda _: "größer 日本語 👩‍👩‍👧 line\u2028separator"
    server.next(Behaviour(byte_by_byte=True))
    with loaded(server) as engine:
        assert answer(engine, ask()).text == "größer 日本語 👩‍👩‍👧 line\u2028separator"


def test_a_content_filter_is_a_refusal(server: OpenAiServer) -> None:
    server.next(Behaviour(finish_reason="content_filter"))
    with loaded(server) as engine:
        assert answer(engine, ask()).finish_reason == "refused"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens"),
        (400, "the request exceeds the available context size, try increasing it"),
        (400, "Requested tokens (612) exceed context window of 512"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9000"),
        (400, "prompt is too long: 208310 tokens > 200000 maximum"),
        (500, "Trying to keep the first 9000 tokens when context length is only 4096"),
    ],
)
def test_a_prompt_that_is_too_long_is_overflow(server: OpenAiServer, status: int, words: str) -> None:
    server.next(Behaviour(status=status, body=f'{{"error": {{"message": "{words}"}}}}'))
    with loaded(server) as engine:
        assert answer(engine, ask()).finish_reason == "overflow"
        assert answer(engine, ask("r2")).finish_reason == "stop"


def test_a_server_that_cuts_prompts_silently_is_caught_by_its_figures(server: OpenAiServer) -> None:
    with loaded(server, context_tokens=64) as engine:
        assert answer(engine, ask(text="word " * 60)).finish_reason == "overflow"
        assert answer(engine, ask("r2")).finish_reason == "stop"


def test_several_requests_are_under_way_at_once_and_no_more_than_asked_for(server: OpenAiServer) -> None:
    server.when("", Behaviour(first_byte_seconds=0.2))
    with loaded(server) as engine:
        found = outcomes(engine, *(ask(f"r{number}") for number in range(8)), at_once=4)
    assert set(found) == {f"r{number}" for number in range(8)}
    assert server.most_at_once == 4


def test_an_abandoned_stream_closes_its_connections(server: OpenAiServer) -> None:
    server.answer = lambda _: "word " * 2000
    server.when("", Behaviour(word_seconds=0.005))
    with loaded(server) as engine:
        stream = engine.stream(
            [ask("r1", max_output_tokens=2000), ask("r2", max_output_tokens=2000)], max_concurrency=2
        )
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # a generator
    assert len(server.seen) <= 2


# What goes wrong


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Behaviour(status=500, body="the model crashed"), "answered with status 500: the model crashed."),
        (Behaviour(status=500, body="x" * 999), f"status 500: {'x' * 200}…."),
        (Behaviour(break_after=2), "gave no usable answer"),
        (Behaviour(raw="data: {not json\n\n"), "what is not JSON: {not json"),
        (Behaviour(raw='data: "a text"\n\n'), "what is no answer"),
        (Behaviour(raw='data: {"error": {"message": "out of memory", "code": 500}}\n\n'), "status 500: out of memory"),
        (Behaviour(raw=": only a comment\n\n"), "broke off after 0 pieces"),
        (Behaviour(content_type="text/html", body="<h1>Welcome</h1>"), "it sent text/html instead"),
        (Behaviour(status=404, body='{"error": {"message": "model not found"}}'), "does not know the model"),
        (Behaviour(status=401), "refuses access"),
        (Behaviour(status=307, headers={"location": "http://elsewhere.example"}), "is not followed"),
    ],
)
def test_what_the_server_does_wrong_is_a_sentence_and_the_next_request_goes_on(
    server: OpenAiServer, behaviour: Behaviour, words: str
) -> None:
    server.next(behaviour)
    with loaded(server) as engine:
        said = failure(engine, ask())
        assert words in said
        assert server.address in said
        assert answer(engine, ask("r2")).text


def test_a_silent_server_is_given_up_after_the_timeout(server: OpenAiServer) -> None:
    server.next(Behaviour(first_byte_seconds=1.5))
    with loaded(server, timeout_seconds=0.3) as engine:
        assert "ReadTimeout" in failure(engine, ask())


def test_a_failure_among_several_requests_falls_on_its_own(server: OpenAiServer) -> None:
    server.when("bad", Behaviour(status=500))
    with loaded(server) as engine:
        found = outcomes(engine, *(ask(f"r{n}", "bad" if n == 2 else "good") for n in range(6)), at_once=3)
    assert [name for name, outcome in found.items() if isinstance(outcome, RequestFailed)] == ["r2"]
    assert len(found) == 6


def test_the_key_does_not_come_back_in_a_failure(server: OpenAiServer) -> None:
    padding = "x" * 190
    server.next(Behaviour(status=500, body=f"{padding} {KEY} is bad"), Behaviour(raw=f"data: {KEY}\n\n"))
    with loaded(server, {"MY_KEY": KEY}, api_key_variable="MY_KEY") as engine:
        for identity in ("r1", "r2"):
            said = failure(engine, ask(identity))
            assert "***" in said
            assert KEY[:8] not in said


def test_a_prefix_of_the_answer_is_refused_where_it_cannot_be_asked_for(server: OpenAiServer) -> None:
    with loaded(server) as engine:
        assert "answer_prefix" in failure(engine, ask(answer_prefix="Intent:"))
    with loaded(server, api="completions") as engine:
        assert answer(engine, ask(answer_prefix="Intent:")).text
    assert server.seen[-1].body["prompt"].endswith("Intent:")


# Retries and limits


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_asks_to_wait_is_waited_for_and_the_wait_is_no_latency(server: OpenAiServer, form: str) -> None:
    when = "1" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.next(Behaviour(status=429, headers={"retry-after": when}))
    chunks: list[Chunk] = []
    with loaded(server) as engine:
        ((_, done),) = time_stream(engine, [ask()], Stopwatch(), on_chunk=chunks.append)
    assert isinstance(done, Completion)
    (retry,) = [chunk.retried for chunk in chunks if chunk.retried is not None]
    assert retry.status == 429
    assert retry.waited_seconds > 0
    waited = server.seen[1].at - server.seen[0].at
    assert waited >= retry.waited_seconds
    assert done.ready_at_seconds is not None
    assert done.started_at_seconds is not None
    assert done.started_at_seconds - done.ready_at_seconds >= retry.waited_seconds
    assert done.chunk_offsets_seconds[0] < waited


def test_retries_end_and_the_last_words_are_kept(server: OpenAiServer) -> None:
    server.when("", Behaviour(status=503, body="still loading", headers={"retry-after": "0"}))
    with loaded(server, max_retries=2) as engine:
        assert "status 503: still loading" in failure(engine, ask())
    assert len(server.seen) == 3


def test_a_wait_that_is_too_long_is_not_waited_for(server: OpenAiServer) -> None:
    server.next(Behaviour(status=429, headers={"retry-after": "86400"}))
    with loaded(server) as engine:
        assert "requests_per_minute" in failure(engine, ask())
    assert len(server.seen) == 1


def test_a_server_that_went_away_is_tried_again_and_then_said_to_be_gone() -> None:
    with openai_server() as server:
        engine = make_engine(server.address, max_retries=1)
        engine.load()
    assert "cannot be reached" in failure(engine, ask())
    engine.close()


def test_requests_keep_their_pace(server: OpenAiServer) -> None:
    with loaded(server, requests_per_minute=200) as engine:
        found = outcomes(engine, *(ask(f"r{number}") for number in range(4)), at_once=4)
    assert len(found) == 4
    for earlier, later in itertools.pairwise(server.seen):
        assert later.at - earlier.at >= 0.25


def test_the_spending_limit_stops_before_it_is_passed_and_keeps_what_was_answered(server: OpenAiServer) -> None:
    limits: tuple[dict[str, Any], ...] = ({"max_requests": 3}, {"max_total_tokens": 120})
    for options in limits:
        server.seen.clear()
        with loaded(server, **options) as engine:
            chunks = engine.stream([ask(f"r{number}") for number in range(30)], max_concurrency=2)
            done = list(itertools.islice((chunk for chunk in chunks if chunk.finish_reason is not None), 2))
            with pytest.raises(LimitReached, match=next(iter(options))):
                done.extend(chunk for chunk in chunks if chunk.finish_reason is not None)
        assert {chunk.finish_reason for chunk in done} == {"stop"}
        assert 2 <= len(server.seen) < 30


# Labels


def test_an_answer_is_held_to_the_labels_where_the_server_can(server: OpenAiServer) -> None:
    with loaded(server) as engine:
        answer(engine, ask(choices=("a", "b")))
        answer(engine, ask("r2"))
    with loaded(server, label_answers="free") as engine:
        answer(engine, ask(choices=("a", "b")))
    first, second, third = (seen.body for seen in server.seen)
    assert first["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"] == ["a", "b"]
    assert "response_format" not in second
    assert "response_format" not in third


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_takes_no_schema_is_asked_for_free_text_from_then_on(server: OpenAiServer, status: int) -> None:
    server.takes_schema, server.schema_status = False, status
    chunks: list[Chunk] = []
    with loaded(server) as engine:
        requests = [ask(f"r{number}", choices=("a", "b")) for number in range(3)]
        assert len(list(time_stream(engine, requests, Stopwatch(), on_chunk=chunks.append))) == 3
    assert ["response_format" in seen.body for seen in server.seen] == [True, False, False, False]
    (retry,) = [chunk.retried for chunk in chunks if chunk.retried is not None]
    assert "does not take response_format" in retry.reason
    with loaded(server, label_answers="json_schema") as engine:
        assert f"status {status}" in failure(engine, ask(choices=("a", "b")))


def test_a_server_that_does_not_know_ignore_eos_is_asked_without_it(server: OpenAiServer) -> None:
    said = '{"error": {"message": "Unrecognized request argument supplied: ignore_eos"}}'
    server.next(Behaviour(status=400, body=said))
    with loaded(server) as engine:
        done = answer(engine, ask(max_output_tokens=8, ignore_eos=True))
    assert [seen.body.get("ignore_eos") for seen in server.seen] == [True, None]
    assert (done.output_tokens, done.finish_reason) == (4, "stop")
