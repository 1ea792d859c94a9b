"""Test sets that are kept: every version with what was done, and what changed between two of them."""

from collections.abc import Sequence
from itertools import groupby

from results import numbers
from results.test_set_records import KeptTestSet, TestSetDiff
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag

_VERSIONS_SHOWN = 8
_CHANGES_SHOWN = 60


def versions_panel(
    kept: Sequence[KeptTestSet], open_name: str | None, changes: TestSetDiff | None = None, *, archived: bool = False
) -> Html:
    """Every kept test set, the open one first; with what changed, where that was asked for."""
    listed = [each for each in kept if archived or not each.archived or each.name == open_name]
    hidden = len({each.name for each in kept} - {each.name for each in listed})
    if not kept:
        note = render.empty("Nothing kept yet", "A test set is kept with its first edit, or by Keep this test set.")
        return tag("div", note, class_="card")
    groups = [(name, list(found)) for name, found in groupby(listed, key=lambda each: each.name)]
    groups.sort(key=lambda pair: pair[0] != open_name)
    return tag(
        "div",
        _changes(changes) if changes is not None else None,
        [_group(name, found, is_open=name == open_name) for name, found in groups],
        tag("p", f"{numbers.things(hidden, 'test set')} archived. ", render.action("Show them", "archived", "yes"))
        if hidden
        else None,
    )


def _group(name: str, found: Sequence[KeptTestSet], *, is_open: bool) -> Html:
    newest = found[0]
    actions = [
        render.action("Open", "open", name, class_="button", title=f"Open {name}"),
        render.action("CSV", "export-csv", name, class_="button", title=f"Export {name} as CSV"),
        render.action("JSONL", "export-jsonl", name, class_="button", title=f"Export {name} as JSONL"),
        render.action("Duplicate", "duplicate", name, class_="button", title=f"Duplicate {name}"),
        render.action(
            "Bring back" if newest.archived else "Archive",
            "archive",
            f"{name} {'no' if newest.archived else 'yes'}",
            class_="button",
            title=f"Bring {name} back" if newest.archived else f"Archive {name}",
        ),
    ]
    more = len(found) - _VERSIONS_SHOWN
    columns = [Column("Version", numeric=True), Column("Kept"), Column("Examples", numeric=True), Column("Task")]
    columns += [Column("What was done"), Column("")]
    return tag(
        "section",
        tag(
            "div",
            tag("h2", name),
            render.badge("running", "●", "open") if is_open else None,
            render.badge("unknown", "–", "archived") if newest.archived else None,
            tag("span", class_="spacer"),
            actions,
            class_="panel-head",
        ),
        render.table(
            f"Versions of {name}", columns, [_version(each) for each in found[:_VERSIONS_SHOWN]], sortable=False
        ),
        tag("p", f"{more:,} older ones are not listed.", class_="quiet") if more > 0 else None,
        class_="card",
        aria_label=name,
    )


def _version(kept: KeptTestSet) -> Row:
    value = f"{kept.name} {kept.version}"
    actions = [render.action("Look at", "open", value, class_="chip", title=f"Look at version {kept.version}")]
    if kept.version > 1:
        actions.append(
            render.action("What changed", "diff", value, class_="chip", title=f"What changed to version {kept.version}")
        )
    source = kept.source.replace("\\", "/").rpartition("/")[2]
    return Row(
        [
            Cell(str(kept.version)),
            Cell(kept.created_at[:16].replace("T", " ")),
            Cell(numbers.count(kept.examples)),
            Cell(kept.task.replace("_", " ")),
            Cell(render.untrusted(kept.message or f"From {source}.", name="span", limit=300)),
            Cell(tag("div", actions, class_="row-actions")),
        ]
    )


def _changes(found: TestSetDiff) -> Html:
    signs = {"added": "+", "removed": "−", "changed": "~"}
    rows = [
        Row([Cell(f"{signs[each.change]} {each.change}"), Cell(each.id), Cell(", ".join(each.fields))])
        for each in found.changes[:_CHANGES_SHOWN]
    ]
    said = f"{found.added:,} added, {found.removed:,} removed, {found.changed:,} changed, {found.unchanged:,} the same"
    more = found.added + found.removed + found.changed - len(rows)
    return tag(
        "section",
        render.heading(f"{found.name}: version {found.first} → {found.second}", said),
        render.table("What changed", (Column("Change"), Column("Example"), Column("Fields")), rows, sortable=False),
        tag("p", f"{more:,} more are not listed.", class_="quiet") if more > 0 else None,
        class_="card",
        aria_label="What changed",
    )
