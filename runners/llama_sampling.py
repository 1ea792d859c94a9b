"""Chooses the next token of an answer from its logits: temperature, seed, and a grammar that the answer must follow.

A grammar is asked about the chosen token first, and about the whole vocabulary only where it refuses that one: with
200,000 tokens the whole question takes longer than a small model's step. Decodes nothing.
"""

import ctypes
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp.llama_grammar import json_schema_to_gbnf

from runners.errors import EngineFailed
from runners.llama_text import LlamaText
from runners.records import Request

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""`llama_token_data` of llama.h."""


class Sampler:
    """Owns the C library's samplers of one request."""

    def __init__(self, text: LlamaText, request: Request) -> None:
        """Raises EngineFailed for a grammar or schema that llama.cpp does not read."""
        self._grammar = _make_grammar(text.vocab, request)
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        if request.ignore_eos:
            llama_cpp.llama_sampler_chain_add(self._chain, _never_ending(text))
        if request.temperature == 0:
            llama_cpp.llama_sampler_chain_add(self._chain, llama_cpp.llama_sampler_init_greedy())
        else:
            llama_cpp.llama_sampler_chain_add(self._chain, llama_cpp.llama_sampler_init_temp(request.temperature))
            llama_cpp.llama_sampler_chain_add(self._chain, llama_cpp.llama_sampler_init_dist(request.seed & 0xFFFFFFFF))

    def choose(
        self, context: Any, row: int, logits: npt.NDArray[np.float32], is_outside_answer: Callable[[int], bool]
    ) -> int:
        """The next token, given the logits of a row, shape (vocabulary_size,).

        What `is_outside_answer` says yes to (thinking, the marks around it) is free of the grammar.
        """
        token: int = llama_cpp.llama_sampler_sample(self._chain, context, row)
        if self._grammar is None or is_outside_answer(token):
            return token
        if not self._allows(token, float(logits[token])):
            token = self._choose_allowed(logits)
        llama_cpp.llama_sampler_accept(self._grammar, token)
        return token

    def close(self) -> None:
        """Free both."""
        llama_cpp.llama_sampler_free(self._chain)
        if self._grammar is not None:
            llama_cpp.llama_sampler_free(self._grammar)

    def _allows(self, token: int, logit: float) -> bool:
        candidates = np.array([(token, logit, 0.0)], dtype=_CANDIDATE)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(_array_of(candidates)))
        return bool(np.isfinite(candidates["logit"][0]))

    def _choose_allowed(self, logits: npt.NDArray[np.float32]) -> int:
        candidates = np.empty(len(logits), dtype=_CANDIDATE)
        candidates["id"] = np.arange(len(logits), dtype=np.int32)
        candidates["logit"] = logits
        candidates["p"] = 0.0
        array = _array_of(candidates)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(array))
        if not np.isfinite(candidates["logit"]).any():
            raise EngineFailed(
                "The grammar allows none of the model's tokens here. Simplify the grammar or the schema."
            )
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(candidates["id"][array.selected])


def _array_of(candidates: npt.NDArray[Any]) -> Any:
    pointer = candidates.ctypes.data_as(llama_cpp.llama_token_data_p)
    return llama_cpp.llama_token_data_array(data=pointer, size=len(candidates), selected=-1, sorted=False)


def _make_grammar(vocab: Any, request: Request) -> Any:
    text = request.grammar
    if request.json_schema is not None:
        text = grammar_of_schema(request.json_schema)
    elif text is None and request.choices:
        text = grammar_of_choices(request.choices)
    if text is None:
        return None
    grammar = llama_cpp.llama_sampler_init_grammar(vocab, text.encode(), b"root")
    if not grammar:
        raise EngineFailed(
            f"llama.cpp does not read this grammar: {text[:300]} … It needs GBNF with a rule named root; "
            "the log has the place."
        )
    return grammar


def _never_ending(text: LlamaText) -> Any:
    """A bias under which no token that ends an answer is ever chosen, as llama.cpp's own `--ignore-eos`."""
    ends = text.end_tokens
    biases = (llama_cpp.llama_logit_bias * len(ends))(*(llama_cpp.llama_logit_bias(end, -math.inf) for end in ends))
    return llama_cpp.llama_sampler_init_logit_bias(text.vocabulary_size, len(ends), biases)


@cache
def grammar_of_schema(schema: str) -> str:
    """GBNF of a JSON schema given as JSON. Raises EngineFailed with what the converter says."""
    try:
        grammar: str = json_schema_to_gbnf(schema)
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError, AttributeError, OSError) as error:
        message = f"This JSON schema cannot be turned into a grammar ({error}): {schema[:300]}. Simplify it."
        raise EngineFailed(message) from error
    return grammar


@cache
def grammar_of_choices(choices: tuple[str, ...]) -> str:
    """GBNF that allows exactly one of some texts."""
    # Base models put a space between a prompt in plain text and the answer.
    return 'root ::= " "? (' + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices) + ")"
