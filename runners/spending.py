"""Keeps the requests to a server within the limits of its options: so many a minute, so many in all, so many tokens.

Counts one start of a run. Reads no clock and never sleeps: the engine says what time it is and waits.
"""

from runners.engine_options import EndpointOptions

CHARACTERS_PER_TOKEN = 3
"""For prompts that no tokenizer of ours knows; English has four and more, so limits are rather kept than passed."""


def estimated_tokens(text: str) -> int:
    """Tokens of a text, from its length."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class Spending:
    """What has been sent, what may still be sent, and when."""

    def __init__(self, options: EndpointOptions) -> None:
        self._options = options
        self._requests = 0
        self._tokens = 0
        self._reserved: dict[str, int] = {}
        self._next_start = float("-inf")

    def seconds_until_next(self, now: float) -> float:
        """How long the next request has to wait for its turn."""
        return max(0.0, self._next_start - now)

    def take_turn(self, now: float) -> None:
        """A request is sent now. Requests are evenly spaced: a burst is what servers answer with 429."""
        if self._options.requests_per_minute is not None:
            self._next_start = max(now, self._next_start) + 60 / self._options.requests_per_minute

    def refusal(self, tokens: int) -> str | None:
        """Why a request that may take so many tokens must not be sent any more; None where it may."""
        most_requests, most_tokens = self._options.max_requests, self._options.max_total_tokens
        if most_requests is not None and self._requests >= most_requests:
            limit = f"max_requests is {most_requests:,} and as many were sent"
        elif most_tokens is not None and self._tokens + sum(self._reserved.values()) + tokens > most_tokens:
            limit = (
                f"max_total_tokens is {most_tokens:,}, {self._tokens:,} were used, "
                f"and the next request may take {tokens:,}"
            )
        else:
            return None
        return (
            f"The spending limit is reached: {limit}. What was finished is kept; bench --resume goes on "
            "and may spend as much again, and a higher limit in the benchmark file lets it go further."
        )

    def reserve(self, request_id: str, tokens: int) -> None:
        """A request is sent that may take so many tokens."""
        self._requests += 1
        self._reserved[request_id] = tokens

    def settle(self, request_id: str, tokens: int | None) -> None:
        """A request is over and took so many tokens; None where nobody says, and what was reserved counts."""
        reserved = self._reserved.pop(request_id, 0)
        self._tokens += reserved if tokens is None else tokens
