"""Search: what is found, what is left out and by which rule, in which order, and how fast."""

import time
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ModelNotFound
from catalog.index import Index
from catalog.index.filters import FILTERS, Judged
from catalog.lineage import judge_model
from catalog.memory import GIB, predict_fit
from catalog.records import (
    Architecture,
    Exclusion,
    FitValue,
    GpuDevice,
    Machine,
    Model,
    ModelQuery,
    Profile,
    RuleCount,
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
    library="transformers",
    gated=True,
    updated="2026-02-28",
)


@cache
def _starter() -> Index:
    return Index(STARTER)


def _search(*models: Model, query: ModelQuery | None = None, profile: Profile | None = None) -> SearchResult:
    return Index(models).search(query or ModelQuery(), profile or Profile(), DESK)


def _exclusion(query: ModelQuery, model: Model = MODEL) -> Exclusion:
    index = Index([model])
    result = index.search(query, Profile(), DESK)
    assert (result.hits, result.matches) == ((), 0)
    (counted,) = result.excluded
    (exclusion,) = index.excluded(query, Profile(), DESK, rule=counted.rule)
    assert counted == RuleCount(rule=exclusion.rule, count=1)
    assert index.why(model.id, query, Profile(), DESK) == exclusion
    return exclusion


def test_a_search_without_filters_returns_everything_judged() -> None:
    result = _search(MODEL)
    assert (result.matches, result.considered, result.excluded) == (1, 1, ())
    assert result.hits[0].verdict.value is VerdictValue.ALLOWED
    assert result.hits[0].fit.value is FitValue.FITS


@pytest.mark.parametrize(
    ("query", "rule", "reason"),
    [
        (ModelQuery(text="chat 70b"), "text", "'maker/chat-8b' does not contain '70b'"),
        (ModelQuery(task="text-to-image"), "task", "the task is text-generation, not text-to-image"),
        (ModelQuery(author="chat"), "author", "'maker/chat-8b' is not of chat"),
        (ModelQuery(kind="local"), "kind", "the model is on the Hub, not on this machine"),
        (ModelQuery(library="mlx"), "library", "the library is transformers, not mlx"),
        (ModelQuery(licenses=("MIT", "gemma")), "license", "the declared license is apache-2.0, not MIT or gemma"),
        (ModelQuery(gated=False), "gated", "terms must be accepted before download"),
        (ModelQuery(updated_since="2026-03"), "updated_since", "last changed on 2026-02-28, before 2026-03"),
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
            ModelQuery(min_context_tokens=65_536, extended_context=True),
            "min_context",
            "8,192 tokens of native context are fewer than 65,536; 32,768 with yarn_opt_in",
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
        (ModelQuery(library="transformers"), "library"),
        (ModelQuery(licenses=("mit",)), "license"),
        (ModelQuery(gated=False), "gated"),
        (ModelQuery(updated_since="2024-01-01"), "updated_since"),
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
        "author",
        "kind",
        "task",
        "library",
        "format",
        "language",
        "license",
        "gated",
        "updated_since",
        "min_parameters",
        "max_parameters",
        "min_context",
        "verdict",
        "fits",
    ]
    everything_wrong = ModelQuery(
        text="nothing",
        author="nobody",
        kind="local",
        task="x",
        library="x",
        format="x",
        language="x",
        licenses=("x",),
        gated=False,
        updated_since="2030-01-01",
        min_parameters=10**15,
        max_parameters=0,
        min_context_tokens=10**9,
        verdicts=(),
        fits=True,
        quantization="F32",
    )
    relaxed = {
        "text": {"text": None},
        "author": {"author": None},
        "kind": {"kind": None},
        "task": {"task": None},
        "library": {"library": None},
        "license": {"licenses": None},
        "gated": {"gated": None},
        "updated_since": {"updated_since": None},
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
    crowds = (ModelQuery(fits=True, quantization="Q8_0", context_tokens=8_192, concurrency=n) for n in range(1, 40))
    query = next(q for q in crowds if predict_fit(MODEL, DESK, q.fit_settings()).value is FitValue.TIGHT)
    (hit,) = _search(MODEL, query=query).hits
    assert hit.fit.value is FitValue.TIGHT


def test_a_model_too_large_is_excluded_with_the_sizes() -> None:
    exclusion = _exclusion(ModelQuery(fits=True, quantization="F32"))
    assert exclusion.rule == "fits"
    assert exclusion.reason.startswith("does not fit: it needs about 30.")
    assert exclusion.reason.endswith("GiB, and 24.0 GiB of main memory are free.")


def test_the_machine_decides_what_fits() -> None:
    small_gpu = GpuDevice(name="card", total_bytes=4 * GIB, free_bytes=4 * GIB)
    with_gpu = DESK.model_copy(update={"gpus": (small_gpu,)})
    query = ModelQuery(fits=True)
    (hit,) = Index([MODEL]).search(query, Profile(), with_gpu).hits
    assert hit.fit.value is FitValue.OFFLOAD
    exclusion = Index([MODEL]).why(MODEL.id, query.model_copy(update={"engine": "vllm"}), Profile(), with_gpu)
    assert exclusion is not None
    assert exclusion.rule == "fits"


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
    author=st.sampled_from([None, "Qwen", "meta-llama"]),
    licenses=st.sampled_from([None, ("apache-2.0", "MIT"), ()]),
    extended_context=st.booleans(),
    library=st.sampled_from([None, "transformers"]),
    gated=st.sampled_from([None, True, False]),
    kind=st.sampled_from([None, "hub"]),
    updated_since=st.sampled_from([None, "2025-06-01"]),
    text=st.sampled_from([None, "qwen", "llama instruct", "7B", "zzz"]),
    verdicts=st.none() | st.lists(st.sampled_from(list(VerdictValue)), max_size=3).map(tuple),
    min_parameters=st.none() | st.integers(0, 10**12),
    max_parameters=st.none() | st.integers(0, 10**12),
    min_context_tokens=st.none() | st.integers(0, 200_000),
    fits=st.booleans(),
    quantization=st.sampled_from(["Q4_K_M", "Q4_0", "F16", "odd"]),
    engine=st.sampled_from(["llama-cpp", "vllm"]),
    cache_type=st.sampled_from(["f16", "q8_0"]),
    context_tokens=st.integers(1, 200_000),
    concurrency=st.integers(1, 8),
    format=st.sampled_from([None, "gguf", "safetensors"]),
    task=st.sampled_from([None, "text-generation", "text-to-image"]),
    language=st.sampled_from([None, "en", "de"]),
    sort=st.sampled_from(["downloads", "likes", "trending", "parameters", "context", "name", "released"]),
)
profiles = st.builds(Profile, commercial=st.booleans(), eu_based=st.booleans(), trains_on_outputs=st.booleans())


@given(queries, profiles)
def test_every_model_is_either_found_or_left_out_with_a_reason(query: ModelQuery, profile: Profile) -> None:
    index = _starter()
    result = index.search(query.model_copy(update={"limit": 10_000}), profile, DESK)
    found = {hit.model.id for hit in result.hits}
    pages = [index.excluded(query, profile, DESK, rule=rule, limit=1_000) for rule in FILTERS]
    exclusions = [exclusion for page in pages for exclusion in page]
    left_out = {exclusion.model_id for exclusion in exclusions}
    assert found | left_out == {model.id for model in STARTER}
    assert not found & left_out
    assert len(result.hits) + len(exclusions) == result.considered == len(STARTER)
    assert result.matches == len(result.hits)
    assert {count.rule: count.count for count in result.excluded} == Counter(entry.rule for entry in exclusions)
    assert all(exclusion.reason for exclusion in exclusions)
    assert SearchResult.model_validate_json(result.model_dump_json()) == result


machines = st.sampled_from(
    [
        DESK,
        DESK.model_copy(update={"memory_available_bytes": 3 * GIB, "instruction_sets": ("avx2",)}),
        DESK.model_copy(update={"gpus": (GpuDevice(name="card", total_bytes=8 * GIB, free_bytes=8 * GIB),)}),
    ]
)


@given(queries, profiles, machines)
def test_all_models_at_once_are_judged_as_one_by_one(query: ModelQuery, profile: Profile, machine: Machine) -> None:
    found = _starter().search(query.model_copy(update={"limit": 1_000}), profile, machine)
    expected: Counter[str] = Counter()
    for model in STARTER:
        judged = Judged(
            model,
            judge_model(model, profile, _starter().license_facts),
            predict_fit(model, machine, query.fit_settings()),
        )
        reasons = ((rule, check.reason(judged, query)) for rule, check in FILTERS.items())
        expected[next((rule for rule, reason in reasons if reason is not None), "passes")] += 1
    assert found.matches == expected.pop("passes", 0)
    assert {count.rule: count.count for count in found.excluded} == dict(expected)


@given(queries, profiles)
def test_every_hit_meets_the_query(query: ModelQuery, profile: Profile) -> None:
    for hit in _starter().search(query, profile, DESK).hits:
        assert query.verdicts is None or hit.verdict.value in query.verdicts
        assert query.min_parameters is None or (hit.model.parameters or -1) >= query.min_parameters
        assert query.max_parameters is None or (hit.model.parameters or 10**15) <= query.max_parameters
        assert query.min_context_tokens is None or (hit.model.context_native_tokens or -1) >= query.min_context_tokens
        assert not query.fits or hit.fit.value in {FitValue.FITS, FitValue.TIGHT, FitValue.OFFLOAD}
        assert query.task in {None, hit.model.task}
        assert query.language is None or query.language in hit.model.languages


@given(st.lists(st.sampled_from(STARTER), max_size=5), st.integers(1, 4))
def test_the_order_does_not_depend_on_how_models_came_in(models: list[Model], limit: int) -> None:
    query = ModelQuery(limit=limit)
    forward = Index(models).search(query, Profile(), DESK)
    backward = Index(reversed(models)).search(query, Profile(), DESK)
    assert forward == backward
