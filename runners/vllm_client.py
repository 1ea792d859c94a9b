"""What only vLLM's server can be asked: is it ready, what are the tokens of a text, how likely is each next token.

The answers of the model are streamed by the endpoint client; this is the rest. Knows no labels and times nothing.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import httpx

from runners.errors import EngineFailed

MOST_TOKEN_IDS = 128
"""Tokens whose log-probability one request may ask for (vllm/sampling_params.py)."""
ANSWER_SECONDS = 590
"""Longest wait for one answer; the run counts as hanging soon after."""
_CONNECT_SECONDS = 10


class VllmClient:
    """Talks to one server."""

    def __init__(self, address: str, key: str, model: str, concurrency: int) -> None:
        self._model = model
        self._turns = asyncio.Semaphore(concurrency)
        self._http = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=_CONNECT_SECONDS, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def is_ready(self) -> bool:
        """Whether the model can be asked."""
        try:
            return (await self._http.get("/health")).status_code == 200
        except httpx.HTTPError:
            return False

    async def kv_cache(self) -> dict[str, str]:
        """Figures of the server's cache by name, such as `kv_cache_size_tokens` and `block_size`."""
        metrics = (await self._http.get("/metrics")).text
        found = re.search(r"^vllm:cache_config_info\{(.*)\}", metrics, re.MULTILINE)
        return dict(re.findall(r'(\w+)="([^"]*)"', found.group(1))) if found else {}

    async def tokens(self, text: str, *, special: bool) -> list[int]:
        """Tokens of a text, with those that the tokenizer puts around a whole text or without."""
        answer = await self._post("/tokenize", {"prompt": text, "add_special_tokens": special})
        return [int(token) for token in answer["tokens"]]

    async def next_token_logprobs(self, prompt: Sequence[int], wanted: Sequence[int]) -> tuple[dict[int, float], int]:
        """Natural-log probability of each wanted token after a prompt, and tokens of the prompt that were cached.

        Over the whole vocabulary, before temperature or any other sampling parameter. Raises EngineFailed.
        """
        found: dict[int, float] = {}
        cached = 0
        for start in range(0, len(wanted), MOST_TOKEN_IDS):
            part = list(wanted[start : start + MOST_TOKEN_IDS])
            async with self._turns:
                answer = await self._post("/v1/completions", self._scoring_body(prompt, part))
            (top,) = answer["choices"][0]["logprobs"]["top_logprobs"]
            found |= {token: float(top[f"token_id:{token}"]) for token in part}
            if start == 0:
                details = answer["usage"].get("prompt_tokens_details") or {}
                cached = int(details.get("cached_tokens") or 0)
        return found, cached

    def _scoring_body(self, prompt: Sequence[int], wanted: Sequence[int]) -> dict[str, Any]:
        return {
            "model": self._model,
            "prompt": list(prompt),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": len(wanted),
            "logprob_token_ids": list(wanted),
            "return_tokens_as_token_ids": True,
        }

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            response = await self._http.post(path, json=body)
        except httpx.HTTPError as error:
            raise EngineFailed(f"vLLM's server gave no answer: {error or type(error).__name__}.") from error
        if response.status_code != 200:
            raise EngineFailed(
                f"vLLM's server answered with status {response.status_code}: {' '.join(response.text.split())[:200]}."
            )
        return response.json()
