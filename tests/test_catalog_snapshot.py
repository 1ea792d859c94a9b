"""The starter snapshot: enough models, every fact with a source, and the known errors of public lists not repeated."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.errors import BadCatalogData
from catalog.records import Architecture, LayerGroup, Model, Profile, Provenance, WeightsFile
from catalog.snapshot import load_snapshot_date, load_starter_models, parse_snapshot
from tests.config_samples import MIB, cached_bytes

MODELS = {model.id: model for model in load_starter_models()}

REQUIRED = [
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "google/gemma-3-270m",
    "google/gemma-3-270m-it",
    "google/gemma-3-1b-it",
    "google/gemma-3-4b-it",
    "google/gemma-3-12b-it",
    "google/gemma-3-27b-it",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-3B-Instruct",
    "Qwen/Qwen2.5-72B-Instruct",
    "Qwen/Qwen3-0.6B",
    "Qwen/Qwen3-8B",
    "meta-llama/Llama-2-7b-chat-hf",
    "meta-llama/Meta-Llama-3-8B-Instruct",
    "meta-llama/Llama-3.1-405B-Instruct",
    "meta-llama/Llama-3.2-11B-Vision-Instruct",
    "meta-llama/Llama-3.3-70B-Instruct",
    "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "mistralai/Codestral-22B-v0.1",
    "mistralai/Mistral-Large-Instruct-2407",
    "microsoft/Phi-4-mini-instruct",
    "microsoft/phi-4",
    "openai/gpt-oss-20b",
    "openai/gpt-oss-120b",
    "deepseek-ai/DeepSeek-V3",
    "deepseek-ai/DeepSeek-R1",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "mosaicml/mpt-7b",
    "mosaicml/mpt-30b",
    "Salesforce/xgen-7b-8k-base",
    "openchat/openchat-3.5-0106",
    "openchat/openchat_v3.1",
    "lmsys/vicuna-7b-v1.5",
    "tiiuae/falcon-7b-instruct",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "allenai/OLMo-2-1124-7B-Instruct",
    "ibm-granite/granite-3.3-8b-instruct",
    "moonshotai/Kimi-K2-Instruct",
    "zai-org/GLM-5",
    "LiquidAI/LFM2-1.2B",
    "01-ai/Yi-1.5-9B-Chat",
    "bigscience/bloom",
    "bigcode/starcoder2-15b",
    "black-forest-labs/FLUX.1-schnell",
    "openai/whisper-large-v3",
    "BAAI/bge-m3",
    "sentence-transformers/all-MiniLM-L6-v2",
]

WITHOUT_SOURCE = {"id", "kind", "notes", "provenance"}


def test_the_snapshot_is_dated_and_large_enough() -> None:
    assert load_snapshot_date() == "2026-11-21"
    assert len(MODELS) >= 75
    assert set(REQUIRED) <= set(MODELS)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.id)
def test_every_fact_of_every_model_has_a_source(model: Model) -> None:
    sourced = {entry.field for entry in model.provenance}
    stated = {field for field in Model.model_fields if getattr(model, field) not in (None, ())}
    assert stated - WITHOUT_SOURCE - sourced == set()
    assert {field.partition(".")[0] for field in sourced} <= stated
    assert all(entry.source.strip() for entry in model.provenance)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.id)
def test_architectures_are_consistent(model: Model) -> None:
    a = model.architecture or Architecture()
    assert (a.kv_lora_rank is None) == (a.qk_rope_head_dim is None)
    for group in a.layer_groups:
        assert (group.window_tokens is not None) == (group.kind in {"sliding", "chunked"})
        assert (group.key_dim is None) == (group.kind in {"recurrent", "none"})
    if a.kv_lora_rank is not None:
        assert a.head_dim is None, "with latent attention a head size invites the wrong formula"
    if a.layers is not None:
        assert sum(group.layers for group in a.layer_groups) in {0, a.layers}
    if a.heads and a.kv_heads:
        assert a.heads % a.kv_heads == 0
    if a.vocabulary_size and a.hidden_size and model.parameters:
        assert a.vocabulary_size * a.hidden_size < model.parameters


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.id)
def test_sizes_and_contexts_are_plausible(model: Model) -> None:
    if model.parameters is not None:
        assert 10**7 < model.parameters < 4 * 10**12
        assert (model.active_parameters or 0) < model.parameters
    if model.context_extended_tokens is not None:
        assert model.context_extended_tokens >= (model.context_native_tokens or 0)
        assert model.context_extension not in (None, "none")


@pytest.mark.parametrize(
    ("model_id", "license_id", "license_name"),
    [
        ("mosaicml/mpt-30b", "apache-2.0", None),
        ("mosaicml/mpt-7b-chat", "cc-by-nc-sa-4.0", None),
        ("mosaicml/mpt-30b-chat", "cc-by-nc-sa-4.0", None),
        ("Salesforce/xgen-7b-8k-base", "apache-2.0", None),
        ("Salesforce/xgen-7b-8k-inst", "cc-by-nc-4.0", None),
        ("lmsys/vicuna-7b-v1.5", "llama2", None),
        ("lmsys/vicuna-7b-v1.3", None, "Non-commercial license"),
        ("Qwen/Qwen2.5-3B-Instruct", "other", "qwen-research"),
        ("Qwen/Qwen2.5-7B-Instruct", "apache-2.0", None),
        ("Qwen/Qwen2.5-72B-Instruct", "other", "qwen"),
        ("mistralai/Codestral-22B-v0.1", "other", "mnpl"),
        ("mistralai/Mistral-Large-Instruct-2407", "other", "mrl"),
        ("CohereLabs/c4ai-command-r-v01", "cc-by-nc-4.0", None),
        ("stabilityai/stable-diffusion-xl-base-0.9", "other", "sdxl-0.9-research-license"),
        ("stabilityai/stable-diffusion-xl-base-1.0", "openrail++", None),
        ("stabilityai/stable-diffusion-3.5-large", "other", "stabilityai-ai-community"),
        ("black-forest-labs/FLUX.1-dev", "other", "flux-1-dev-non-commercial-license"),
        ("cerspense/zeroscope_v2_XL", "cc-by-nc-4.0", None),
        ("LiquidAI/LFM2-1.2B", "other", "lfm1.0"),
    ],
)
def test_licenses_are_those_of_the_model_cards(model_id: str, license_id: str | None, license_name: str | None) -> None:
    assert (MODELS[model_id].license, MODELS[model_id].license_name) == (license_id, license_name)


@pytest.mark.parametrize(
    ("model_id", "parameters"),
    [
        ("Qwen/Qwen3-0.6B", 596_049_920),  # lists: 751,632,384, the tied output matrix counted twice
        ("Qwen/Qwen3-1.7B", 1_720_574_976),  # lists: 2,031,739,904, likewise
        ("lmsys/vicuna-7b-v1.3", 6_738_415_616),  # lists: 5,164,236,800
        ("openai-community/gpt2", 124_439_808),  # lists: 137,022,720, attention masks counted
        ("deepseek-ai/DeepSeek-V3", 671_000_000_000),  # lists: 684,531,386,000, the prediction layer counted
        ("google/gemma-3-270m", 268_098_176),
        ("meta-llama/Llama-3.1-8B-Instruct", 8_030_261_248),
    ],
)
def test_parameters_are_those_of_the_network_not_of_the_file(model_id: str, parameters: int) -> None:
    assert MODELS[model_id].parameters == parameters


@pytest.mark.parametrize(
    ("model_id", "native", "extended", "extension"),
    [
        ("google/gemma-3-270m-it", 32_768, None, "none"),  # lists: 4,096, their word for unknown
        ("google/gemma-3-1b-it", 32_768, None, "none"),
        ("google/gemma-3-4b-it", 131_072, None, "none"),
        ("meta-llama/Llama-3.1-8B-Instruct", 131_072, None, "none"),  # lists: 4,096
        ("Qwen/Qwen2.5-7B-Instruct", 32_768, 131_072, "yarn_opt_in"),
        ("Qwen/Qwen3-8B", 40_960, 131_072, "yarn_opt_in"),
        ("microsoft/Phi-3.5-mini-instruct", 4_096, 131_072, "longrope"),
        ("openai/gpt-oss-20b", 131_072, 131_072, "yarn_builtin"),
        ("CohereLabs/c4ai-command-r-v01", 131_072, None, "none"),  # config.json: max_position_embeddings 8,192
        ("tiiuae/falcon-7b-instruct", 2_048, None, "none"),  # lists: 4,096
        ("mosaicml/mpt-30b", 8_192, None, None),
        ("01-ai/Yi-1.5-9B-Chat", 4_096, None, "none"),  # here 4,096 is true
    ],
)
def test_contexts_avoid_the_traps_of_public_lists(
    model_id: str, native: int, extended: int | None, extension: str | None
) -> None:
    model = MODELS[model_id]
    assert (model.context_native_tokens, model.context_extended_tokens, model.context_extension) == (
        native,
        extended,
        extension,
    )


def test_heads_avoid_the_traps_of_public_lists() -> None:
    def heads(model_id: str) -> tuple[int | None, int | None]:
        architecture = MODELS[model_id].architecture or Architecture()
        return architecture.kv_heads, architecture.head_dim

    assert heads("tiiuae/falcon-7b-instruct") == (1, 64)  # lists: 71 key-value heads
    assert heads("mistralai/Mistral-Nemo-Instruct-2407") == (8, 128)  # width / heads would give 160
    assert heads("CohereLabs/c4ai-command-r-v01") == (64, 128)  # no grouping
    assert heads("nvidia/Llama-3_3-Nemotron-Super-49B-v1") == (8, 128)  # lists: 64


def test_doubtful_facts_carry_a_note() -> None:
    for model in MODELS.values():
        if any(entry.confidence == "doubtful" for entry in model.provenance):
            assert model.notes, model.id


@pytest.mark.parametrize(
    ("model_id", "context_tokens", "expected"),
    [
        ("google/gemma-3-1b-it", 32_768, 139 * MIB),
        ("google/gemma-4-31B-it", 4096, 50 * 1024 * 16 * 512 * 2 + 10 * 4096 * 4 * 1024 * 2),
        ("zai-org/GLM-4.7-Flash", 1, 47 * 576 * 2),
        ("openai/gpt-oss-120b", 1, 73_728),
        ("deepseek-ai/DeepSeek-V3", 1, 70_272),
        ("LiquidAI/LFM2-1.2B", 32_768, 384 * MIB),
        ("Qwen/Qwen3.6-27B", 262_144, 16_384 * MIB),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", 1, 4 * 8 * 256 * 2),
    ],
)
def test_layers_give_the_published_cache_sizes(model_id: str, context_tokens: int, expected: int) -> None:
    architecture = MODELS[model_id].architecture
    assert architecture is not None
    assert cached_bytes(architecture, context_tokens) == expected
    if architecture.layer_groups:
        assert sum(group.layers for group in architecture.layer_groups) == architecture.layers


@pytest.mark.parametrize("text", ["", "{", "[]", '{"snapshot_date": "2026-11-21"}', '{"models": []}'])
def test_a_damaged_snapshot_is_reported_in_a_sentence(text: str) -> None:
    with pytest.raises(BadCatalogData, match=r"The snapshot mine\.json is damaged at .+\. Restore the file"):
        parse_snapshot(text, name="mine.json")


def test_a_damaged_model_is_named_by_its_place() -> None:
    text = json.dumps({"snapshot_date": "2026-11-21", "models": [{"id": "a/b", "parameters": -1}]})
    with pytest.raises(BadCatalogData, match=r"models\.0\.parameters"):
        parse_snapshot(text, name="mine.json")


def test_a_snapshot_without_a_proper_date_is_refused() -> None:
    with pytest.raises(BadCatalogData, match="'yesterday' is not a date"):
        parse_snapshot('{"snapshot_date": "yesterday", "models": []}', name="mine.json")


def test_a_model_listed_twice_is_refused_whatever_its_case() -> None:
    text = json.dumps({"snapshot_date": "2026-11-21", "models": [{"id": "a/B"}, {"id": "A/b"}]})
    with pytest.raises(BadCatalogData, match="a/b more than once"):
        parse_snapshot(text, name="mine.json")


counts = st.none() | st.integers(1, 10**13)
texts = st.none() | st.text(max_size=20)
architectures = st.builds(
    Architecture,
    layers=counts,
    kv_heads=counts,
    head_dim=counts,
    layer_groups=st.lists(
        st.builds(LayerGroup, kind=st.sampled_from(["full", "none"]), layers=st.integers(1, 200)), max_size=2
    ).map(tuple),
)
files = st.builds(
    WeightsFile,
    path=st.text(max_size=20),
    size_bytes=st.none() | st.integers(0, 10**13),
    format=st.sampled_from(["gguf", "safetensors", "pickle", "other"]),
)
models = st.builds(
    Model,
    id=st.text(min_size=1, max_size=30),
    license=texts,
    license_name=texts,
    parameters=counts,
    architecture=st.none() | architectures,
    weights_files=st.lists(files, max_size=3).map(tuple),
    trending_score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    notes=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    provenance=st.lists(
        st.builds(Provenance, field=st.text(), source=st.text(), confidence=st.sampled_from(["verified", "doubtful"])),
        max_size=2,
    ).map(tuple),
)


@given(models)
def test_models_survive_a_round_trip_through_json(model: Model) -> None:
    assert Model.model_validate_json(model.model_dump_json()) == model
    assert Model.model_validate_json(model.model_dump_json(exclude_defaults=True)) == model


@given(st.lists(models, max_size=4, unique_by=lambda model: model.id.casefold()))
def test_snapshots_survive_a_round_trip_through_json(some: list[Model]) -> None:
    text = json.dumps({"snapshot_date": "2026-11-21", "models": [model.model_dump(mode="json") for model in some]})
    assert parse_snapshot(text, name="x").models == tuple(some)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_records_refuse_numbers_that_are_not_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Model(id="a/b", trending_score=value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_json_with_numbers_that_are_not_finite_is_refused(number: str) -> None:
    text = f'{{"snapshot_date": "2026-11-21", "models": [{{"id": "a/b", "trending_score": {number}}}]}}'
    with pytest.raises(BadCatalogData, match="damaged"):
        parse_snapshot(text, name="x")


def test_records_refuse_fields_they_do_not_know() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Profile.model_validate({"comercial": True})
