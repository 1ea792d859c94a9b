"""Says in words what a model was made from, for the command line, the app and the report alike."""

from catalog.records import Ancestor, Verdict

_RELATIONS = {
    "adapter": "adapter for",
    "merge": "merged from",
    "quantized": "quantized from",
    "finetune": "fine-tuned from",
    "family": "its name says it belongs to",
    None: "made from",
}


def ancestor_line(ancestor: Ancestor) -> str:
    """One parent: how it was used, under which license, and where that was read."""
    if ancestor.value is None:
        judged = "not in the catalog, so its license is not known"
    else:
        judged = f"{ancestor.license or 'no license declared'}, {ancestor.value.value}"
    return f"{_RELATIONS[ancestor.relation]} {ancestor.model_id}: {judged} ({ancestor.source})"


def disagreement(verdict: Verdict) -> str | None:
    """Where the lineage is stricter than what the model declares; None where they agree."""
    if verdict.declared_value is None or verdict.declared_value is verdict.value:
        return None
    return (
        f"The declared license alone would be {verdict.declared_value.value}; "
        f"what the model was made from makes it {verdict.value.value}."
    )
