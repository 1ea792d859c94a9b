"""Labels as JSON: the schema that holds a server's answer to the labels, and the label read out of what came back.

Knows no server: what is sent where is endpoint_request.py's business, what counts as right is the scorers'.
"""

import json
from collections.abc import Mapping, Sequence

FIELD = "label"
"""The one field of the object."""


def label_schema(labels: Sequence[str]) -> dict[str, object]:
    """`response_format` of a chat request whose answer can only be an object with one of the labels."""
    schema = {
        "type": "object",
        "properties": {FIELD: {"type": "string", "enum": list(labels)}},
        "required": [FIELD],
        "additionalProperties": False,
    }
    return answer_schema(schema, FIELD)


def answer_schema(schema: Mapping[str, object], name: str) -> dict[str, object]:
    """`response_format` of a chat request whose answer is held to a JSON schema."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def label_in(text: str) -> str:
    """The label of an answer that is a JSON object (in a code fence or not); any other text as it is."""
    inner = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    if not inner.startswith("{"):
        return text
    try:
        answer = json.loads(inner)
    except ValueError:
        return text
    value = answer.get(FIELD)
    return value if isinstance(value, str) else text
