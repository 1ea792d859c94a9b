"""One contract for every engine, and what is special about each (endpoints: test_runners_endpoint.py)."""

import gc
import math
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from catalog.records import Candidate
from runners.engine import ENGINE_NAMES, Engine, engine_version, open_engine
from runners.engine_options import EndpointOptions, EngineOptions, ScriptedOptions
from runners.errors import EngineFailed, EngineUnavailable
from runners.records import Chunk, Message, NotYet, Request, Synthetic
from runners.synthetic_prompts import SyntheticPrompts
from tests.making import LABELS, small_llama_options
from tests.openai_server import OpenAiServer, openai_server

pytestmark = pytest.mark.engine


def make_request(identity: str = "r1", text: str = "The parcel never came.", **changes: object) -> Request:
    return Request.model_validate(
        {
            "id": identity,
            "messages": (Message(role="user", content=text),),
            "choices": LABELS,
            "max_output_tokens": 6,
            **changes,
        }
    )


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAiServer]:
    with openai_server() as running:
        yield running


@pytest.fixture(params=["scripted", "endpoint", "llama-cpp", "llama-cpp base model"], scope="module")
def engine(request: pytest.FixtureRequest, smollm2: Path, gemma3: Path, server: OpenAiServer) -> Iterator[Engine]:
    options: EngineOptions
    weights = None
    match request.param:
        case "scripted":
            options = ScriptedOptions(token_seconds=0.001)
        case "endpoint":
            options = EndpointOptions(base_url=server.address)
        case _:
            weights = smollm2 if request.param == "llama-cpp" else gemma3
            options = small_llama_options()
    opened = open_engine(make_candidate(weights, options.engine), options)
    opened.load()
    yield opened
    opened.close()


def make_candidate(weights: Path | None, engine: str = "llama-cpp") -> Candidate:
    return Candidate(
        name="candidate",
        model_id="test/model",
        weights_path=str(weights) if weights else "",
        weights_bytes=0,
        engine=engine,
    )


def texts(chunks: list[Chunk]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for chunk in chunks:
        answers[chunk.request_id] = answers.get(chunk.request_id, "") + chunk.text
    return answers


def test_every_engine_in_the_table_has_a_version_and_opens() -> None:
    assert set(ENGINE_NAMES) == {"llama-cpp", "vllm", "endpoint", "scripted"}
    for name in set(ENGINE_NAMES) - {"vllm"}:
        assert engine_version(name)


def test_an_unknown_engine_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(EngineUnavailable, match="llama-cpp"):
        engine_version("lama-cpp")


def test_chunks_of_a_request_end_with_one_finish_reason_and_count_their_tokens(engine: Engine) -> None:
    chunks = list(engine.stream([make_request("r1"), make_request("r2", "Refund me.")], max_concurrency=2))
    for identity in ("r1", "r2"):
        own = [chunk for chunk in chunks if chunk.request_id == identity]
        assert [chunk.finish_reason is not None for chunk in own] == [False] * (len(own) - 1) + [True]
        assert sum(chunk.tokens for chunk in own) <= 6
        assert own[-1].prompt_tokens == engine.count_tokens(make_request(identity, "x")) or own[-1].prompt_tokens
        assert own[-1].cached_tokens == 0


def test_max_output_tokens_is_honoured(engine: Engine) -> None:
    chunks = list(engine.stream([make_request(max_output_tokens=2)]))
    assert sum(chunk.tokens for chunk in chunks) <= 2


def test_the_same_greedy_request_gives_the_same_text_twice(engine: Engine) -> None:
    first, second = (texts(list(engine.stream([make_request()]))) for _ in range(2))
    assert first == second


def test_the_next_request_is_taken_only_when_it_can_start(engine: Engine) -> None:
    taken: list[str] = []

    def hand_over() -> Iterator[Request]:
        for identity in ("a", "b"):
            taken.append(identity)
            yield make_request(identity)

    stream = engine.stream(hand_over(), max_concurrency=1)
    while next(stream).finish_reason is None:
        assert taken == ["a"]
    assert texts(list(stream)).keys() == {"b"}


def test_a_request_that_is_not_due_yet_is_asked_for_again_in_time(engine: Engine) -> None:
    """The engine neither ends the stream nor starts the request early, whether it has other work or not."""
    started = time.perf_counter()
    handed_over: list[float] = []

    def arrivals() -> Iterator[Request | NotYet]:
        for number, due in enumerate((0.1, 0.15, 0.6)):
            while (early := started + due - time.perf_counter()) > 0:
                yield NotYet(seconds=early)
            handed_over.append(time.perf_counter() - started - due)
            yield make_request(f"r{number}")

    assert texts(list(engine.stream(arrivals(), max_concurrency=4))).keys() == {"r0", "r1", "r2"}
    assert min(handed_over) >= 0


def test_an_answer_of_fixed_length_passes_over_the_models_own_end(engine: Engine) -> None:
    request = make_request(text="Say yes.", choices=(), max_output_tokens=48, ignore_eos=True)
    chunks = list(engine.stream([request]))
    assert chunks[-1].finish_reason == "length"
    assert (chunks[-1].output_tokens or sum(chunk.tokens for chunk in chunks)) == 48


@pytest.mark.parametrize("length", [60, 61, 200])
def test_synthetic_prompts_have_the_length_that_the_engine_then_reports(engine: Engine, length: int) -> None:
    prompts = SyntheticPrompts(engine, Synthetic(input_tokens=length, output_tokens=3), temperature=0, seed=1)
    prompts.calibrate()
    requests = prompts.requests([f"r{number}" for number in range(4)])
    last = [chunk for chunk in engine.stream(requests) if chunk.finish_reason is not None]
    assert prompts.is_exact
    assert [chunk.prompt_tokens for chunk in last] == [length] * 4
    assert len({request.messages[0].content[:20] for request in requests}) == 4


def test_a_model_loads_again_after_it_was_closed(engine: Engine) -> None:
    engine.close()
    engine.load()
    assert texts(list(engine.stream([make_request()])))["r1"]


def test_scores_come_back_for_every_request_in_order_with_all_choices(engine: Engine) -> None:
    requests = [make_request(f"r{number}", f"message {number}") for number in range(20)]
    if not engine.can_score_choices:
        with pytest.raises(EngineFailed, match="cannot score"):
            list(engine.score_choices(requests))
        return
    results = list(engine.score_choices(requests))
    assert [result.request_id for result in results] == [request.id for request in requests]
    for result in results:
        assert [score.choice for score in result.scores] == list(LABELS)
        assert all(score.logprob < 0 and math.isfinite(score.logprob) for score in result.scores)


def test_an_engine_refuses_work_before_load_and_after_close(smollm2: Path, server: OpenAiServer) -> None:
    for options in (ScriptedOptions(), EndpointOptions(base_url=server.address), small_llama_options()):
        opened = open_engine(make_candidate(smollm2, options.engine), options)
        with pytest.raises(EngineFailed, match="before load"):
            list(opened.stream([make_request()]))
        opened.load()
        opened.close()
        opened.close()
        with pytest.raises(EngineFailed, match="after close"):
            list(opened.score_choices([make_request()]))


def test_abandoning_a_stream_leaves_the_engine_usable(engine: Engine) -> None:
    stream = engine.stream([make_request("r1"), make_request("r2")])
    next(stream)
    del stream
    gc.collect()
    assert texts(list(engine.stream([make_request()])))["r1"]


def test_no_engine_leaves_a_process_behind(engine: Engine) -> None:
    list(engine.stream([make_request()]))
    names = [child.name() for child in psutil.Process().children(recursive=True)]
    assert not [name for name in names if "llama" in name]


@pytest.fixture(scope="module")
def chat(smollm2: Path) -> Iterator[Engine]:
    opened = open_engine(make_candidate(smollm2), small_llama_options())
    opened.load()
    yield opened
    opened.close()


def test_shared_prefix_and_batching_do_not_change_the_scores(chat: Engine) -> None:
    system = Message(role="system", content="Sort the message into one of: delivery, returns, billing.")
    requests = [
        make_request(f"r{number}", messages=(system, Message(role="user", content=text)))
        for number, text in enumerate(
            ("Where is my parcel?", "I was charged twice", "The lamp is broken, take it back")
        )
    ]
    together = {result.request_id: result for result in chat.score_choices(requests)}
    assert together["r0"].cached_tokens > 10
    for request in requests:
        (alone,) = chat.score_choices([request])
        assert alone.cached_tokens == 0
        assert alone.prompt_tokens == together[request.id].prompt_tokens
        for one, other in zip(alone.scores, together[request.id].scores, strict=True):
            # Where the shared beginning ends decides what is added up together; see runners/llama_cells.py.
            assert one.logprob == pytest.approx(other.logprob, rel=0.03, abs=0.4)


def test_choice_scores_are_the_log_probabilities_of_the_reference_implementation(smollm2: Path, chat: Engine) -> None:
    import llama_cpp
    import numpy as np

    request = make_request(choices=("cancellation", "returns"))
    reference = llama_cpp.Llama(str(smollm2), n_ctx=512, logits_all=True, verbose=False)
    prompt = reference.tokenize(chat.prompt_text(request).encode(), special=True, add_bos=False)
    (result,) = chat.score_choices([request])
    for score in result.scores:
        choice = reference.tokenize(score.choice.encode(), special=False, add_bos=False)
        reference.n_tokens = 0
        reference.eval(prompt + choice)
        logits = np.array(reference.scores[len(prompt) - 1 : len(prompt) + len(choice) - 1], dtype=np.float64)
        rows = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        expected = sum(rows[index, token] for index, token in enumerate(choice))
        assert score.tokens == len(choice)
        assert score.logprob == pytest.approx(expected, rel=0.03, abs=0.15)
    reference.close()


def test_a_prompt_that_does_not_fit_is_overflow_and_the_others_are_answered(chat: Engine) -> None:
    requests = [make_request("long", "word " * 2000), make_request("short")]
    chunks = list(chat.stream(requests))
    assert next((chunk.request_id, chunk.finish_reason) for chunk in chunks if chunk.finish_reason) == (
        "long",
        "overflow",
    )
    assert texts(chunks)["short"]
    scores = list(chat.score_choices(requests))
    assert scores[0].scores == ()
    assert len(scores[1].scores) == 3


def test_a_prompt_longer_than_one_batch_is_decoded_in_pieces(smollm2: Path) -> None:
    opened = open_engine(make_candidate(smollm2), small_llama_options(batch_tokens=32))
    opened.load()
    long = make_request("long", "The parcel is late. " * 30)
    (alone,) = opened.score_choices([long])
    assert alone.prompt_tokens > 100
    assert len(alone.scores) == 3
    assert texts(list(opened.stream([long])))["long"]
    opened.close()


def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(chat: Engine) -> None:
    (plain,) = texts(list(chat.stream([make_request(max_output_tokens=20)]))).values()
    stop = plain[5:9]
    chunks = list(chat.stream([make_request(max_output_tokens=20, stop=(stop,))]))
    assert texts(chunks)["r1"] == plain[: plain.index(stop)]
    assert chunks[-1].finish_reason == "stop"


def test_sampling_depends_on_the_seed_and_on_nothing_else(chat: Engine) -> None:
    def sample(seed: int) -> str:
        request = make_request(temperature=1.5, seed=seed, max_output_tokens=12, choices=())
        return texts(list(chat.stream([request])))["r1"]

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(4)}) > 1


def test_a_missing_or_corrupt_file_is_a_sentence_and_no_crash(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\x03\0\0\0" + b"\xff" * 64)
    for path in (broken, tmp_path / "missing.gguf"):
        opened = open_engine(make_candidate(path), small_llama_options())
        with pytest.raises(EngineFailed, match="could not load"):
            opened.load()
        opened.close()
