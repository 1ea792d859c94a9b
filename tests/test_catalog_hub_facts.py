"""From answers of the Hub to records, without a server: the traps of counts, licenses, parents, names and parts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ModelNotFound
from catalog.hub import Hub, is_hub_link, parse_address
from catalog.hub.facts import model_from_answer
from catalog.hub.files import HubFile, files_of, main_safetensors, part_paths, quantization_of, weights_of
from catalog.hub.sizes import gguf_size, safetensors_size, size_in_name
from catalog.records import Model

BILLION = 10**9


def model(**raw: Any) -> Model:
    return model_from_answer({"id": "maker/model", **raw}, origin="Hub API, list of models, 2026-11-21")


def counts(total: int | None = None, **elements: int) -> dict[str, Any]:
    return {"parameters": elements, "total": sum(elements.values()) if total is None else total}


def confidence(found: Model, field: str) -> str:
    return next(fact.confidence for fact in found.provenance if fact.field == field)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 7 * BILLION),
        ("mistralai/Mixtral-8x7B-v0.1", 56 * BILLION),
        ("Qwen/Qwen3-30B-A3B-FP8", 30 * BILLION),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 135_000_000),
        ("maker/Model-1.5b-GGUF", 1_500_000_000),
        ("microsoft/phi-4", None),
        ("maker/llama-7b-4bit", 7 * BILLION),
        ("13B-lovers/tiny", None),
        ("maker/V100B2", None),
    ],
)
def test_the_size_in_a_name(name: str, size: int | None) -> None:
    assert size_in_name(name) == size


@pytest.mark.parametrize(
    ("summary", "name", "quantization", "exact", "parameters", "trust"),
    [
        # Whole numbers, one element a weight.
        (counts(BF16=8_030_261_248), "m/L-8B", None, None, 8_030_261_248, "reported"),
        ({"parameters": {"BF16": 8_030_261_248}}, "m/L-8B", None, 16_060_556_376, 8_030_261_248, "reported"),
        (counts(F8_E4M3=7 * BILLION, BF16=BILLION), "m/L-8B", "fp8", None, 8 * BILLION, "reported"),
        # huggingface_hub #4221: written by hand into the index.
        (counts(333_000, BF16=7_600_000_000), "m/L-7B", None, None, 7_600_000_000, "doubtful"),
        (counts(BF16=333_000), "m/L-7B", None, 15_200_000_000, None, None),
        (counts(BF16=333_000), "m/L-7B", None, None, 333_000, "doubtful"),
        # GPTQ: eight 4-bit weights in an I32; the Hub counts elements.
        (counts(I32=875_000_000, F16=500_000_000), "m/L-7B-GPTQ", "gptq", None, 7_500_000_000, "doubtful"),
        (counts(I32=875_000_000, F16=500_000_000), "m/Nameless-GPTQ", "gptq", None, None, None),
        # MLX: U32, eight times as many (omlx #3489).
        (counts(U32=1_000_000_000, BF16=30_000_000), "m/L-8B-4bit", "4-bit", None, 8_030_000_000, "doubtful"),
        # gpt-oss: the Hub has unpacked the MXFP4 blocks itself.
        (counts(BF16=2_167_371_072, U8=118_244_966_400), "o/gpt-120b", "mxfp4", None, 120_412_337_472, "doubtful"),
        # Nothing that can be used.
        ({"parameters": {}}, "m/L-7B", None, None, None, None),
        ({"total": 5}, "m/L-7B", None, None, None, None),
        ("what?", "m/L-7B", None, None, None, None),
    ],
)
def test_counts_are_believed_only_as_far_as_something_else_agrees(
    summary: Any, name: str, quantization: str | None, exact: int | None, parameters: int | None, trust: str | None
) -> None:
    size = safetensors_size(summary, name, quantization, exact)
    assert (size.parameters if size else None) == parameters
    if size is not None and parameters is not None:
        assert size.confidence == trust
        assert (size.note is None) == (trust == "reported")


def test_a_gguf_count_of_a_part_is_left_out() -> None:
    assert gguf_size(7_241_732_096, "m/Mistral-7B-GGUF") == (7_241_732_096, "reported", None, None)
    part = gguf_size(600_000_000, "m/Big-70B-GGUF")
    assert part is not None
    assert part.parameters is None
    assert "70,000,000,000" in (part.note or "")
    assert gguf_size(None, "m/x") is None
    assert gguf_size(True, "m/x") is None


def test_exact_bytes_come_from_the_files_when_sizes_are_known() -> None:
    files = [
        {"rfilename": f"model-0000{part}-of-00002.safetensors", "size": 9, "lfs": {"size": 500, "sha256": "a" * 64}}
        for part in (1, 2)
    ]
    found = model(siblings=[*files, {"rfilename": "consolidated.safetensors", "size": 1000}])
    assert (found.weights_bytes, confidence(found, "weights_bytes")) == (1000, "verified")
    found = model(safetensors={"parameters": {"F32": 10, "BF16": 5}, "total": 15})
    assert (found.weights_bytes, confidence(found, "weights_bytes")) == (50, "derived")


@pytest.mark.parametrize(
    ("raw", "license_id"),
    [
        ({"cardData": {"license": "MIT"}}, "mit"),
        ({"tags": ["license:apache-2.0"]}, "apache-2.0"),
        ({"cardData": {"license": ["mit"]}}, "mit"),
        ({"cardData": {"license": ["mit", "cc-by-nc-4.0"]}}, None),
        ({"cardData": {"license": 3}}, None),
        ({}, None),
    ],
)
def test_a_license_is_taken_only_when_there_is_one(raw: dict[str, Any], license_id: str | None) -> None:
    assert model(**raw).license == license_id


def test_several_licenses_are_named_in_a_note() -> None:
    (note,) = model(cardData={"license": ["mit", "cc-by-nc-4.0"]}).notes
    assert "mit, cc-by-nc-4.0" in note


@pytest.mark.parametrize(
    ("raw", "parents", "relation"),
    [
        ({"baseModels": {"relation": "quantized", "models": [{"id": "a/b"}]}}, ("a/b",), "quantized"),
        ({"baseModels": ["a/b"]}, ("a/b",), None),
        ({"tags": ["base_model:a/b", "base_model:adapter:a/b"]}, ("a/b",), "adapter"),
        ({"cardData": {"base_model": ["a/b", "c/d"], "base_model_relation": "merge"}}, ("a/b", "c/d"), "merge"),
        ({"cardData": {"base_model": "a/b", "base_model_relation": "cousin"}}, ("a/b",), None),
        # A card that names itself would be a circle.
        ({"cardData": {"base_model": "Maker/Model"}}, (), None),
        ({"cardData": {"base_model": None}, "tags": ["base_model:"]}, (), None),
    ],
)
def test_parents_are_read_from_wherever_they_are(
    raw: dict[str, Any], parents: tuple[str, ...], relation: str | None
) -> None:
    found = model(**raw)
    assert (found.base_models, found.base_model_relation) == (parents, relation)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ({"config": {"quantization_config": {"quant_method": "awq", "bits": 4}}}, "awq"),
        ({"config": {"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}}, "nvfp4"),
        ({"config": {"quantization_config": {"load_in_4bit": True}}}, "bitsandbytes-4bit"),
        ({"tags": ["mlx", "4-bit"]}, "4-bit"),
        ({"config": {"quantization_config": None}}, None),
    ],
)
def test_the_quantization_of_a_whole_repository(raw: dict[str, Any], name: str | None) -> None:
    assert model(**raw).quantization == name


def test_small_facts() -> None:
    assert model(createdAt="2022-03-02T23:29:04.000Z").released is None
    assert model(createdAt="2024-07-16T00:00:00.000Z").released == "2024-07-16"
    assert model(gated="auto").gated is True
    assert model(gated=False).gated is False
    assert model().gated is None
    assert model(pipeline_tag="image-text-to-text").multimodal is True
    assert model(pipeline_tag="text-generation").multimodal is None
    assert model(tags=["custom_code"]).remote_code is True
    assert model(siblings=[{"rfilename": "modeling_x.py"}]).remote_code is True
    assert model(siblings=[{"rfilename": "eval.py"}]).remote_code is False
    assert model().remote_code is None
    assert model(gguf={"total": 5, "architecture": "llama", "context_length": 4096}).context_native_tokens == 4096
    assert model(cardData={"license_link": "https://x.org/l"}).license_link == "https://x.org/l"
    assert model(tags=["gguf", "pytorch"], siblings=[{"rfilename": "a.safetensors"}]).formats == (
        *("gguf", "pickle", "safetensors"),
    )


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.just(10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    *("sha", "siblings", "cardData", "tags", "pipeline_tag", "library_name", "gated", "downloads", "likes", "gguf"),
    *("trendingScore", "createdAt", "lastModified", "securityRepoStatus", "baseModels", "config", "safetensors"),
)


@given(st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=8))
def test_no_answer_however_odd_ends_a_list_of_models(raw: dict[str, Any]) -> None:
    assert model(**raw).id == "maker/model"


@given(
    st.fixed_dictionaries(
        {
            "cardData": st.dictionaries(st.sampled_from(("license", "language", "base_model", "datasets")), JUNK),
            "safetensors": st.fixed_dictionaries({"parameters": st.dictionaries(st.text(max_size=4), JUNK)}),
            "gguf": st.dictionaries(st.sampled_from(("total", "architecture", "context_length")), JUNK),
            "config": st.dictionaries(st.sampled_from(("model_type", "quantization_config", "auto_map")), JUNK),
            "securityRepoStatus": st.fixed_dictionaries({"filesWithIssues": JUNK}),
            "siblings": st.lists(st.fixed_dictionaries({"rfilename": JUNK, "size": JUNK, "lfs": JUNK})),
        }
    )
)
def test_odd_values_in_known_places_end_nothing_either(raw: dict[str, Any]) -> None:
    assert model(**raw).id == "maker/model"


# Files


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a-Q4_K_M.gguf", "Q4_K_M"),
        ("a.q8_0.gguf", "Q8_0"),
        ("a-UD-IQ2_XXS-00001-of-00002.gguf", "IQ2_XXS"),
        ("BF16/a-00001-of-00002.gguf", "BF16"),
        ("a-fp16.gguf", "F16"),
        ("a-TQ1_0.gguf", "TQ1_0"),
        ("a-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("Qwen-7B.gguf", None),
    ],
)
def test_the_quantization_in_a_file_name(path: str, name: str | None) -> None:
    assert quantization_of(path) == name


def test_parts_belong_together() -> None:
    assert part_paths("d/a-00002-of-00003.gguf") == tuple(f"d/a-0000{number}-of-00003.gguf" for number in (1, 2, 3))
    assert part_paths("a.gguf") == ("a.gguf",)
    assert part_paths("a-00001-of-99999.gguf") == ("a-00001-of-99999.gguf",)


@pytest.mark.parametrize(
    ("paths", "chosen"),
    [
        (["model.safetensors", "model.fp16.safetensors"], ["model.safetensors"]),
        (["consolidated.safetensors"], ["consolidated.safetensors"]),
        (["model.safetensors", "model-00001-of-00001.safetensors"], ["model.safetensors"]),
        (["adapter_model.safetensors", "checkpoint-9/adapter_model.safetensors"], ["adapter_model.safetensors"]),
        (["unet/d.safetensors", "vae/d.safetensors"], ["unet/d.safetensors", "vae/d.safetensors"]),
        (["flux1.safetensors", "ae.safetensors"], ["flux1.safetensors", "ae.safetensors"]),
        (["pytorch_model.bin"], []),
    ],
)
def test_weights_are_not_taken_twice(paths: list[str], chosen: list[str]) -> None:
    files = [HubFile(path, 1, None, None) for path in paths]
    assert [file.path for file in main_safetensors(files)] == chosen


def test_what_lies_beside_the_weights_is_none() -> None:
    names = [
        "a-Q4_0.gguf",
        "mmproj-a-f16.gguf",
        "a.imatrix.gguf",
        "training_args.bin",
        "optimizer.pt",
        "w.bin",
        "x.txt",
    ]
    files = files_of([{"rfilename": name} for name in names])
    assert [file.path for file in weights_of(files)] == ["a-Q4_0.gguf", "w.bin"]


# Addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qwen/Qwen3-8B", ("Qwen/Qwen3-8B", None, None, None)),
        ("gpt2", ("gpt2", None, None, None)),
        ("bartowski/Q-GGUF:Q4_K_M", ("bartowski/Q-GGUF", None, None, "Q4_K_M")),
        ("hf.co/bartowski/Q-GGUF:Q4_K_M", ("bartowski/Q-GGUF", None, None, "Q4_K_M")),
        ("https://huggingface.co/Qwen/Qwen3-8B", ("Qwen/Qwen3-8B", None, None, None)),
        ("https://huggingface.co/Qwen/Qwen3-8B/tree/main", ("Qwen/Qwen3-8B", None, None, None)),
        ("https://huggingface.co/a/b/blob/main/d/x-Q8_0.gguf?x=1", ("a/b", None, "d/x-Q8_0.gguf", None)),
        ("https://huggingface.co/a/b/resolve/v1.0/x%20y.gguf", ("a/b", "v1.0", "x y.gguf", None)),
        ("http://mirror.local:8080/a/b/tree/v2", ("a/b", "v2", None, None)),
        ("hf://models/a/b", ("a/b", None, None, None)),
    ],
)
def test_what_people_paste_is_understood(text: str, expected: tuple[str | None, ...]) -> None:
    found = parse_address(text, hub=Hub(endpoint="http://mirror.local:8080"))
    assert (found.model_id, found.revision, found.path, found.quantization) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://huggingface.co/datasets/a/b",
        "https://example.org/a/b",
        "a/b/c",
        "/models/x.gguf",
        "",
        "a b",
        "https://",
    ],
)
def test_what_is_no_model_is_a_sentence(text: str) -> None:
    with pytest.raises(ModelNotFound, match="such as owner/name"):
        parse_address(text)
    assert is_hub_link("https://hf.co/a/b")
    assert not is_hub_link("https://example.org/a/b")
    assert not is_hub_link("a/b")
