"""What the rules that leave models out are called, on the screen and in the report."""

RULE_WORDS = {
    "verdict": "license verdict",
    "min_parameters": "too few parameters",
    "max_parameters": "too many parameters",
    "min_context": "context too short",
    "fits": "does not fit",
    "format": "format",
    "task": "task",
    "language": "language",
    "text": "name",
    "author": "owner",
    "licenses": "license",
    "library": "library",
    "gated": "gated",
    "kind": "where it lives",
    "updated_since": "last change",
}
"""Rule (catalog.index.RULES) → a few words."""
