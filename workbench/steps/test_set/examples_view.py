"""What the part Examples shows: the example that is being labelled, and a page of the grid below it."""

from collections.abc import Sequence

from results import numbers
from runners.test_set_records import Example
from runners.test_sets.checks import text_of_example
from runners.test_sets.edits import GROUP, INPUT, field_text
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag
from workbench.steps.test_set.grid import PROBLEM, GridView, Shown
from workbench.steps.test_set.opened import Opened

_MOST_BUTTONS = 30
"""Labels that stand as buttons; of more, the answer is picked from a list."""
_KEYS = "123456789"
_TEXT_SHOWN = 160


def examples_panel(opened: Opened | None, shown: Shown | None) -> Html:
    """The whole part; its root carries what is looked at, so that every click says where it came from."""
    if opened is None or shown is None:
        return tag("div", render.empty("No examples yet", "Upload a file, or start an empty test set."), class_="card")
    if not opened.examples:
        body: list[Html] = [_nothing_yet(opened)]
    else:
        body = [_card(opened, shown), _toolbar(opened, shown), _grid(opened, shown), _add(opened)]
    return tag("div", *body, data_view=shown.view.model_dump_json(), class_="ts-root")


def _nothing_yet(opened: Opened) -> Html:
    return tag(
        "div",
        render.empty("No examples yet", "Paste texts below, one per line; then label them with the keys 1 to 9."),
        _add(opened, is_open=True),
        class_="card",
    )


def _card(opened: Opened, shown: Shown) -> Html:
    """The example that is being labelled."""
    example = shown.selected
    if example is None:
        note = render.empty("Nothing left here", "No example passes this filter. Show all of them below.")
        return tag("section", note, class_="card ts-card", aria_label="Example")
    place = f"{numbers.count(shown.place + 1)} of {numbers.count(shown.total)}"
    return tag(
        "section",
        tag(
            "div",
            tag("h2", f"Example {place}", tabindex="-1", class_="ts-focus"),
            tag("span", example.id, f", row {example.row}" if example.row else "", class_="note"),
            tag("span", class_="spacer"),
            _step("← Previous", "previous", "k"),
            _step("Next →", "next", "j"),
            _step("Next without answer", "unlabelled", "n"),
            class_="panel-head",
        ),
        tag("div", render.untrusted(text_of_example(example), limit=20_000), class_="ts-text"),
        _beside(example),
        _answer(opened, example) if opened.editable else _fixed_answer(example),
        _editor(opened, example) if opened.editable else None,
        class_="card ts-card",
        aria_label="Example",
    )


def _step(words: str, action: str, key: str) -> Html:
    return tag(
        "button",
        words,
        tag("kbd", key.upper(), aria_hidden="true"),
        type="button",
        class_="button",
        data_action=action,
        data_key=key,
        aria_keyshortcuts=key.upper(),
    )


def _beside(example: Example) -> Html:
    """Further columns, choices and passages, as the prompt may show them."""
    columns = list(example.inputs.items())[1:]
    parts: list[Html] = []
    if columns:
        parts.append(
            render.facts((name, render.untrusted(value, limit=1_000, name="span")) for name, value in columns if value)
        )
    if example.passages:
        parts.append(tag("h3", "Passages"))
        parts.append(tag("ol", [tag("li", render.untrusted(text, limit=4_000)) for text in example.passages]))
    return render.join(*parts)


def _fixed_answer(example: Example) -> Html:
    return render.facts([("Right answer", render.untrusted(example.target or "(none)", name="span"))])


def _answer(opened: Opened, example: Example) -> Html:
    """How the right answer is given: buttons with number keys, a list, or a text."""
    choices = _choices(opened, example)
    if choices is None:
        return _text_answer(opened, example)
    buttons = [
        tag(
            "button",
            tag("kbd", _KEYS[place], aria_hidden="true") if place < len(_KEYS) else None,
            choice,
            type="button",
            class_="button ts-choice",
            data_action="answer",
            data_value=example.id,
            data_text=choice,
            data_key=_KEYS[place] if place < len(_KEYS) else None,
            aria_keyshortcuts=_KEYS[place] if place < len(_KEYS) else None,
            aria_pressed="true" if choice == example.target else "false",
        )
        for place, choice in enumerate(choices[:_MOST_BUTTONS])
    ]
    clear = tag(
        "button",
        tag("kbd", "0", aria_hidden="true"),
        "No answer",
        type="button",
        class_="button",
        data_action="clear",
        data_value=example.id,
        data_key="0",
        aria_keyshortcuts="0",
    )
    other = _other_label(example, choices) if opened.checked.labels or not example.choices else None
    return tag(
        "div", tag("span", "Right answer", class_="ts-name"), *buttons, clear, other, class_="ts-answer", role="group",
        aria_label="Right answer",
    )  # fmt: skip


def _choices(opened: Opened, example: Example) -> Sequence[str] | None:
    task = opened.task
    if task == "multiple_choice":
        return example.choices
    if task != "classification":
        return None
    known = opened.labels
    return known if not example.target or example.target in known else (*known, example.target)


def _other_label(example: Example, choices: Sequence[str]) -> Html:
    """A label that has no button: one of many, or a new one."""
    beyond = [tag("option", value=choice) for choice in choices[_MOST_BUTTONS:]]
    return tag(
        "span",
        tag(
            "input",
            type="text",
            id="ts-other",
            placeholder="Another label",
            aria_label="Another label",
            list="ts-labels" if beyond else None,
            data_enter="answer",
            data_value=example.id,
        ),
        tag("datalist", beyond, id="ts-labels") if beyond else None,
    )


def _text_answer(opened: Opened, example: Example) -> Html:
    hint = {
        "extraction": 'A JSON object, such as {"name": "Ann"}',
        "context_question": "Empty where the passages hold no answer",
    }.get(opened.task, "As the model should answer")
    return tag(
        "div",
        tag("label", "Right answer", for_="ts-target", class_="ts-name"),
        tag(
            "textarea",
            example.target,
            id="ts-target",
            rows=2,
            placeholder=hint,
            dir="auto",
            data_edit="target",
            data_value=example.id,
            data_send="answer",
        ),
        tag(
            "button",
            "Keep and go on",
            tag("kbd", "Ctrl ↵", aria_hidden="true"),
            type="button",
            class_="button is-primary",
            data_action="answer",
            data_value=example.id,
            data_from="ts-target",
        ),
        class_="ts-answer is-text",
    )


def _editor(opened: Opened, example: Example) -> Html:
    """Every field of the example, folded away."""
    task = opened.task
    fields: list[tuple[str, str]] = [(INPUT + name, name) for name in example.inputs]
    if task in {"short_answer", "free_text", "context_question"}:
        fields.append(("accepted", "Further right answers, one per line"))
    if task == "multiple_choice":
        fields.append(("choices", "Choices, one per line"))
    if task == "context_question":
        fields += [("passages", "Passages, parted by empty lines"), ("relevant", "Passages that hold the answer")]
    fields += [("id", "Id"), ("weight", "Weight"), (GROUP, "Group")]
    rows = [
        tag(
            "label",
            tag("span", words),
            tag(
                "textarea",
                field_text(example, field),
                rows=_height(field_text(example, field), field),
                dir="auto",
                data_edit=field,
                data_value=example.id,
            ),
        )
        for field, words in fields
    ]
    remove = render.action(
        "Leave this example out", "remove", example.id, class_="button is-danger", title=f"Leave {example.id} out"
    )
    return tag("details", tag("summary", "Edit this example"), tag("div", rows, class_="ts-fields"), remove)


def _height(text: str, field: str) -> int:
    lines = text.count("\n") + len(text) // 90 + 1
    return min(max(lines, 3 if field in {"choices", "passages"} else 1), 10)


def _toolbar(opened: Opened, shown: Shown) -> Html:
    view = shown.view
    rules = dict.fromkeys(problem.rule for problem in opened.checked.problems if problem.row is not None)
    options = [("all", "All examples"), ("unlabelled", "Without answer"), ("labelled", "With answer")]
    options += [(PROBLEM + rule, f"Problem: {rule.replace('_', ' ')}") for rule in rules]
    last = min(shown.first + len(shown.rows), shown.total)
    span = f"{shown.first + 1:,} to {last:,} of {shown.total:,}" if shown.total else "none"
    return tag(
        "div",
        tag(
            "label",
            tag("span", "Show "),
            tag(
                "select",
                [tag("option", words, value=value, selected=value == view.show) for value, words in options],
                data_edit="show",
            ),
        ),
        tag(
            "label",
            tag("span", "Search "),
            tag("input", type="search", value=view.search, data_edit="search", placeholder="in texts and answers"),
        ),
        tag("span", class_="spacer"),
        tag("span", span, class_="note", role="status"),
        tag("button", "← Page", type="button", class_="button", data_action="page", data_value=view.page - 1,
            aria_label="Previous page", disabled=view.page == 0),
        tag("button", "Page →", type="button", class_="button", data_action="page", data_value=view.page + 1,
            aria_label="Next page", disabled=last >= shown.total),
        class_="ts-tools",
    )  # fmt: skip


def _grid(opened: Opened, shown: Shown) -> Html:
    wrong = {problem.row: problem for problem in reversed(opened.checked.problems) if problem.row is not None}
    rows = []
    for example in shown.rows:
        problem = wrong.get(example.row or 0)
        text = " ".join(text_of_example(example)[: 4 * _TEXT_SHOWN].split())[:_TEXT_SHOWN]
        rows.append(
            Row(
                [
                    Cell(numbers.count(example.row)),
                    Cell(render.untrusted(example.id, limit=60, name="span")),
                    Cell(
                        tag(
                            "button",
                            render.untrusted(text or "(no text)", name="span"),
                            type="button",
                            class_="link",
                            data_action="select",
                            data_value=example.id,
                        )
                    ),
                    Cell(_cell_answer(opened, example)),
                    Cell(
                        tag("span", problem.rule.replace("_", " "), class_=f"ts-{problem.severity}", title=problem.fix)
                        if problem is not None
                        else None
                    ),
                ],
                "is-selected" if example.id == shown.view.selected else "",
            )
        )
    columns = (
        Column("Row", numeric=True),
        Column("Id"),
        Column("Text"),
        Column("Right answer"),
        Column("Problem"),
    )
    return tag("div", render.table("Examples in the grid", columns, rows, sortable=False), class_="ts-grid")


def _cell_answer(opened: Opened, example: Example) -> Html:
    """The answer where it can be picked or written, without leaving the grid."""
    if not opened.editable:
        return render.untrusted(example.target, limit=200, name="span")
    choices = _choices(opened, example)
    named = {"data_edit": "target", "data_value": example.id, "aria_label": f"Right answer of {example.id}"}
    if choices is None or len(choices) > _MOST_BUTTONS:
        return tag("textarea", example.target, rows=1, dir="auto", **named)
    options = [tag("option", "–", value="", selected=not example.target)]
    options += [tag("option", choice, value=choice, selected=choice == example.target) for choice in choices]
    return tag("select", options, **named)


def _add(opened: Opened, *, is_open: bool = False) -> Html:
    if not opened.editable:
        return tag("p", "An older version is shown, to look at.", class_="quiet")
    note = "One text per line; what stands behind a tab is its right answer, as when cells are copied from a sheet."
    return tag(
        "details",
        tag("summary", "Add examples"),
        tag("label", note, for_="ts-paste", class_="quiet"),
        tag("textarea", id="ts-paste", rows=4, dir="auto", aria_label="Texts to add, one per line"),
        tag(
            "button", "Add these", type="button", class_="button is-primary", data_action="paste", data_from="ts-paste"
        ),
        open=is_open,
        class_="ts-add",
    )


def view_of(text: str) -> GridView:
    """The view that a click carries. A page of before an update may carry another one; then all is shown."""
    try:
        return GridView.model_validate_json(text)
    except ValueError:
        return GridView()
