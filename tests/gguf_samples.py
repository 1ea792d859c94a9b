"""Small real GGUF files, written with the gguf package: a header with the keys that a test needs, and two tensors."""

from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter


def write_gguf(path: Path, architecture: str, keys: dict[str, Any], *, general: dict[str, str] | None = None) -> Path:
    """Write `<architecture>.<key>` for every key; lists become arrays. Embeddings are tied unless `output` is a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    untied = keys.pop("output", False)
    writer = GGUFWriter(str(path), architecture)
    for key, value in keys.items():
        name = f"{architecture}.{key}"
        if isinstance(value, list):
            writer.add_array(name, value)
        elif isinstance(value, str):
            writer.add_string(name, value)
        elif isinstance(value, float):
            writer.add_float32(name, value)
        else:
            writer.add_uint32(name, value)
    for key, text in (general or {}).items():
        writer.add_string(key, text)
    writer.add_tensor("token_embd.weight", np.zeros((4, 8), dtype=np.float16))
    if untied:
        writer.add_tensor("output.weight", np.zeros((4, 8), dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
