"""Models on this machine: small real files in the folders of real tools, opened and scanned, damage included."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import BadWeightsFile, ModelNotFound
from catalog.local_models import LocalPlace, LocalScan, known_places, open_local, scan_local
from catalog.model_card import read_card
from catalog.records import Model
from tests.config_samples import LLAMA
from tests.gguf_samples import write_gguf
from tests.test_catalog_safetensors import write as write_safetensors

GGUF = {
    "block_count": 4,
    "embedding_length": 64,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "context_length": 4096,
}
CARD = """---
license: other
license_name: some-license
license_link: https://example.org/license
base_model: owner/parent
base_model_relation: finetune
datasets: [owner/data]
language: [en, no]
pipeline_tag: text-generation
library_name: transformers
---
# A model
"""


def gguf(path: Path, architecture: str = "llama", **general: str) -> Path:
    return write_gguf(path, architecture, dict(GGUF), general={f"general.{key}": text for key, text in general.items()})


def hugging_face_folder(folder: Path, *, card: str | None = CARD, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**LLAMA, **changes}), encoding="utf-8")
    write_safetensors(folder / "model.safetensors", {"model.embed_tokens.weight": ("BF16", [10, 10])})
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def scan(kind: Any, path: Path) -> LocalScan:
    return scan_local([LocalPlace(kind=kind, path=str(path))])


def source_of(model: Model, field: str) -> str | None:
    return next((entry.source for entry in model.provenance if entry.field == field), None)


# One model


def test_a_gguf_file_is_a_model_with_a_source_for_every_fact(tmp_path: Path) -> None:
    path = gguf(tmp_path / "tiny.Q8_0.gguf", license="apache-2.0")
    model = open_local(path)
    assert (model.id, model.kind, model.license, model.parameters) == (str(path), "local", "apache-2.0", 32)
    assert model.weights_files[0].size_bytes == path.stat().st_size
    assert source_of(model, "license") == "GGUF header of tiny.Q8_0.gguf"


def test_quantizations_in_one_folder_are_one_model(tmp_path: Path) -> None:
    for name in ("m-Q4_K_M.gguf", "m-Q8_0.gguf"):
        gguf(tmp_path / name)
    write_gguf(tmp_path / "mmproj-m.gguf", "clip", {"block_count": 2})
    model = open_local(tmp_path)
    assert (model.id, model.multimodal) == (str(tmp_path), True)
    assert [Path(file.path).name for file in model.weights_files] == ["m-Q4_K_M.gguf", "m-Q8_0.gguf"]


def test_different_models_in_one_folder_must_be_told_apart(tmp_path: Path) -> None:
    gguf(tmp_path / "a.gguf")
    gguf(tmp_path / "b.gguf", "qwen3")
    with pytest.raises(ModelNotFound, match=r"several models: a\.gguf, b\.gguf"):
        open_local(tmp_path)


def test_the_vision_part_alone_is_no_model(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "mmproj.gguf", "clip", {"block_count": 2})
    with pytest.raises(BadWeightsFile, match="mmproj"):
        open_local(path)


def test_a_hugging_face_folder_gives_card_config_and_weights(tmp_path: Path) -> None:
    folder = hugging_face_folder(tmp_path / "model")
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 1e30}', encoding="utf-8")
    model = open_local(folder)
    assert (model.license, model.license_name, model.base_models) == ("other", "some-license", ("owner/parent",))
    assert (model.base_model_relation, model.datasets, model.languages) == ("finetune", ("owner/data",), ("en", "no"))
    assert (model.task, model.library, model.context_native_tokens) == ("text-generation", "transformers", 8192)
    assert (model.weights_bytes, model.parameters, model.formats) == (200, 100, ("safetensors",))
    assert any("8,030,261,248" in note for note in model.notes), "config and files disagree, and it says so"
    assert source_of(model, "parameters") == "safetensors headers"
    assert open_local(folder / "config.json") == model
    assert open_local(folder / "model.safetensors") == model


def test_a_bare_config_is_a_model_without_weights(tmp_path: Path) -> None:
    path = tmp_path / "some_config.json"
    path.write_text(json.dumps(LLAMA), encoding="utf-8")
    model = open_local(path)
    assert (model.id, model.parameters, model.weights_files) == (str(path), 8_030_261_248, ())
    assert (model.license, model.weights_bytes) == (None, None)
    assert model.architecture is not None
    assert model.architecture.layers == 32


def test_pickles_are_listed_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"not even a pickle")
    (tmp_path / "training_args.bin").write_bytes(b"x")
    model = open_local(tmp_path)
    assert [(Path(file.path).name, file.format, file.size_bytes) for file in model.weights_files] == [
        ("pytorch_model.bin", "pickle", 17)
    ]
    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", [1])})
    assert open_local(tmp_path).formats == ("safetensors",)


def test_packed_weights_are_counted_by_the_config(tmp_path: Path) -> None:
    folder = hugging_face_folder(tmp_path, quantization_config={"quant_method": "gptq", "bits": 4})
    packed = {"l.qweight": ("I32", [32, 128]), "l.qzeros": ("I32", [2, 16]), "l.scales": ("F16", [2, 128])}
    write_safetensors(folder / "model.safetensors", packed)
    model = open_local(folder)
    assert (model.parameters, model.quantization) == (8_030_261_248, "gptq")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (None, ModelNotFound, "no file or folder"),
        (b"{", BadWeightsFile, "no JSON"),
        (b"[1, 2]", BadWeightsFile, "holds no config"),
        (b"\xff\xfe\x00", BadWeightsFile, "no JSON"),
    ],
)
def test_a_config_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, content: bytes | None, error: type[Exception], words: str
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=words):
        open_local(path)


def test_a_folder_without_a_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="holds no model"):
        open_local(tmp_path)


# Cards


@pytest.mark.parametrize(
    ("text", "license_id", "readable"),
    [
        ("---\nlicense: mit\n---\n", "mit", True),
        ("---\r\nlicense: mit\r\n---\r\nText", "mit", True),
        ("\ufeff---\nlicense: [mit]\n---", "mit", True),
        ("---\nlicense: [mit, apache-2.0]\n---\n", None, True),
        ("---\nlicense: 3\n---\n", None, True),
        ("---\n---\n", None, True),
        ("no front matter\n---\nlicense: mit\n---\n", None, True),
        ("---\nlicense: [\n---\n", None, False),
        ("---\n- a\n- b\n---\n", None, False),
        ("---\nlicense: !!python/object/apply:os.system [ls]\n---\n", None, False),
        ("", None, True),
    ],
)
def test_only_what_a_card_plainly_says_is_taken(text: str, license_id: str | None, readable: bool) -> None:
    card = read_card(text)
    assert (card.license, card.readable) == (license_id, readable)


def test_norwegian_is_a_language_and_no_truth_value() -> None:
    assert read_card("---\nlanguage:\n- no\n- en\n---\n").languages == ("no", "en")


# Places


def test_a_folder_is_walked_and_its_damage_told(tmp_path: Path) -> None:
    gguf(tmp_path / "a" / "one.gguf")
    gguf(tmp_path / "b" / "deep" / "two.gguf")
    hugging_face_folder(tmp_path / "c" / "three")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    (tmp_path / "page.gguf").write_bytes(b"<html>" * 100)
    (tmp_path / "notes.txt").write_text("no model", encoding="utf-8")
    found = scan("folder", tmp_path)
    assert [Path(model.id).name for model in found.models] == ["one.gguf", "two.gguf", "three"]
    assert sorted(Path(problem.path).name for problem in found.problems) == ["broken.gguf", "page.gguf"]
    assert all("Download it again" in problem.message for problem in found.problems)


def test_parts_are_one_model_and_a_missing_part_is_told(tmp_path: Path) -> None:
    for number in (1, 2):
        gguf(tmp_path / f"whole-{number:05}-of-00002.gguf")
    gguf(tmp_path / "half-00001-of-00002.gguf")
    found = scan("folder", tmp_path)
    assert [Path(model.id).name for model in found.models] == ["whole-00001-of-00002.gguf"]
    assert "half-00002-of-00002.gguf" in found.problems[0].message


def test_links_that_run_in_a_circle_and_deep_folders_end(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path, target_is_directory=True)
    gguf(tmp_path / "1/2/3/4/5/6/7/8/far.gguf")
    gguf(tmp_path / "1/near.gguf")
    found = scan("folder", tmp_path)
    assert [Path(model.id).name for model in found.models] == ["near.gguf"]


def _cached(root: Path, name: str, revisions: list[str], main: str | None) -> Path:
    folder = root / f"models--{name.replace('/', '--')}"
    for revision in revisions:
        blob = gguf(folder / "blobs" / f"blob-{revision}")
        link = folder / "snapshots" / revision / "model-Q4_K_M.gguf"
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    if main is not None:
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(main, encoding="utf-8")
    return folder


def test_the_hugging_face_cache_gives_the_revision_of_main(tmp_path: Path) -> None:
    folder = _cached(tmp_path, "owner/some--name", ["aaa", "bbb"], "aaa")
    (tmp_path / "models--owner--empty" / "snapshots" / "ccc").mkdir(parents=True)
    (tmp_path / "datasets--owner--data" / "snapshots" / "ddd").mkdir(parents=True)
    (model,) = scan("hub_cache", tmp_path).models
    assert model.id == str(folder / "snapshots" / "aaa" / "model-Q4_K_M.gguf")
    assert (model.revision, model.base_models) == ("aaa", ("owner/some--name",))
    assert model.notes[0] == "Copy of owner/some--name in the Hugging Face cache."
    assert open_local(folder).id == model.id


def test_a_cached_repository_keeps_the_parents_that_its_card_names(tmp_path: Path) -> None:
    hugging_face_folder(tmp_path / "models--owner--child" / "snapshots" / "abc")
    (model,) = scan("hub_cache", tmp_path).models
    assert (model.base_models, model.license, model.revision) == (("owner/parent",), "other", "abc")


def test_a_reference_never_leads_out_of_the_cache(tmp_path: Path) -> None:
    _cached(tmp_path, "owner/name", ["aaa"], "../../../elsewhere")
    (model,) = scan("hub_cache", tmp_path).models
    assert model.revision == "aaa"


def test_lm_studio_folders_name_their_repository(tmp_path: Path) -> None:
    gguf(tmp_path / "bartowski" / "Some-GGUF" / "Some-Q4_K_M.gguf")
    hugging_face_folder(tmp_path / "mlx-community" / "Other-4bit", card=None)
    found = scan("lm_studio", tmp_path)
    assert [model.base_models for model in found.models] == [("bartowski/Some-GGUF",), ("mlx-community/Other-4bit",)]
    assert "LM Studio" in found.models[0].notes[0]


def _ollama_blob(root: Path, content: bytes) -> tuple[str, int]:
    digest = hashlib.sha256(content).hexdigest()
    (root / "blobs").mkdir(parents=True, exist_ok=True)
    (root / "blobs" / f"sha256-{digest}").write_bytes(content)
    return f"sha256:{digest}", len(content)


def _ollama_tag(root: Path, tag: str, layers: list[tuple[str, str, int]]) -> None:
    path = root / "manifests" / tag
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest = {
        "schemaVersion": 2,
        "layers": [
            {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": size}
            for kind, digest, size in layers
        ],
    }
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_ollama_tags_lead_to_their_weights_and_license(tmp_path: Path) -> None:
    weights = _ollama_blob(tmp_path, gguf(tmp_path / "made.gguf").read_bytes())
    text = _ollama_blob(tmp_path, b"  LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nLlama 3.2 Version ...")
    _ollama_tag(tmp_path, "registry.ollama.ai/library/llama3.2/3b", [("model", *weights), ("license", *text)])
    other = _ollama_blob(tmp_path, gguf(tmp_path / "made2.gguf", "qwen3").read_bytes())
    _ollama_tag(tmp_path, "hf.co/owner/name-GGUF/Q4_K_M", [("model", *other)])
    _ollama_tag(tmp_path, "registry.ollama.ai/library/cloud/latest", [])
    _ollama_tag(tmp_path, "registry.ollama.ai/library/gone/latest", [("model", "sha256:" + "0" * 64, 1)])
    _ollama_tag(tmp_path, "registry.ollama.ai/library/bad/latest", [("model", "sha256:../../secret", 1)])
    (tmp_path / "manifests/registry.ollama.ai/library/odd").mkdir(parents=True)
    (tmp_path / "manifests/registry.ollama.ai/library/odd/latest").write_text("[]", encoding="utf-8")
    found = scan("ollama", tmp_path)
    by_note = {model.notes[0]: model for model in found.models}
    llama = by_note["Pulled by Ollama as llama3.2:3b."]
    assert (llama.license, llama.base_models) == ("llama3.2", ())
    assert source_of(llama, "license") == "first lines of the license that Ollama ships with it"
    assert llama.weights_files[0].sha256 == weights[0].removeprefix("sha256:")
    assert open_local(Path(llama.id)).parameters == llama.parameters
    pulled = by_note["Pulled by Ollama as hf.co/owner/name-GGUF:Q4_K_M."]
    assert (pulled.base_models, pulled.license) == (("owner/name-GGUF",), None)
    assert len(found.problems) == 3
    assert all("ull" in problem.message for problem in found.problems)


def test_places_of_tools_are_known_where_they_exist(tmp_path: Path) -> None:
    assert known_places(tmp_path) == ()
    for folder in (".cache/huggingface/hub", ".lmstudio/models", ".cache/lm-studio/models", ".ollama/models"):
        (tmp_path / folder).mkdir(parents=True)
    assert [place.kind for place in known_places(tmp_path)] == ["hub_cache", "lm_studio", "lm_studio", "ollama"]
    other = tmp_path / "other"
    other.mkdir()
    places = {place.kind: place.path for place in known_places(tmp_path, hf_cache=other, ollama=tmp_path / "none")}
    assert places["hub_cache"] == str(other)
    assert "ollama" not in places


def test_a_place_that_is_gone_is_empty_and_one_model_is_listed_once(tmp_path: Path) -> None:
    gguf(tmp_path / "one.gguf")
    place = LocalPlace(kind="folder", path=str(tmp_path))
    gone = LocalPlace(kind="folder", path=str(tmp_path / "gone"))
    found = scan_local([place, gone, place])
    assert (len(found.models), found.problems) == (1, ())


def test_the_demo_files_open_faster_than_a_page(smollm2: Path, gemma3: Path) -> None:
    """17 and 39 ms where this was written; a reader that makes an object of every token takes seconds."""
    started = time.perf_counter()
    small, base = open_local(smollm2), open_local(gemma3)
    assert time.perf_counter() - started < 2
    assert (small.parameters, base.parameters) == (134_515_008, 268_098_176)
