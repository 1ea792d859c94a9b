"""Holds the cosines of an embedding GGUF to those that sentence-transformers publishes for the same model.

Makes the GGUF itself, in full precision, from a folder with all-MiniLM-L6-v2 (safetensors and vocab.txt), because such
models are published for sentence-transformers: `python -m benchmarks.embedding FOLDER`. What it is held to stands in
the library's documentation (https://sbert.net, "Quickstart"). Measures no speed.
"""

import json
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from runners.text_pass import TextPass, compare_texts

TEXTS = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")
PUBLISHED = {(0, 1): 0.6660, (0, 2): 0.1046, (1, 2): 0.1411}
TOLERANCE = 0.0005
_NAMES = (
    ("embeddings.word_embeddings", "token_embd"),
    ("embeddings.position_embeddings", "position_embd"),
    ("embeddings.token_type_embeddings", "token_types"),
    ("embeddings.LayerNorm", "token_embd_norm"),
    ("encoder.layer", "blk"),
    ("attention.self.query", "attn_q"),
    ("attention.self.key", "attn_k"),
    ("attention.self.value", "attn_v"),
    ("attention.output.dense", "attn_output"),
    ("attention.output.LayerNorm", "attn_output_norm"),
    ("intermediate.dense", "ffn_up"),
    ("output.dense", "ffn_down"),
    ("output.LayerNorm", "layer_output_norm"),
)
"""Parts of names there and in a GGUF, longer ones before those they end with."""


def main(folder: Path) -> int:
    """Print every cosine beside the published one; 1 where one is off."""
    with tempfile.TemporaryDirectory(prefix="embedding-") as name:
        path = Path(name) / "all-MiniLM-L6-v2-F32.gguf"
        write_gguf(folder, path)
        found = compare_texts(TextPass(kind="llama", model=str(path), texts=TEXTS, pairs=tuple(PUBLISHED)))
    print(f"pooling: {found.pooling}")
    worst = 0.0
    for (one, other), ours in zip(PUBLISHED, found.columns["cosine"], strict=True):
        published = PUBLISHED[one, other]
        worst = max(worst, abs(ours - published))
        print(f"{TEXTS[one]!r} and {TEXTS[other]!r}: {ours:.4f}, published {published:.4f}")
    print(f"largest difference {worst:.5f}, allowed {TOLERANCE}")
    return int(worst > TOLERANCE)


def write_gguf(folder: Path, path: Path) -> None:
    """The model of a folder as GGUF."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    tokens = (folder / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    special = [token.startswith("[") and token.endswith("]") for token in tokens]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_token_list([t if s else _piece(t) for t, s in zip(tokens, special, strict=True)])
    writer.add_token_types([gguf.TokenType.CONTROL if s else gguf.TokenType.NORMAL for s in special])
    for name, tensor in read_safetensors(folder / "model.safetensors").items():
        if name.startswith(("embeddings.", "encoder.")) and not name.endswith("position_ids"):
            for theirs, ours in _NAMES:
                name = name.replace(theirs, ours)  # noqa: PLW2901  one part after the other
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_safetensors(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """All tensors in single precision."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            found[name] = np.frombuffer(data[start:end], dtype=np.float32).reshape(entry["shape"])
    return found


def _piece(token: str) -> str:
    """A word piece as GGUF marks it: what begins a word has the mark, not what goes on in one."""
    return token[2:] if token.startswith("##") else "\u2581" + token


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
