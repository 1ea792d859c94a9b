"""Similarity of texts by another model: what is asked, what comes back, and the process that it runs in.

Each kind has a module of its own that is run as a process (`python -m MODULE SPEC.json`), because these libraries are
large, may end the process, and must not stay in memory beside a candidate (child_pass.py).
"""

import importlib.metadata
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from catalog.records import Record
from runners.child_pass import Progress, answer_parent, run_in_child
from runners.errors import EngineUnavailable

TextPassKind = Literal["llama", "sentence_transformers", "bert_score"]
"""llama: an embedding GGUF; the others by the libraries of that name."""

_MODULES: dict[TextPassKind, str] = {
    "llama": "runners.llama_embedding",
    "sentence_transformers": "runners.sentence_embedding",
    "bert_score": "runners.bert_scoring",
}
_PACKAGES: dict[TextPassKind, tuple[str, str]] = {
    "llama": ("llama-cpp-python", "llama-cpp"),
    "sentence_transformers": ("sentence-transformers", "sentence-transformers"),
    "bert_score": ("bert-score", "bert-score"),
}
"""Package that must be there, and the extra that installs it."""


class TextPass(Record):
    """Texts to compare."""

    kind: TextPassKind
    """With what."""
    model: str = Field(min_length=1)
    """Path of a GGUF file; else name or folder of a model as the library knows it."""
    texts: tuple[str, ...]
    """Each different text once."""
    pairs: tuple[tuple[int, int], ...]
    """Which are compared: places of an answer and of a right answer."""
    prefix: str = ""
    """Embeddings: text put before every text, where the model was trained with one."""
    layers: int | None = Field(default=None, gt=0)
    """BERTScore: layer whose vectors are compared; None takes the one the library recommends for the model."""
    context_tokens: int = Field(default=2048, ge=8)
    """llama: most tokens of a text, as far as the model allows; longer ones are cut."""
    threads: int | None = Field(default=None, gt=0)
    """llama: compute threads; None leaves them to the library."""


class TextPassResult(Record):
    """How alike they are."""

    columns: dict[str, tuple[float, ...]]
    """Per pair: `cosine`; or `precision`, `recall` and `f1`."""
    model: str
    """What compared, as precisely as the library says."""
    pooling: str = ""
    """Embeddings: how a text's tokens became one vector."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as texts that were cut."""


def compare_texts(wanted: TextPass, on_progress: Progress = lambda _done, _total: None) -> TextPassResult:
    """Compare in a process of its own. Raises EngineUnavailable with the install command, and EngineFailed."""
    check_installed(wanted.kind)
    with tempfile.TemporaryDirectory(prefix="text-pass-") as name:
        spec = Path(name) / "spec.json"
        spec.write_text(wanted.model_dump_json(), encoding="utf-8")
        found = run_in_child(_MODULES[wanted.kind], spec, f"Comparing with {wanted.model}", on_progress)
    return TextPassResult.model_validate_json(found)


def check_installed(kind: TextPassKind) -> None:
    """Raises EngineUnavailable where the package of a kind is missing."""
    package, extra = _PACKAGES[kind]
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        message = (
            f"This needs the package {package}, which is not installed. "
            f"Install it with: pip install 'open-model-workbench[{extra}]'."
        )
        raise EngineUnavailable(message) from error


def run_child(compare: Callable[[TextPass], TextPassResult], spec: str) -> int:
    """What the process of a kind does: read the spec, compare, print; the exit code says how it ended."""
    wanted = TextPass.model_validate_json(Path(spec).read_text(encoding="utf-8"))
    return answer_parent(lambda: compare(wanted))
