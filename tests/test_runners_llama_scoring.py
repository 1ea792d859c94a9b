"""Label scoring with real models: no score depends on its neighbours, and no list of answers is too long."""

import csv
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from catalog.records import Candidate
from runners.engine_options import LlamaCppOptions
from runners.llama_cpp_engine import LlamaCppEngine
from runners.llama_scoring import Item, Scoring
from runners.records import Message, Request
from tests.making import LABELS

pytestmark = pytest.mark.engine

MANY_LABELS = tuple(f"{kind} {thing}" for kind in ("new", "old", "red", "big") for thing in "ABCDEFGHIJKLMNOPQRST")


@pytest.fixture(scope="module", params=["Q4_1", "Q4_K_M"])
def engine(request: pytest.FixtureRequest, smollm2: Path, gemma3: Path) -> Iterator[LlamaCppEngine]:
    weights = smollm2 if request.param == "Q4_1" else gemma3
    candidate = Candidate(name="c", model_id="m", weights_path=str(weights), weights_bytes=0, engine="llama-cpp")
    opened = LlamaCppEngine(candidate, LlamaCppOptions(context_tokens=2048))
    opened.load()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    with files("workbench.demo").joinpath("support_messages.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:16]
    shown = tuple(
        Message.model_validate({"role": role, "content": content})
        for text, label in (("where is my parcel", LABELS[0]), ("my card was charged twice", LABELS[1]))
        for role, content in (("user", f"Message: {text}\nIntent:"), ("assistant", label))
    )
    return [
        Request(
            id=f"r{number}",
            messages=(*shown, Message(role="user", content=f"Message: {text}\nIntent:")),
            choices=LABELS,
        )
        for number, text in enumerate(texts)
    ]


def logprobs(engine: LlamaCppEngine, requests: list[Request]) -> dict[str, list[float]]:
    return {
        found.request_id: [score.logprob for score in found.scores] for found in engine.score_choices(tuple(requests))
    }


def test_no_score_depends_on_the_batch_or_the_neighbours(engine: LlamaCppEngine, requests: list[Request]) -> None:
    """Among prompts that begin alike: where the shared beginning ends is part of how a prompt is computed."""
    together = logprobs(engine, requests)
    backwards = logprobs(engine, requests[::-1])
    few = logprobs(engine, requests[2:10:3])
    for other in (backwards, few):
        for name, values in other.items():
            assert values == pytest.approx(together[name], abs=1e-4)


def test_a_part_of_the_work_is_scored_as_with_all_of_it(engine: LlamaCppEngine, requests: list[Request]) -> None:
    """What is missing of a run may begin alike further than the whole, and must not be computed otherwise."""
    whole = logprobs(engine, requests)
    alike = [requests[3], requests[3].model_copy(update={"id": "again"})]
    for found in engine.score_choices(alike, sharing=requests):
        assert [score.logprob for score in found.scores] == pytest.approx(whole["r3"], abs=1e-4)


def test_a_list_of_answers_longer_than_the_sequences_is_scored_whole(
    engine: LlamaCppEngine, requests: list[Request]
) -> None:
    asked = [request.model_copy(update={"choices": MANY_LABELS}) for request in requests[:2]]
    whole = logprobs(engine, asked)
    halves: dict[str, list[float]] = {request.id: [] for request in asked}
    for part in (MANY_LABELS[:40], MANY_LABELS[40:]):
        scored = logprobs(engine, [request.model_copy(update={"choices": part}) for request in asked])
        for name, values in scored.items():
            halves[name] += values
    for name, values in whole.items():
        assert values == pytest.approx(halves[name], abs=1e-4)


def test_branches_on_copied_states_give_the_same_as_shared_tokens(
    engine: LlamaCppEngine, requests: list[Request]
) -> None:
    """The way of recurrent networks, taken by one that needs it not; tenths are what rounding does (llama_cells.py)."""
    shared = logprobs(engine, requests)
    model = engine._ready()
    items = []
    for request in requests:
        prompt = model.text.render(request)
        choices = model.text.encode_choices(prompt.separator, request.choices)
        items.append(Item(model.text.encode(prompt.text), choices))
    copied = [item.logprobs for item, _ in Scoring(model.decoder, engine._room(model), None).score(items)]
    for request, values in zip(requests, copied, strict=True):
        assert values == pytest.approx(shared[request.id], abs=0.7)


def test_a_layout_gives_all_its_cells_back(engine: LlamaCppEngine, requests: list[Request]) -> None:
    first = logprobs(engine, requests)
    for _ in range(2):
        assert logprobs(engine, requests) == first
