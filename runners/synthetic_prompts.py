"""Made prompts of exact token length, each different, so that no part of one is found in a cache of another.

The length is that of the rendered prompt, chat template included. An engine with the model's tokenizer counts it; of a
server only the usage figures tell, so prompts are tried out first: one token of answer each, before anything is timed.
Words are common English ones, because nearly every tokenizer has them as one token. They mean nothing together.
"""

import random
from collections.abc import Sequence

from runners.engine import Engine
from runners.errors import EngineFailed
from runners.records import Chunk, Message, Request, Synthetic

_TEXT = """
time year people way day man thing woman life child world school state family student group country problem hand part
place case week company system program question work government number night point home water room mother area money
story fact month lot right study book eye job word business issue side kind head house service friend father power hour
game line end member law car city community name president team minute idea body information back parent face others
level office door health person art war history party result change morning reason research girl guy moment air teacher
force education the of and to in is that for it was on are as with his they at be this from have or by one had not but
what all were when we there can an your which their said if do will
"""
_WORDS = _TEXT.split()
_MOST_STEPS = 60
"""Tries to reach a length by adding and exchanging words."""
_MOST_PROBES = 10
"""Prompts sent to find out how a server counts."""
_CONFIRMATIONS = 2
"""Prompts in a row that must have the length asked for before it counts as exact."""


class SyntheticPrompts:
    """Makes the requests of one workload."""

    def __init__(self, engine: Engine, asked: Synthetic, *, temperature: float, seed: int) -> None:
        self._engine = engine
        self._asked = asked
        self._temperature = temperature
        self._seed = seed
        # Other words at every start: a server that keeps prompts must not have seen these.
        self._chance = random.SystemRandom()
        self._words: int | None = None
        self._probes = 0
        self.is_exact = False
        """After `calibrate`: whether what was sent had the length asked for."""

    def calibrate(self) -> None:
        """Find out how prompts come to the length asked for. Raises EngineFailed where it cannot be reached."""
        confirmed = 0
        while confirmed < _CONFIRMATIONS and self._probes < _MOST_PROBES:
            self._probes += 1
            request = self._request(f"probe-{self._probes}", output_tokens=1)
            tokens = self._sent_tokens(request)
            if not tokens:
                return
            confirmed = confirmed + 1 if tokens == self._asked.input_tokens else 0
            if tokens != self._asked.input_tokens:
                written = len(request.messages[0].content.split())
                self._words = max(1, written + self._asked.input_tokens - tokens)
        self.is_exact = confirmed == _CONFIRMATIONS

    def requests(self, ids: Sequence[str]) -> tuple[Request, ...]:
        """One request for each id."""
        return tuple(self._request(identity, output_tokens=self._asked.output_tokens) for identity in ids)

    def _request(self, identity: str, *, output_tokens: int) -> Request:
        words = self._chance.choices(_WORDS, k=self._words or self._asked.input_tokens)
        if self._words is None:
            words = self._fitted(words)
        return self._with_text(words, identity, output_tokens)

    def _fitted(self, words: list[str]) -> list[str]:
        """Words exchanged, added and taken away until the engine counts the length asked for."""
        for _ in range(_MOST_STEPS):
            missing = self._asked.input_tokens - self._engine.count_tokens(self._with_text(words))
            if not missing:
                return words
            if missing > 0:
                words = words + self._chance.choices(_WORDS, k=missing)
            elif len(words) > -missing:
                words = words[:missing]
            else:
                break
            # Where a word more or less misses the length by one again and again, another last word may hit it.
            words[-1] = self._chance.choice(_WORDS)
        least = self._engine.count_tokens(self._with_text(["a"]))
        if least > self._asked.input_tokens:
            raise EngineFailed(
                f"A prompt of {self._asked.input_tokens:,} tokens is not possible: the chat template with one word has "
                f"{least:,}. Raise input_tokens of the synthetic prompts."
            )
        return words

    def _with_text(self, words: Sequence[str], identity: str = "draft", output_tokens: int = 1) -> Request:
        return Request(
            id=identity,
            messages=(Message(role="user", content=" ".join(words)),),
            max_output_tokens=output_tokens,
            temperature=self._temperature,
            seed=self._seed,
            ignore_eos=True,
        )

    def _sent_tokens(self, request: Request) -> int | None:
        """Tokens of a prompt as the engine reports them once it has answered."""
        last: Chunk | None = None
        for chunk in self._engine.stream((request,)):
            last = chunk
        if last is not None and last.finish_reason == "overflow":
            raise EngineFailed(
                f"A prompt of {self._asked.input_tokens:,} tokens does not fit the context of the engine. "
                "Set a smaller input_tokens, or a larger context_tokens in the options of the candidate."
            )
        if last is None or last.finish_reason == "failed":
            raise EngineFailed(f"A synthetic prompt was not answered: {last.failure if last else 'nothing came back'}")
        return last.prompt_tokens
