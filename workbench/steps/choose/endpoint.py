"""Step Choose: put a server on the shortlist. Asks nobody; the key itself is never entered here, only where it is."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from runners.engine_options import EndpointOptions, is_remote
from workbench.records import CandidateDefinition
from workbench.remote import secrets_of
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.choose.handlers import add_candidate
from workbench.steps.desk import Desk

_WORDS = {"base_url": "Address", "context_tokens": "Context"}
"""Labels of the fields, by option."""
_NOT_A_NAME = (
    "Give the name of the environment variable that holds the key, such as MY_SERVER_KEY: letters, digits and "
    "underscores. Never the key itself."
)


def add_endpoint(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Add what was entered (in the order of the form): the shortlist's panel, then the fields, empty again."""
    address, model, key_variable, context_tokens, allow_remote = values
    if not address.strip() or not model.strip():
        raise refusal("Give the address of the server and the name by which it knows the model.")
    options = _options(address.strip(), model.strip(), key_variable.strip(), context_tokens, allow_remote)
    host = urlsplit(options.base_url).hostname
    if is_remote(options) and not options.allow_remote:
        raise refusal(
            f"{host} is another machine, and your examples would be sent there. If they may leave this machine, tick "
            "“Examples may leave this machine”."
        )
    if options.api_key_variable is not None and not secrets_of(options):
        raise refusal(
            f"The environment variable {options.api_key_variable} is not set where the workbench was started. Set it "
            "there and start the workbench again."
        )
    candidate = CandidateDefinition(
        name=f"{model.strip()} at {urlsplit(options.base_url).netloc}",
        model=model.strip(),
        engine="endpoint",
        options=options,
    )
    return add_candidate(workbench, desk, candidate), "", "", "", None, False


def _options(
    address: str, model: str, key_variable: str, context_tokens: float | None, allow_remote: bool
) -> EndpointOptions:
    try:
        return EndpointOptions(
            base_url=address,
            model=model,
            api_key_variable=key_variable or None,
            context_tokens=int(context_tokens) if context_tokens else None,
            allow_remote=allow_remote,
        )
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        field = str(wrong["loc"][0])
        if field == "api_key_variable":
            # Without what was entered, which may be a key.
            raise refusal(_NOT_A_NAME) from error
        reason = wrong["msg"].removeprefix("Value error, ")
        raise refusal(f"{_WORDS.get(field, field)} is {wrong['input']!r}: {reason}.") from error
