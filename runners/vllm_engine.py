"""vLLM as an engine: a server in an environment of its own, started here, asked like an endpoint, ended here.

Answers are streamed by the endpoint engine; labels are scored over tokens (vllm_scoring.py). The prefix cache serves
accuracy alone: every other request carries a random salt, with which vLLM finds nothing of another request.
"""

import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from catalog.records import Candidate
from runners.chat_template import Rendered, render_conversation
from runners.endpoint_client import Dialect
from runners.endpoint_engine import EndpointEngine
from runners.engine_options import ENABLE_THINKING, EndpointOptions, EngineOptions, VllmOptions
from runners.errors import EngineFailed
from runners.event_loop import EventLoop
from runners.hugging_face_chat import FolderChat, read_chat
from runners.records import ChoiceScore, ChoiceScores, Chunk, Loaded, Message, NotYet, Request
from runners.thinking import Marks, ThinkingSplitter, closed, marks_of
from runners.vllm_client import ANSWER_SECONDS, VllmClient
from runners.vllm_environment import environment_of
from runners.vllm_scoring import Scored, score
from runners.vllm_server import MODEL_NAME, VllmServer

_KEY = "VLLM_API_KEY"


class VllmEngine:
    """One model in one server."""

    def __init__(
        self, candidate: Candidate, options: EngineOptions, on_progress: Callable[[str], None] | None = None
    ) -> None:
        if not isinstance(options, VllmOptions):
            raise EngineFailed(f"The vLLM engine got options for {options.engine!r}.")
        self._candidate = candidate
        self._options = options
        self._on_progress = on_progress or (lambda _: None)
        self._folder = Path(candidate.weights_path)
        self._shares_prefix = False
        self._chat = FolderChat(None, "", "")
        self._marks: Marks | None = None
        self._server: VllmServer | None = None
        self._loop: EventLoop | None = None
        self._client: VllmClient | None = None
        self._answers: EndpointEngine | None = None
        self._choices: dict[tuple[str, tuple[str, ...]], list[list[int]]] = {}
        """Tokens of the choices; all examples of a test set have the same."""

    @property
    def can_score_choices(self) -> bool:
        """Unless the options want labels to be generated."""
        return self._options.label_answers == "scored"

    @property
    def concurrency(self) -> int:
        """Requests at once, as the options say."""
        return self._options.concurrency

    def load(self) -> Loaded:
        """Start the server and wait until the model answers. Raises EngineFailed with the server's last words."""
        folder, environment = environment_of(self._options)
        self._chat = read_chat(self._folder)
        self._marks = marks_of(self._chat.template)
        server = VllmServer(folder, environment, self._options, self._on_progress)
        loop = EventLoop()
        self._server, self._loop = server, loop
        server.start(self._candidate, lambda address: self._is_ready(loop, address))
        self._client = self._new_client(server.address)
        self._answers = EndpointEngine(
            self._candidate,
            self._endpoint_options(server.address),
            {_KEY: server.key},
            Dialect(self._extra_body, self._splitter),
        )
        listed = self._answers.load()
        self._warm_up(loop, self._client)
        cache = loop.run(self._client.kv_cache())
        tokens = cache.get("kv_cache_size_tokens", "")
        reserved = f"KV cache of {int(tokens):,} tokens reserved" if tokens.isdigit() else "KV cache not stated"
        return Loaded(
            engine="vllm",
            engine_version=environment.version,
            build=f"{environment.build} build, torch {environment.torch_version}; {reserved}, "
            f"in blocks of {cache.get('block_size', 'unknown')}",
            model_description=f"{self._folder.name}, {self._candidate.quantization or self._options.dtype}",
            parameters=self._candidate.parameters,
            context_tokens=listed.context_tokens,
            threads=self._options.threads,
            chat_template_sha256=(
                hashlib.sha256(self._chat.template.encode()).hexdigest() if self._chat.template is not None else None
            ),
            weights_bytes=self._candidate.weights_bytes or None,
        )

    def tune(self) -> None:
        """Nothing is left open: vLLM chooses for itself."""

    def prompt_text(self, request: Request) -> str:
        """The prompt exactly as the model receives it."""
        return self._render(request).text

    def count_tokens(self, request: Request) -> int:
        """Tokens of that prompt, by the model's own tokenizer."""
        loop, client = self._ready()
        return len(loop.run(self._tokens(client, self._render(request).text)))

    def stream(
        self, requests: Iterable[Request | NotYet], *, max_concurrency: int = 1, sharing: Sequence[Request] = ()
    ) -> Iterator[Chunk]:
        """Answers as they arrive, with continuous batching. Raises EngineFailed when the server is gone."""
        self._ready()
        if self._answers is None:
            raise AssertionError("load() makes both")
        self._shares_prefix = bool(sharing)
        sent = (request if isinstance(request, NotYet) else self._as_sent(request) for request in requests)
        mine = self._answers.stream(sent, max_concurrency=max_concurrency)
        for chunk in mine:
            if chunk.finish_reason == "failed":
                self._check_server()
            yield chunk

    def score_choices(self, requests: Sequence[Request], *, sharing: Sequence[Request] = ()) -> Iterator[ChoiceScores]:
        """Score the choices of each request. Raises EngineFailed where the server does, or is gone."""
        del sharing  # vLLM finds by itself what prompts begin with.
        loop, client = self._ready()
        pending = iter(requests)
        running: deque[Future[ChoiceScores]] = deque()
        at_once = 1
        try:
            while True:
                while len(running) < at_once and (request := next(pending, None)) is not None:
                    running.append(loop.start(self._score(client, request)))
                if not running:
                    return
                yield running.popleft().result()
                # The first is alone, so that what all prompts begin with is in the cache for the others.
                at_once = self._options.concurrency
        except EngineFailed:
            self._check_server()
            raise
        finally:
            for work in running:
                work.cancel()

    def close(self) -> None:
        """End the server with everything it started; may be called twice."""
        if self._answers is not None:
            self._answers.close()
        if self._loop is not None:
            self._loop.close(_close(self._client))
        if self._server is not None:
            self._server.close()
        self._answers = self._loop = self._client = self._server = None

    def _ready(self) -> tuple[EventLoop, VllmClient]:
        if self._loop is None or self._client is None:
            raise EngineFailed("The vLLM engine was used before load() or after close().")
        return self._loop, self._client

    def _check_server(self) -> None:
        """A server that is gone, or as good as gone, is the reason for whatever went wrong. Raises EngineFailed."""
        server, loop = self._server, self._loop
        if server is None or loop is None or (server.is_running and self._is_ready(loop, server.address)):
            return
        raise EngineFailed(server.how_it_ended())

    def _new_client(self, address: str) -> VllmClient:
        if self._server is None:
            raise AssertionError("the server comes first")
        return VllmClient(address, self._server.key, MODEL_NAME, self._options.concurrency)

    def _is_ready(self, loop: EventLoop, address: str) -> bool:
        client = self._new_client(address)
        try:
            return loop.run(client.is_ready())
        finally:
            loop.run(client.close())

    def _warm_up(self, loop: EventLoop, client: VllmClient) -> None:
        """The first lookup of log-probabilities is compiled, which takes seconds: they belong to loading."""
        if self.can_score_choices:
            loop.run(client.next_token_logprobs(loop.run(client.tokens("ready", special=True)), [0]))

    def _endpoint_options(self, address: str) -> EndpointOptions:
        """The server as an endpoint. It is asked once: a server of our own that does not answer is broken."""
        answers = self._options.label_answers
        return EndpointOptions(
            base_url=f"{address}/v1",
            model=MODEL_NAME,
            api="chat" if self._chat.template is not None else "completions",
            api_key_variable=_KEY,
            label_answers="json_schema" if answers == "scored" else answers,
            concurrency=min(256, self._options.concurrency),
            timeout_seconds=ANSWER_SECONDS,
            max_retries=0,
        )

    def _extra_body(self, request: Request) -> dict[str, object]:
        body: dict[str, object] = {}
        if not self._shares_prefix:
            body["cache_salt"] = secrets.token_hex(16)
        enable = ENABLE_THINKING[self._options.thinking]
        if enable is not None:
            body["chat_template_kwargs"] = {"enable_thinking": enable, "thinking": enable}
        if self._chat.template is not None and request.messages[-1].role == "assistant":
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        return body

    def _splitter(self, request: Request) -> ThinkingSplitter:
        """A reasoning parser has told thinking apart already; else the chat template says how the model marks it."""
        marks = None if self._options.reasoning_parser is not None else self._marks
        return ThinkingSplitter(marks, self._render(request).text)

    def _as_sent(self, request: Request) -> Request:
        """The request as this model's chat API takes it: turns that the template knows, a prefix as the last turn."""
        if self._chat.template is None:
            return request
        messages = self._render_plain(request.messages).messages
        if request.answer_prefix:
            messages = (*messages, Message(role="assistant", content=request.answer_prefix))
        return request.model_copy(update={"messages": messages, "answer_prefix": ""})

    def _render_plain(self, messages: Sequence[Message]) -> Rendered:
        chat = self._chat
        return render_conversation(
            messages,
            chat.template,
            bos_token=chat.bos_token,
            eos_token=chat.eos_token,
            enable_thinking=ENABLE_THINKING[self._options.thinking],
        )

    def _render(self, request: Request) -> Rendered:
        return self._render_plain(request.messages).begun(request.answer_prefix)

    async def _tokens(self, client: VllmClient, text: str) -> list[int]:
        # A chat template writes the special tokens itself; around plain text the tokenizer puts them.
        return await client.tokens(text, special=self._chat.template is None)

    async def _choice_tokens(self, client: VllmClient, separator: str, choices: tuple[str, ...]) -> list[list[int]]:
        if (separator, choices) not in self._choices:
            tokens = [await client.tokens(separator + choice, special=False) for choice in choices]
            self._choices = {(separator, choices): tokens}
            return tokens
        return self._choices[separator, choices]

    async def _score(self, client: VllmClient, request: Request) -> ChoiceScores:
        rendered = self._render(request)
        prompt = await self._tokens(client, closed(self._marks, rendered.text))
        choices = await self._choice_tokens(client, rendered.separator, request.choices)
        scored = Scored(logprobs=(), cached_tokens=0)
        if len(prompt) + max(map(len, choices), default=0) <= self._options.context_tokens:
            scored = await score(client, prompt, choices)
        found = zip(request.choices, scored.logprobs, choices, strict=False)
        return ChoiceScores(
            request_id=request.id,
            scores=tuple(ChoiceScore(choice=name, logprob=value, tokens=len(ids)) for name, value, ids in found),
            prompt_tokens=len(prompt),
            cached_tokens=scored.cached_tokens,
        )


async def _close(client: VllmClient | None) -> None:
    if client is not None:
        await client.close()
