"""What is sent to an OpenAI-compatible server: a Request as the JSON of its API. Sends nothing itself."""

import json

from runners.chat_template import render_conversation
from runners.engine_options import EndpointOptions
from runners.errors import EngineFailed
from runners.label_answers import answer_schema, label_schema
from runners.records import Request


def request_path(options: EndpointOptions) -> str:
    """Path below the base address."""
    return "/chat/completions" if options.api == "chat" else "/completions"


def wants_schema(request: Request, options: EndpointOptions) -> bool:
    """Whether the answer should be held to the request's choices; plain completions have no way to."""
    return bool(request.choices) and options.api == "chat" and options.label_answers != "free"


def prompt_text(request: Request) -> str:
    """The conversation as plain text: what `completions` receives; of `chat`, what the server's template is fed."""
    return render_conversation(request.messages, None).begun(request.answer_prefix).text


def request_body(request: Request, model: str, options: EndpointOptions, *, schema: bool) -> dict[str, object]:
    """The body of one request. Raises EngineFailed for what the API cannot express.

    `ignore_eos` is no part of the API: vLLM and llama-server know it, and it is sent only where the answer's length is
    fixed beforehand.
    """
    body: dict[str, object] = {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if request.ignore_eos:
        body["ignore_eos"] = True
    if request.stop:
        body["stop"] = list(request.stop)
    if options.api == "completions" and (request.json_schema or request.grammar):
        raise EngineFailed("Plain completions cannot be held to a schema or grammar. Set api: chat for this candidate.")
    if options.api == "completions":
        return (body | {"logprobs": 0} if request.logprobs else body) | {"prompt": prompt_text(request)}
    if request.answer_prefix:
        raise EngineFailed(
            f"A chat server cannot be made to begin its answer with answer_prefix {request.answer_prefix!r}. "
            "Leave answer_prefix out of the prompt, or set api: completions for this candidate."
        )
    if request.grammar is not None:
        raise EngineFailed("OpenAI-compatible servers have no parameter for a GBNF grammar. Use json_schema instead.")
    if request.json_schema is not None:
        body["response_format"] = answer_schema(json.loads(request.json_schema), "answer")
    elif schema:
        body["response_format"] = label_schema(request.choices)
    if request.logprobs:
        body["logprobs"] = True
    return body | {"messages": [message.model_dump() for message in request.messages]}
