"""The chat template that a Hugging Face folder carries, with the special tokens it names. Renders nothing.

A template is a file of its own (`chat_template.jinja`) or stands in tokenizer_config.json, there as one text or as a
list of named ones, of which `default` counts, as in transformers.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from runners.errors import EngineFailed


class FolderChat(NamedTuple):
    """How a model is spoken to."""

    template: str | None
    """Jinja text, untrusted; None for a base model."""
    bos_token: str
    """Text of the token that begins a sequence; empty for none."""
    eos_token: str
    """Text of the token that ends one; empty for none."""


def read_chat(folder: Path) -> FolderChat:
    """Template and tokens of a folder. Raises EngineFailed where a file is damaged."""
    path = folder / "tokenizer_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        own = folder / "chat_template.jinja"
        template = own.read_text(encoding="utf-8") if own.exists() else _named(config.get("chat_template"))
        return FolderChat(template, _token(config.get("bos_token")), _token(config.get("eos_token")))
    except (OSError, ValueError, AttributeError) as error:
        raise EngineFailed(f"{path} cannot be read: {error}. Get the model's folder again.") from error


def _named(value: Any) -> str | None:
    if isinstance(value, list):
        named = {entry.get("name"): entry.get("template") for entry in value}
        value = named.get("default")
    return value if isinstance(value, str) else None


def _token(value: Any) -> str:
    """Tokens are written as text, or as an object with their text in `content`."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""
