"""Problems of a test set by row, each with what can be done about it; one at a time, or all of a kind."""

from collections import Counter

from results import numbers
from runners.test_set_records import Problem
from runners.test_sets.fixes import Fixable, example_of, fixable, fixes_of
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag
from workbench.steps.test_set.opened import Opened

_SHOWN = 60
_OPENED_RULES = frozenset({"empty_label", "empty_text", "bad_json", "contradictory_labels", "few_choices"})
"""Rules that a person mends by looking at the example."""


def problems(opened: Opened, only: str = "") -> Html:
    """The list; `only` is a rule, and then the others are not listed."""
    found = opened.checked.problems
    if not found:
        nothing = render.notice("info", "Every row was read, and no check found anything.")
        return render.join(render.heading("Problems"), nothing, _lengths(opened))
    by_rule = Counter(problem.rule for problem in found)
    only = only if only in by_rule else ""
    listed = [problem for problem in found if not only or problem.rule == only]
    ground = fixable(opened.examples, opened.labels)
    return tag(
        "div",
        render.heading("Problems", numbers.things(len(found), "problem")),
        _again(opened),
        render.notice("failure", "Nothing is measured on this file until its errors are mended.")
        if opened.checked.errors
        else None,
        _kinds(opened, by_rule, only, ground),
        render.table(
            "Problems by row",
            (Column("Row", numeric=True), Column("Kind"), Column("Problem"), Column("What to do")),
            [_row(problem, ground, opened) for problem in listed[:_SHOWN]],
        ),
        tag("p", f"{len(listed) - _SHOWN:,} more are not listed.", class_="quiet") if len(listed) > _SHOWN else None,
        _lengths(opened),
        data_problem=only,
        class_="ts-problems",
    )


def _lengths(opened: Opened) -> Html | None:
    """Prompts are counted by each candidate's own tokenizer, which has to be loaded for it."""
    if opened.checked.errors or not opened.checked.file.examples:
        return None
    said = "Check whether every prompt fits the shortlist's contexts"
    return tag("p", render.action(said, "lengths", class_="button"))


def _again(opened: Opened) -> Html | None:
    """That the list is of before the last edits."""
    if not opened.stale:
        return None
    again = render.action("Check again", "check", class_="button")
    return render.notice("warning", f"Found before the last {numbers.things(opened.edits, 'edit')}. ", again)


def _kinds(opened: Opened, by_rule: Counter[str], only: str, ground: Fixable) -> Html:
    """One line for every rule: how many, show only these, and what can be done about all of them."""
    items = []
    for rule, count in by_rule.most_common():
        first = next(problem for problem in opened.checked.problems if problem.rule == rule)
        sign = render.badge("forbidden", "✕", "error") if first.severity == "error" else _warning()
        show = render.action(
            f"{rule.replace('_', ' ')} ({count:,})",
            "only",
            "" if rule == only else rule,
            title="Show all problems" if rule == only else f"Show only {rule.replace('_', ' ')}",
        )
        items.append(tag("li", sign, show, tag("span", class_="spacer"), _for_all(opened, rule, ground)))
    return tag("ul", items, class_="ts-kinds", aria_label="Kinds of problems")


def _for_all(opened: Opened, rule: str, ground: Fixable) -> list[Html]:
    """Buttons for every fix that some problem of the rule has."""
    if not opened.editable:
        return []
    words: dict[str, str] = {}
    for problem in opened.problems(rule):
        words |= {fix.name: fix.words_for_all for fix in fixes_of(problem, ground) if fix.name not in words}
        if len(words) > 2:
            break
    buttons = [
        render.action(said, "fix-all", f"{rule} {name}", class_="chip", title=f"{said}: {rule.replace('_', ' ')}")
        for name, said in words.items()
    ]
    if not words and _unreadable(rule, opened, ground):
        said = "Leave these rows out"
        buttons.append(render.action(said, "adopt", class_="chip", title=f"{said}, and keep the others"))
    if rule == "empty_label" and opened.kept is not None:
        said = "Measure only those with an answer"
        buttons.append(render.action(said, "only-labelled", class_="chip"))
    return buttons


def _unreadable(rule: str, opened: Opened, ground: Fixable) -> bool:
    """Whether the rule is about rows of a file that became no example."""
    broken = {problem.rule for problem in opened.checked.file.problems if problem.severity == "error"}
    return rule in broken and not any(example_of(problem, ground) for problem in opened.problems(rule)[:1])


def _row(problem: Problem, ground: Fixable, opened: Opened) -> Row:
    example = example_of(problem, ground)
    buttons = []
    if example is not None and opened.editable:
        key = f"{problem.row} {problem.rule}"
        buttons = [
            render.action(fix.words, "fix", f"{key} {fix.name}", class_="chip", title=f"{fix.words}: {example.id}")
            for fix in fixes_of(problem, ground)
        ]
        label = "Answer it" if problem.rule == "empty_label" else "Open"
        buttons.insert(
            0 if problem.rule in _OPENED_RULES else len(buttons),
            render.action(label, "select", example.id, class_="chip", title=f"{label}: {example.id}"),
        )
    return Row(
        [
            Cell(numbers.count(problem.row), problem.row),
            Cell(
                render.badge("forbidden", "✕", "error") if problem.severity == "error" else _warning(),
                problem.severity,
            ),
            Cell(render.untrusted(problem.message, limit=300, name="span"), problem.message),
            Cell(render.join(tag("span", problem.fix), tag("div", buttons) if buttons else None), problem.fix),
        ]
    )


def _warning() -> Html:
    return render.badge("conditional", "!", "warning")
