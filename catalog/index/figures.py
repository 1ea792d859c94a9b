"""What the memory prediction needs of one model, written down for the index: its figures and the exact sizes it has."""

from typing import Any

from catalog.kv_cache import CacheFigures
from catalog.memory import TEXT_TASKS, ShapeFigures, fit_figures
from catalog.records import Model
from catalog.weights import WeightFigures, exact_bytes

_SHAPES: tuple[Any, ...] = (WeightFigures, CacheFigures, ShapeFigures)


def figures_text(model: Model) -> str:
    """The figures as numbers between blanks, `nan` where not known; the same for models of one network and size."""
    texts: list[str] = []
    # Memory is predicted for text generation only.
    predicted = (model.task is None or model.task in TEXT_TASKS) and model.architecture is not None
    for part, shape in zip(fit_figures(model), _SHAPES, strict=True):
        known = part if predicted and part is not None else ("nan",) * len(shape._fields)
        texts += (format(value, ".17g") if not isinstance(value, str) else value for value in known)
    return " ".join(texts)


def exact_sizes(model: Model) -> dict[str, int]:
    """Quantization in upper case → exact bytes of the weights; `VLLM AWQ` is what headers say of the repository."""
    names = {file.quantization.upper() for file in model.weights_files if file.quantization}
    sizes = {name: exact_bytes(model.weights_files, name) for name in names}
    if model.quantization and model.weights_bytes is not None:
        sizes[f"VLLM {model.quantization.upper()}"] = model.weights_bytes
    return {name: size for name, size in sizes.items() if size is not None}
