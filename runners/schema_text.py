"""JSON schemas in settings: people write a mapping, records keep the text, so that they stay plain and hashable."""

import json


def schema_as_json(value: object) -> object:
    """A schema given as a mapping or as text, as JSON text; ValueError says what is wrong with it."""
    if isinstance(value, dict):
        try:
            return json.dumps(value, ensure_ascii=False)
        except TypeError as error:
            raise ValueError(f"it holds what JSON does not have ({error}); put dates in quotes") from error
    if isinstance(value, str):
        try:
            schema = json.loads(value)
        except ValueError as error:
            raise ValueError(f"it is not JSON ({error}); write the schema itself as a mapping") from error
        if not isinstance(schema, dict):
            raise ValueError("a JSON schema is an object, such as {type: object, properties: {…}}")
    return value
