"""Draws kept shortlists for the terminal; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.shortlist_records import Shortlist, funnel_of
from workbench.cli_marks import new_table
from workbench.rule_words import RULE_WORDS


def print_shortlists(console: Console, lists: Sequence[Shortlist]) -> None:
    """One line per version."""
    if not lists:
        console.print("No shortlist. Keep one with `workbench catalog search … --save NAME`, or in the app.")
        return
    table = new_table("name", "version", "candidates", "considered", "excluded", "kept on")
    for kept in lists:
        left_out = sum(rule.count for rule in kept.excluded)
        table.add_row(
            escape(kept.name),
            str(kept.version),
            numbers.count(len(kept.candidates or kept.model_ids)),
            numbers.count(kept.considered),
            numbers.count(left_out),
            kept.created_at[:10],
        )
    console.print(table)


def print_shortlist(console: Console, kept: Shortlist) -> None:
    """Candidates, then the funnel from all models to them."""
    funnel = funnel_of(kept)
    away = ", archived" if kept.archived else ""
    console.print(f"{kept.name} v{kept.version}, kept on {kept.created_at[:10]}{away}", markup=False)
    source = {"hub": "the Hub", "starter": "the list that ships with the workbench", None: "the catalog"}[funnel.source]
    day = f" as of {funnel.source_date}" if funnel.source_date else ""
    console.print(f"Considered: {numbers.count(funnel.considered)} models of {source}{day}")
    for rule in funnel.excluded:
        console.print(f"  {RULE_WORDS.get(rule.rule, rule.rule)}: {numbers.count(rule.count)} excluded")
    console.print(f"Passed every filter: {numbers.count(funnel.passed)}")
    table = new_table("candidate", "engine", "quantization", "revision")
    if kept.candidates:
        for each in kept.candidates:
            revision = (each.revision or "")[:12]
            table.add_row(escape(each.name or each.model), each.engine, each.quantization or "", revision)
    else:
        for model_id in kept.model_ids:
            table.add_row(escape(model_id), "", "", "")
    console.print(table)
