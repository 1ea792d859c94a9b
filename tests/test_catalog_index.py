"""Search: what is found, what is left out and by which rule, in which order, and how fast."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import ModelNotFound
from catalog.index import FILTERS, Index
from catalog.memory import GIB
from catalog.records import (
    Architecture,
    Exclusion,
    FitValue,
    GpuDevice,
    Machine,
    Model,
    ModelQuery,
    Profile,
    SearchResult,
    SortKey,
    VerdictValue,
)
from catalog.snapshot import load_starter_models

STARTER = load_starter_models()
DESK = Machine(name="desk", cpu="test", logical_cores=8, memory_total_bytes=32 * GIB, memory_available_bytes=24 * GIB)
NETWORK = Architecture(layers=32, hidden_size=4096, heads=32, kv_heads=8, head_dim=128, vocabulary_size=128_256)
MODEL = Model(
    id="maker/chat-8b",
    task="text-generation",
    license="apache-2.0",
    parameters=8_030_261_248,
    context_native_tokens=8_192,
    context_extended_tokens=32_768,
    context_extension="yarn_opt_in",
    architecture=NETWORK,
    formats=("safetensors",),
    languages=("en", "de"),
)


def _search(*models: Model, query: ModelQuery | None = None, profile: Profile | None = None) -> SearchResult:
    return Index(models).search(query or ModelQuery(), profile or Profile(), DESK)


def _exclusion(query: ModelQuery, model: Model = MODEL) -> Exclusion:
    result = _search(model, query=query)
    assert result.hits == ()
    (exclusion,) = result.exclusions
    return exclusion


def test_a_search_without_filters_returns_everything_judged() -> None:
    result = _search(MODEL)
    assert (result.matches, result.considered, result.exclusions) == (1, 1, ())
    assert result.hits[0].verdict.value is VerdictValue.ALLOWED
    assert result.hits[0].fit.value is FitValue.FITS


@pytest.mark.parametrize(
    ("query", "rule", "reason"),
    [
        (ModelQuery(text="chat 70b"), "text", "'maker/chat-8b' does not contain '70b'"),
        (ModelQuery(task="text-to-image"), "task", "the task is text-generation, not text-to-image"),
        (ModelQuery(format="gguf"), "format", "offered as safetensors, not as gguf"),
        (ModelQuery(language="fr"), "language", "the card lists en, de, not 'fr'"),
        (
            ModelQuery(min_parameters=9 * 10**9),
            "min_parameters",
            "8,030,261,248 parameters are fewer than 9,000,000,000",
        ),
        (ModelQuery(max_parameters=10**9), "max_parameters", "8,030,261,248 parameters are more than 1,000,000,000"),
        (
            ModelQuery(min_context_tokens=131_072),
            "min_context",
            "8,192 tokens of native context are fewer than 131,072",
        ),
        (
            ModelQuery(min_context_tokens=16_384),
            "min_context",
            "8,192 tokens of native context are fewer than 16,384; 32,768 can be reached by yarn_opt_in",
        ),
        (
            ModelQuery(fits=True, quantization="F32"),
            "fits",
            "does not fit: it needs about 30.8 GiB, and 24.0 GiB of main memory are free.",
        ),
    ],
)
def test_an_exclusion_gives_the_rule_the_value_and_the_limit(query: ModelQuery, rule: str, reason: str) -> None:
    assert _exclusion(query) == Exclusion(model_id="maker/chat-8b", rule=rule, reason=reason)


def test_a_verdict_that_is_not_wanted_excludes_with_its_reason() -> None:
    restricted = MODEL.model_copy(update={"license": "cc-by-nc-4.0"})
    exclusion = _exclusion(ModelQuery(verdicts=(VerdictValue.ALLOWED,)), restricted)
    assert exclusion.rule == "verdict"
    assert exclusion.reason.startswith("forbidden under cc-by-nc-4.0, not allowed: The license grants")


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        (ModelQuery(task="text-generation"), "task"),
        (ModelQuery(format="gguf"), "format"),
        (ModelQuery(language="en"), "language"),
        (ModelQuery(min_parameters=1), "min_parameters"),
        (ModelQuery(max_parameters=10**15), "max_parameters"),
        (ModelQuery(min_context_tokens=1), "min_context"),
        (ModelQuery(verdicts=(VerdictValue.ALLOWED, VerdictValue.CONDITIONAL)), "verdict"),
        (ModelQuery(fits=True), "fits"),
    ],
)
def test_a_filter_on_an_unknown_fact_excludes_as_unknown(query: ModelQuery, rule: str) -> None:
    exclusion = _exclusion(query, Model(id="who/knows"))
    assert exclusion.rule == rule
    assert exclusion.reason.startswith("unknown")


def test_the_first_rule_in_the_documented_order_is_named() -> None:
    assert list(FILTERS) == [
        "text",
        "task",
        "format",
        "language",
        "min_parameters",
        "max_parameters",
        "min_context",
        "verdict",
        "fits",
    ]
    everything_wrong = ModelQuery(
        text="nothing",
        task="x",
        format="x",
        language="x",
        min_parameters=10**15,
        max_parameters=0,
        min_context_tokens=10**9,
        verdicts=(),
        fits=True,
        quantization="F32",
    )
    relaxed = {
        "text": {"text": None},
        "task": {"task": None},
        "format": {"format": None},
        "language": {"language": None},
        "min_parameters": {"min_parameters": None},
        "max_parameters": {"max_parameters": None},
        "min_context": {"min_context_tokens": None},
        "verdict": {"verdicts": None},
    }
    query = everything_wrong
    for rule in FILTERS:
        assert _exclusion(query).rule == rule
        query = query.model_copy(update=relaxed.get(rule, {}))


def test_a_tight_model_counts_as_fitting() -> None:
    query = ModelQuery(fits=True, quantization="Q8_0", context_tokens=8_192, concurrency=14)
    (hit,) = _search(MODEL, query=query).hits
    assert hit.fit.value is FitValue.TIGHT


def test_the_machine_decides_what_fits() -> None:
    small_gpu = GpuDevice(name="card", total_bytes=4 * GIB, free_bytes=4 * GIB)
    with_gpu = DESK.model_copy(update={"gpus": (small_gpu,)})
    result = Index([MODEL]).search(ModelQuery(fits=True), Profile(), with_gpu)
    assert "4.0 GiB of card are free. It would run on the CPU instead" in result.exclusions[0].reason


def test_the_profile_decides_what_is_found() -> None:
    query = ModelQuery(verdicts=(VerdictValue.ALLOWED, VerdictValue.CONDITIONAL), limit=1000)
    company = Index(STARTER).search(query, Profile(), DESK)
    student = Index(STARTER).search(query, Profile(commercial=False, annual_revenue_usd=0), DESK)
    assert company.matches < student.matches
    assert {hit.model.id for hit in company.hits} < {hit.model.id for hit in student.hits}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("downloads", ["b/mid", "a/top", "c/unknown"]),
        ("likes", ["a/top", "b/mid", "c/unknown"]),
        ("trending", ["b/mid", "a/top", "c/unknown"]),
        ("parameters", ["a/top", "b/mid", "c/unknown"]),
        ("context", ["b/mid", "a/top", "c/unknown"]),
        ("name", ["a/top", "b/mid", "c/unknown"]),
        ("released", ["b/mid", "a/top", "c/unknown"]),
    ],
)
def test_results_come_in_order_with_unknown_values_last(sort: SortKey, expected: list[str]) -> None:
    models = (
        Model(id="c/unknown"),
        Model(
            id="a/top",
            downloads=5,
            likes=9,
            trending_score=-1.5,
            parameters=9,
            context_native_tokens=1,
            released="2024-07",
        ),
        Model(
            id="b/mid",
            downloads=7,
            likes=8,
            trending_score=0.0,
            parameters=8,
            context_native_tokens=2,
            released="2024-07-18",
        ),
    )
    result = _search(*models, query=ModelQuery(sort=sort))
    assert [hit.model.id for hit in result.hits] == expected


def test_the_limit_cuts_the_hits_but_not_the_count() -> None:
    result = Index(STARTER).search(ModelQuery(limit=3), Profile(), DESK)
    assert len(result.hits) == 3
    assert result.matches == result.considered == len(STARTER)


def test_models_are_found_by_id_in_any_case() -> None:
    index = Index(STARTER)
    assert index.find(" qwen/QWEN3-8b ").id == "Qwen/Qwen3-8B"


@pytest.mark.parametrize("asked", ["Qwen/Qwen3-8", "Qwen3-8B", "qwen/qwen-3-8b"])
def test_a_model_that_is_not_found_is_answered_with_close_matches(asked: str) -> None:
    with pytest.raises(
        ModelNotFound, match=r"No model '.*' among the \d+ in the catalog\. Did you mean .*Qwen/Qwen3-8B"
    ):
        Index(STARTER).find(asked)


def test_a_model_without_any_likeness_gets_advice() -> None:
    with pytest.raises(ModelNotFound, match="Search by a part of its name"):
        Index(STARTER).find("@@@@")


def test_of_two_models_with_one_id_the_later_counts() -> None:
    index = Index([MODEL, MODEL.model_copy(update={"id": "Maker/Chat-8B", "likes": 3})])
    assert index.find("maker/chat-8b").likes == 3
    assert index.search(ModelQuery(), Profile(), DESK).considered == 1


def test_a_hundred_models_are_searched_in_a_tenth_of_a_second() -> None:
    index = Index(STARTER[:100])
    query = ModelQuery(fits=True, verdicts=tuple(VerdictValue), min_context_tokens=1, limit=100)
    durations = []
    for _ in range(5):
        begin = time.perf_counter()
        index.search(query, Profile(), DESK)
        durations.append(time.perf_counter() - begin)
    assert min(durations) < 0.1


queries = st.builds(
    ModelQuery,
    text=st.sampled_from([None, "qwen", "llama instruct", "7B", "zzz"]),
    verdicts=st.none() | st.lists(st.sampled_from(list(VerdictValue)), max_size=3).map(tuple),
    min_parameters=st.none() | st.integers(0, 10**12),
    max_parameters=st.none() | st.integers(0, 10**12),
    min_context_tokens=st.none() | st.integers(0, 200_000),
    fits=st.booleans(),
    quantization=st.sampled_from(["Q4_K_M", "F16", "odd"]),
    context_tokens=st.integers(1, 200_000),
    concurrency=st.integers(1, 8),
    format=st.sampled_from([None, "gguf", "safetensors"]),
    task=st.sampled_from([None, "text-generation", "text-to-image"]),
    language=st.sampled_from([None, "en", "de"]),
    sort=st.sampled_from(["downloads", "likes", "trending", "parameters", "context", "name", "released"]),
)
profiles = st.builds(Profile, commercial=st.booleans(), eu_based=st.booleans(), trains_on_outputs=st.booleans())


@settings(deadline=None)
@given(queries, profiles)
def test_every_model_is_either_found_or_left_out_with_a_reason(query: ModelQuery, profile: Profile) -> None:
    result = Index(STARTER).search(query.model_copy(update={"limit": 10_000}), profile, DESK)
    found = {hit.model.id for hit in result.hits}
    left_out = {exclusion.model_id for exclusion in result.exclusions}
    assert found | left_out == {model.id for model in STARTER}
    assert not found & left_out
    assert len(result.hits) + len(result.exclusions) == result.considered == len(STARTER)
    assert result.matches == len(result.hits)
    assert all(exclusion.rule in FILTERS and exclusion.reason for exclusion in result.exclusions)
    assert SearchResult.model_validate_json(result.model_dump_json()) == result


@settings(deadline=None)
@given(queries, profiles)
def test_every_hit_meets_the_query(query: ModelQuery, profile: Profile) -> None:
    for hit in Index(STARTER).search(query, profile, DESK).hits:
        assert query.verdicts is None or hit.verdict.value in query.verdicts
        assert query.min_parameters is None or (hit.model.parameters or -1) >= query.min_parameters
        assert query.max_parameters is None or (hit.model.parameters or 10**15) <= query.max_parameters
        assert query.min_context_tokens is None or (hit.model.context_native_tokens or -1) >= query.min_context_tokens
        assert not query.fits or hit.fit.value in {FitValue.FITS, FitValue.TIGHT}
        assert query.task in {None, hit.model.task}
        assert query.language is None or query.language in hit.model.languages


@settings(deadline=None)
@given(st.lists(st.sampled_from(STARTER), max_size=5), st.integers(1, 4))
def test_the_order_does_not_depend_on_how_models_came_in(models: list[Model], limit: int) -> None:
    query = ModelQuery(limit=limit)
    forward = Index(models).search(query, Profile(), DESK)
    backward = Index(reversed(models)).search(query, Profile(), DESK)
    assert forward == backward
