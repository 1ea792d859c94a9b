"""Generating with real models: neighbours, grammars, schemas, log-probabilities, and options of the cache."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import llama_cpp
import pytest

from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions
from runners.errors import EngineFailed
from runners.llama_cpp_engine import LlamaCppEngine
from runners.llama_generation import Bounds, Generation
from runners.llama_offload import ALL_LAYERS, ModelShape, layers_that_fit
from runners.llama_threads import fastest, thread_counts
from runners.records import Chunk, Message, Request
from tests.making import LABELS

pytestmark = pytest.mark.engine

TEXTS = (
    *("Where is my parcel?", "I was charged twice.", "Take the lamp back.", "It says delivered, but it is not here!"),
    *("Refund me.", "The invoice lacks my VAT number, please send a new one.", "Wrong size.", "Leave it with Ms Ito."),
    *("Why 3.99 for post?", "Box open, one cup missing.", "Card declined?", "Can I return shoes that I wore once?"),
)


def open_model(weights: Path, **options: object) -> LlamaCppEngine:
    candidate = Candidate(name="c", model_id="m", weights_path=str(weights), weights_bytes=0, engine="llama-cpp")
    opened = LlamaCppEngine(candidate, LlamaCppOptions.model_validate({"context_tokens": 1024, **options}))
    opened.load()
    return opened


@pytest.fixture(scope="module", params=["Q4_1", "Q4_K_M"])
def engine(request: pytest.FixtureRequest, smollm2: Path, gemma3: Path) -> Iterator[LlamaCppEngine]:
    opened = open_model(smollm2 if request.param == "Q4_1" else gemma3)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def chat(smollm2: Path) -> Iterator[LlamaCppEngine]:
    opened = open_model(smollm2)
    yield opened
    opened.close()


def ask(text: str, identity: str = "r", **changes: object) -> Request:
    messages = (Message(role="system", content="Answer politely."), Message(role="user", content=text))
    return Request.model_validate({"id": identity, "messages": messages, "max_output_tokens": 10, **changes})


def answers(chunks: Iterator[Chunk]) -> dict[str, tuple[str, tuple[float, ...]]]:
    found: dict[str, tuple[str, tuple[float, ...]]] = {}
    for chunk in chunks:
        text, logprobs = found.get(chunk.request_id, ("", ()))
        found[chunk.request_id] = (text + chunk.text, logprobs + chunk.logprobs)
    return found


def answer(engine: LlamaCppEngine, **changes: object) -> str:
    request = ask("I was charged twice.").model_copy(update=changes)
    return answers(engine.stream([request]))["r"][0]


def test_answers_are_the_same_one_by_one_and_sixteen_at_once(engine: LlamaCppEngine) -> None:
    requests = [ask(text, f"r{number}", logprobs=True) for number, text in enumerate(TEXTS)]
    together = answers(engine.stream(requests, max_concurrency=16, sharing=requests))
    alone = answers(engine.stream(requests, max_concurrency=1, sharing=requests))
    assert together.keys() == {request.id for request in requests}
    same = sum(together[name][0] == alone[name][0] for name in together)
    assert same >= 0.995 * len(requests)
    for name, (_, logprobs) in together.items():
        assert logprobs == pytest.approx(alone[name][1], abs=1e-4)


def test_what_prompts_share_is_computed_once_and_said(chat: LlamaCppEngine) -> None:
    requests = [ask(text, f"r{number}") for number, text in enumerate(TEXTS[:3])]
    cached = {chunk.cached_tokens for chunk in chat.stream(requests, sharing=requests) if chunk.finish_reason}
    (shared,) = cached
    assert shared is not None
    assert shared > 5
    assert {chunk.cached_tokens for chunk in chat.stream(requests) if chunk.finish_reason} == {0}


def test_a_finished_answer_makes_room_for_the_next_at_once(chat: LlamaCppEngine) -> None:
    """Two short answers and a long one, two at once: the third starts while the long one goes on."""
    lengths = {"long": 12, "short": 2, "next": 2}
    requests = [
        ask(TEXTS[number], name, max_output_tokens=tokens) for number, (name, tokens) in enumerate(lengths.items())
    ]
    order = [chunk.request_id for chunk in chat.stream(requests, max_concurrency=2, sharing=requests) if chunk.tokens]
    assert max(place for place, name in enumerate(order) if name == "next") < len(order) - 1
    assert order[-1] == "long"


def test_a_prompt_that_fits_no_region_is_overflow_and_one_that_fills_the_cells_is_answered(
    chat: LlamaCppEngine,
) -> None:
    filling = ask("word " * 700, "filling")
    requests = [ask("word " * 2000, "too long"), filling, ask(TEXTS[0], "short")]
    ends = {
        chunk.request_id: chunk.finish_reason
        for chunk in chat.stream(requests, max_concurrency=4, sharing=requests)
        if chunk.finish_reason
    }
    assert ends["too long"] == "overflow"
    assert ends["filling"] in {"stop", "length"}
    assert ends["short"] in {"stop", "length"}


def test_networks_whose_state_is_copied_share_a_beginning_too(chat: LlamaCppEngine) -> None:
    model = chat._ready()
    requests = [ask(text, f"r{number}") for number, text in enumerate(TEXTS[:4])]
    generation = Generation(model, Bounds(sequences=8, batch_tokens=512, cells=1024), None)
    found = answers(generation.run(requests, 4, requests))
    assert all(text for text, _ in found.values())
    assert len(found) == 4


def test_an_answer_can_be_held_to_the_labels(engine: LlamaCppEngine) -> None:
    for text in TEXTS[:4]:
        found = answers(engine.stream([ask(text, choices=LABELS)]))["r"][0]
        assert found.strip() in LABELS


def test_an_answer_can_be_held_to_a_schema(chat: LlamaCppEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"label": {"enum": list(LABELS)}, "urgent": {"type": "boolean"}},
        "required": ["label", "urgent"],
        "additionalProperties": False,
    }
    found = json.loads(answer(chat, json_schema=json.dumps(schema), max_output_tokens=60))
    assert found["label"] in LABELS
    assert isinstance(found["urgent"], bool)
    warm = json.loads(answer(chat, json_schema=json.dumps(schema), max_output_tokens=60, temperature=1.0, seed=3))
    assert warm.keys() == {"label", "urgent"}


def test_an_answer_can_be_held_to_a_grammar(chat: LlamaCppEngine) -> None:
    assert answer(chat, grammar='root ::= "yes, " [0-9]{3}').startswith("yes, ")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"grammar": "root ::= ("}, "does not read this grammar"),
        ({"json_schema": '{"$ref": "https://example.com/schema.json"}'}, "cannot be turned into a grammar"),
    ],
)
def test_a_grammar_that_cannot_be_read_is_a_sentence(
    chat: LlamaCppEngine, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(EngineFailed, match=sentence):
        answer(chat, **changes)
    assert answer(chat)


def test_log_probabilities_belong_to_the_tokens_and_are_given_only_where_asked_for(chat: LlamaCppEngine) -> None:
    chunks = list(chat.stream([ask(TEXTS[0], logprobs=True)]))
    assert [len(chunk.logprobs) for chunk in chunks] == [chunk.tokens for chunk in chunks]
    values = [value for chunk in chunks for value in chunk.logprobs]
    # Greedy: no token is less likely than one over the vocabulary.
    assert all(-math.log(49152) < value <= 0 for value in values)
    assert not [chunk for chunk in chat.stream([ask(TEXTS[0])]) if chunk.logprobs]


@pytest.mark.parametrize("cache_type", ["f32", "q8_0"])
def test_the_cache_may_have_another_number_format(smollm2: Path, cache_type: str) -> None:
    opened = open_model(smollm2, cache_type=cache_type)
    plain = answers(opened.stream([ask(TEXTS[0])]))["r"][0]
    scored = next(opened.score_choices([ask(TEXTS[0], choices=LABELS)]))
    opened.close()
    assert plain
    assert len(scored.scores) == len(LABELS)


def test_threads_are_tried_out_unless_the_options_say_how_many(smollm2: Path) -> None:
    chosen = open_model(smollm2)
    tuned = chosen.tune()
    assert {tuned.threads, tuned.batch_threads} <= set(thread_counts())
    chosen.close()
    told = open_model(smollm2, threads=1)
    assert (told.tune().threads, told.tune().batch_threads) == (1, 1)
    told.close()


@pytest.mark.parametrize(
    ("seconds", "best"),
    [({1: 4.0, 2: 2.0, 4: 1.0}, 4), ({1: 1.0, 2: 0.99, 4: 0.98}, 1), ({2: 1.0, 4: 0.5, 8: 0.7}, 4)],
)
def test_more_threads_have_to_be_faster_by_more_than_a_hair(seconds: dict[int, float], best: int) -> None:
    assert fastest(seconds) == best


def test_the_shape_of_a_model_is_read_before_its_weights_are(chat: LlamaCppEngine) -> None:
    model = chat._ready()
    header = model._load(0, vocabulary_only=True)
    shape = model._shape(header)
    llama_cpp.llama_model_free(header)
    assert shape is not None
    assert shape.layers == 30
    # SmolLM2 135M: 3 of 9 heads of 64 numbers, keys and values at 2 bytes, 30 layers, 1,024 cells.
    assert shape.cache_bytes == 2 * 2 * 3 * 64 * 30 * 1024
    assert shape.weights_bytes > 80_000_000


GIB = 2**30


@pytest.mark.parametrize(
    ("weights", "cache", "free", "layers"),
    [
        (4 * GIB, GIB, (24 * GIB,), ALL_LAYERS),
        (4 * GIB, GIB, (), ALL_LAYERS),
        (31 * GIB, GIB, (16 * GIB,), 14),
        (31 * GIB, GIB, (16 * GIB, 16 * GIB), 28),
        (31 * GIB, GIB, (GIB // 2,), 0),
    ],
)
def test_the_gpu_gets_as_many_layers_as_its_free_memory_holds(
    weights: int, cache: int, free: tuple[int, ...], layers: int
) -> None:
    """31 layers and the output layer: 1 GiB each in the last three."""
    assert layers_that_fit(ModelShape(layers=31, weights_bytes=weights, cache_bytes=cache), free) == layers
