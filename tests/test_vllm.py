"""vLLM for real: one server on the demo model, beside llama.cpp with the same weights at the same precision."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.records import Candidate
from runners.engine import Engine, open_engine
from runners.engine_options import EngineOptions, LlamaCppOptions, VllmOptions
from runners.label_answers import label_in
from runners.prompts import example_request
from runners.records import Message, Request, Workload
from workbench.benchmark_file import read_benchmark_file
from workbench.settings import DEMO_FOLDER
from workbench.test_sets import prepare_benchmark

pytest_plugins = ("tests.vllm_fixtures",)
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

EXAMPLES = 60


def open_loaded(options: EngineOptions, weights: Path) -> Engine:
    candidate = Candidate(
        name="candidate", model_id="test/model", weights_path=str(weights), weights_bytes=0, engine=options.engine
    )
    engine = open_engine(candidate, options)
    engine.load()
    return engine


@pytest.fixture(scope="module")
def vllm(vllm_options: VllmOptions, smollm2_folder: Path) -> Iterator[Engine]:
    engine = open_loaded(vllm_options, smollm2_folder)
    yield engine
    engine.close()
    engine.close()


@pytest.fixture(scope="module")
def llama(smollm2_f16: Path) -> Iterator[Engine]:
    engine = open_loaded(LlamaCppOptions(), smollm2_f16)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    definition, _ = read_benchmark_file(DEMO_FOLDER / "demo.yaml")
    test_set = prepare_benchmark(definition, DEMO_FOLDER).test_set
    return [example_request(test_set, example, Workload(kind="accuracy")) for example in test_set.examples[:EXAMPLES]]


def without_choices(request: Request, **changes: object) -> Request:
    return request.model_copy(update={"choices": (), "max_output_tokens": 6, **changes})


def test_labels_are_chosen_as_llama_cpp_chooses_them_at_the_same_precision(
    vllm: Engine, llama: Engine, requests: list[Request]
) -> None:
    mine, theirs = (list(engine.score_choices(requests)) for engine in (vllm, llama))
    assert [scored.prompt_tokens for scored in mine] == [scored.prompt_tokens for scored in theirs]
    agree, distances = 0, []
    for one, other in zip(mine, theirs, strict=True):
        assert [score.tokens for score in one.scores] == [score.tokens for score in other.scores]
        best = [max(scored.scores, key=lambda score: score.logprob).choice for scored in (one, other)]
        agree += best[0] == best[1]
        distances += [abs(a.logprob - b.logprob) for a, b in zip(one.scores, other.scores, strict=True)]
    assert agree >= 0.97 * len(requests)
    assert max(distances) < 0.3, "two definitions of a label's score, or two tokenizations"
    assert sum(distances) / len(distances) < 0.05


def test_both_engines_send_the_same_text(vllm: Engine, llama: Engine, requests: list[Request]) -> None:
    for request in requests[:3]:
        assert vllm.prompt_text(request) == llama.prompt_text(request)
        assert vllm.count_tokens(request) == llama.count_tokens(request)


def test_scoring_takes_the_shared_beginning_from_the_prefix_cache(vllm: Engine, requests: list[Request]) -> None:
    scored = list(vllm.score_choices(requests[:4]))
    assert all(result.cached_tokens > 100 for result in scored)
    assert [result.request_id for result in scored] == [request.id for request in requests[:4]]


def test_nothing_is_taken_from_the_prefix_cache_where_latency_is_measured(
    vllm: Engine, requests: list[Request]
) -> None:
    twice = [without_choices(requests[0], id=name) for name in ("first", "again")]
    last = [chunk for chunk in vllm.stream(twice) if chunk.finish_reason is not None]
    assert [chunk.cached_tokens for chunk in last] == [0, 0]
    assert [chunk.prompt_tokens for chunk in last] == [vllm.count_tokens(requests[0])] * 2
    assert all(chunk.tokens_from == "usage" for chunk in last)


def test_the_same_greedy_text_comes_twice_alone_and_among_others(vllm: Engine, requests: list[Request]) -> None:
    alone = {request.id: "" for request in requests[:3]}
    together = dict(alone)
    for target, at_once in ((alone, 1), (together, 3)):
        for chunk in vllm.stream([without_choices(request) for request in requests[:3]], max_concurrency=at_once):
            target[chunk.request_id] += chunk.text
    assert alone == together
    assert all(alone.values())


def test_abandoning_a_stream_leaves_the_engine_usable(vllm: Engine, requests: list[Request]) -> None:
    stream = vllm.stream([without_choices(request) for request in requests[:2]])
    next(stream)
    del stream
    gc.collect()
    scores = vllm.score_choices(requests[:3])
    next(scores)
    del scores
    gc.collect()
    assert [result.request_id for result in vllm.score_choices(requests[:1])] == [requests[0].id]


def test_a_generated_label_is_held_to_the_labels(vllm: Engine, requests: list[Request]) -> None:
    texts = {request.id: "" for request in requests[:2]}
    asked = [request.model_copy(update={"max_output_tokens": 24}) for request in requests[:2]]
    for chunk in vllm.stream(asked, max_concurrency=2):
        texts[chunk.request_id] += chunk.text
    assert all(label_in(text) in requests[0].choices for text in texts.values()), texts


def test_an_answer_goes_on_from_its_prefix(vllm: Engine) -> None:
    request = Request(
        id="r", messages=(Message(role="user", content="Count from one to six."),), answer_prefix="1, 2, 3, 4,"
    )
    assert vllm.prompt_text(request).endswith("assistant\n1, 2, 3, 4,")
    last = [chunk for chunk in vllm.stream([request]) if chunk.finish_reason is not None]
    assert last[0].prompt_tokens == vllm.count_tokens(request)


def test_a_prompt_that_does_not_fit_is_an_overflow_scored_or_generated(vllm: Engine) -> None:
    long = Request(id="r", messages=(Message(role="user", content="word " * 3000),), choices=("a", "b"))
    (scored,) = vllm.score_choices([long])
    assert scored.scores == ()
    (last,) = vllm.stream([without_choices(long)])
    assert last.finish_reason == "overflow"
