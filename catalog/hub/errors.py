"""From what huggingface_hub raises to our own errors, each a sentence with what to do next.

Takes nothing of the original text over: a server may echo a header in it, and a token must never travel in an error.
Asks only whether a token is set. Decides nothing about retries.
"""

import httpx2
from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    BadRequestError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from catalog.errors import CatalogError, HubUnavailable, ModelNotFound

EXPECTED = (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    LocalEntryNotFoundError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    ValueError,
)
"""What a call of huggingface_hub may raise when the world outside is not as hoped."""


def page_of(model_id: str) -> str:
    """Address of the model's page, where terms are read and accepted; always the Hub itself, never a mirror."""
    return f"{constants.HUGGINGFACE_CO_URL_HOME}{model_id}"


def explained(error: Exception, model_id: str | None, revision: str | None = None) -> CatalogError:
    """Our error for one of theirs; `model_id` None stands for the list of models."""
    subject = model_id or "the list of models"
    if isinstance(error, HfHubHTTPError):
        return _answered(error, subject, revision)
    if isinstance(error, HFValidationError):
        return ModelNotFound(f"{model_id!r} is neither a file on this machine nor a Hub id such as owner/name.")
    # A list has no file to name instead, but the catalog on this machine.
    instead = "name the path of a GGUF file" if model_id is not None else "search the catalog on this machine"
    if isinstance(error, (OfflineModeIsEnabled, LocalEntryNotFoundError)):
        where = f"{subject} is not in the Hugging Face cache, and the Hub" if model_id is not None else "The Hub"
        return HubUnavailable(f"{where} cannot be asked (offline). Go online, or {instead}.")
    if isinstance(error, httpx2.TimeoutException):
        return HubUnavailable(
            f"The Hub did not answer in time when asked for {subject}. Try again later, or set HF_ENDPOINT to a mirror."
        )
    return HubUnavailable(
        f"The Hub could not be reached for {subject} ({type(error).__name__}). "
        f"Check the network and the proxy settings, or {instead}."
    )


def _answered(error: HfHubHTTPError, subject: str, revision: str | None) -> CatalogError:
    """For an answer with an error status."""
    # A gated repository is a kind of RepositoryNotFoundError, so it is looked at first.
    if isinstance(error, GatedRepoError):
        return HubUnavailable(_gated(subject))
    if isinstance(error, RevisionNotFoundError):
        return ModelNotFound(f"{subject} has no revision {revision!r}. Leave revision out to take the newest.")
    if isinstance(error, RemoteEntryNotFoundError):
        return ModelNotFound(f"{subject} does not have that file at revision {revision!r}. List its files first.")
    if isinstance(error, RepositoryNotFoundError):
        return ModelNotFound(
            f"There is no model {subject!r} on the Hub, or it is private. Check its spelling, or set HF_TOKEN."
        )
    return HubUnavailable(_refused(subject, error))


def not_json(subject: str, content_type: str) -> HubUnavailable:
    """The answer is not what the Hub's API sends, as when a proxy shows its login page."""
    return HubUnavailable(
        f"The answer for {subject} is not the Hub's JSON (it is {content_type or 'of no stated type'}). "
        "Check HF_ENDPOINT and the proxy: a login page may stand in between."
    )


def _gated(model_id: str) -> str:
    whose = (
        "HF_TOKEN is set, but its account has not been granted access"
        if get_token()
        else "no token is set, so the Hub cannot know who asks"
    )
    return (
        f"{model_id} is gated: {whose}. Accept its terms at {page_of(model_id)} with your account, "
        "set HF_TOKEN to a token of that account and try again."
    )


def _refused(subject: str, error: HfHubHTTPError) -> str:
    status = error.response.status_code
    if status == 401:
        return (
            f"The Hub refused the token when asked for {subject} (status 401). "
            "Set HF_TOKEN to a valid token, or unset it for public models."
        )
    if status == 403:
        return (
            f"The Hub forbids access to {subject} (status 403). Use a token that may read it; a fine-grained one needs "
            "the permission for public gated repositories."
        )
    if status == 429:
        return f"The Hub asks to wait (status 429) before giving {subject}. Try again in five minutes, or set HF_TOKEN."
    if isinstance(error, BadRequestError):
        return (
            f"The Hub did not understand the request for {subject} (status 400). "
            "Change the filters; if an earlier download of the list is being continued, start it anew."
        )
    return f"The Hub answered with status {status} when asked for {subject}. Try again later."
