"""A GGUF's own words: its chat template, its tokenizer, and the text of the tokens it writes. Decodes nothing."""

import ctypes
from functools import cached_property
from typing import Any

import llama_cpp

from runners.chat_template import Rendered, render_conversation
from runners.engine_options import ENABLE_THINKING, Thinking
from runners.errors import EngineFailed
from runners.records import Request
from runners.thinking import Marks, ThinkingSplitter, closed, frame_texts, marks_of


class LlamaText:
    """Turns requests into tokens, and tokens into text, for one loaded model."""

    def __init__(self, model: Any, thinking: Thinking) -> None:
        """`thinking` is what the chat template is told."""
        self._vocab = llama_cpp.llama_model_get_vocab(model)
        self._enable_thinking = ENABLE_THINKING[thinking]
        self.template = metadata(model, "tokenizer.chat_template")
        self._marks: Marks | None = marks_of(self.template)
        texts = frame_texts(self._marks)
        self._mark_tokens = frozenset(token for text in texts for token in self._tokenize(text, special=True))
        self._choices: dict[tuple[str, tuple[str, ...]], list[list[int]]] = {}
        """Tokens of the answers that were encoded last: all examples of a test set have the same."""

    @property
    def vocab(self) -> Any:
        """The C library's handle of the vocabulary."""
        return self._vocab

    @property
    def vocabulary_size(self) -> int:
        """Tokens that the model knows."""
        size: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        return size

    @cached_property
    def end_tokens(self) -> tuple[int, ...]:
        """All tokens that end an answer."""
        return tuple(token for token in range(self.vocabulary_size) if self.ends(token))

    def render(self, request: Request) -> Rendered:
        """The prompt as text, up to where the model goes on."""
        rendered = render_conversation(
            request.messages,
            self.template,
            bos_token=self._token_text("bos"),
            eos_token=self._token_text("eos"),
            enable_thinking=self._enable_thinking,
        )
        return rendered.begun(request.answer_prefix)

    def render_answered(self, request: Request) -> Rendered:
        """The prompt for scoring answers: thinking that a chat template opens is closed, because the answer follows."""
        rendered = self.render(request)
        return rendered.model_copy(update={"text": closed(self._marks, rendered.text)})

    def encode(self, text: str) -> list[int]:
        """Tokens of a prompt."""
        tokens = self._tokenize(text, special=True)
        bos = llama_cpp.llama_vocab_bos(self._vocab)
        # Many chat templates write the beginning-of-sequence token that the tokenizer adds as well.
        return tokens[1:] if tokens[:2] == [bos, bos] else tokens

    def encode_choices(self, separator: str, choices: tuple[str, ...]) -> list[list[int]]:
        """Tokens of each answer behind a prompt."""
        if (separator, choices) not in self._choices:
            self._choices = {
                (separator, choices): [self._tokenize(separator + choice, special=False) for choice in choices]
            }
        return self._choices[separator, choices]

    def splitter(self, prompt: str) -> ThinkingSplitter:
        """Tells thinking from answer in what the model writes after a prompt."""
        return ThinkingSplitter(self._marks, prompt)

    def ends(self, token: int) -> bool:
        """Whether a token ends the answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def piece(self, token: int) -> bytes:
        """Bytes that a token writes; control tokens write nothing, unless they mark thinking."""
        shown = token in self._mark_tokens
        buffer = ctypes.create_string_buffer(64)
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, 64, 0, shown)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, -size, 0, shown)
        return buffer.raw[:size]

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (llama_cpp.llama_token * size)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), buffer, size, special, special)
        if count < 0:
            raise EngineFailed(f"The model's tokenizer does not accept a text of {len(data):,} bytes.")
        return list(buffer[:count])

    def _token_text(self, name: str) -> str:
        token = getattr(llama_cpp, f"llama_vocab_{name}")(self._vocab)
        if token < 0:
            return ""
        text: bytes = llama_cpp.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace")


def metadata(model: Any, key: str) -> str | None:
    """What a loaded file says under a key, as text; None where it says nothing."""
    size = llama_cpp.llama_model_meta_val_str(model, key.encode(), None, 0)
    if size < 0:
        return None
    buffer = ctypes.create_string_buffer(size + 1)
    llama_cpp.llama_model_meta_val_str(model, key.encode(), buffer, size + 1)
    return buffer.value.decode("utf-8", "replace")
