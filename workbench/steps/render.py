"""Builds the HTML that the steps show: tables, badges, bars, states. Everything that is not HTML yet is escaped.

`tag` is the only place where text becomes HTML. What a model wrote or a file holds is passed to it as plain `str` and
so can never become markup. `untrusted` also makes control characters visible.
"""

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from catalog.records import FitValue, VerdictValue
from workbench.report.text import visible

_VOID = frozenset({"br", "hr", "img", "input"})

VERDICT_SIGNS = {
    VerdictValue.ALLOWED: "✓",
    VerdictValue.CONDITIONAL: "◐",
    VerdictValue.UNKNOWN: "?",
    VerdictValue.FORBIDDEN: "✕",
}
FIT_SIGNS = {
    FitValue.FITS: "✓",
    FitValue.TIGHT: "◐",
    FitValue.OFFLOAD: "◑",
    FitValue.NO: "✕",
    FitValue.UNKNOWN: "?",
}


class Html(str):
    """HTML that is safe to show; a plain `str` is text."""

    __slots__ = ()


Content = Html | str | Iterable["Content"] | None
"""What may stand inside an element."""

NOTHING = Html("")


def tag(name: str, /, *content: Content, **attributes: str | float | bool | None) -> Html:
    """One element. Text is escaped; `class_`, `data_order` stand for `class`, `data-order`; None or False: left out."""
    opening = name + "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(str(value), quote=True)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{opening}>" if name in _VOID else f"<{opening}>{join(*content)}</{name}>")


def join(*content: Content) -> Html:
    """Contents one after the other; text is escaped."""
    parts: list[str] = []
    for item in content:
        if item is None:
            continue
        if isinstance(item, Html):
            parts.append(item)
        elif isinstance(item, str):
            parts.append(html.escape(item, quote=True))
        else:
            parts.append(join(*item))
    return Html("".join(parts))


def untrusted(text: str, *, limit: int = 4_000, name: str = "div") -> Html:
    """What a model wrote or a file holds, with its line breaks kept and its control characters visible."""
    rest = len(text) - limit
    more = tag("span", f"… {rest:,} more characters", class_="quiet") if rest > 0 else None
    return tag(name, visible(text[:limit]), more, class_="untrusted", dir="auto")


class Column(NamedTuple):
    """A table's column."""

    title: str
    """What it shows."""
    numeric: bool = False
    """Right-aligned."""
    hint: str = ""
    """Definition, shown when pointed at."""


class Cell(NamedTuple):
    """A table's cell."""

    content: Content
    """What is shown."""
    order: float | str | None = None
    """What it is sorted by; None is last."""


class Row(NamedTuple):
    """A table's row."""

    cells: Sequence[Cell]
    """One per column."""
    class_: str = ""
    """For marking it."""


def table(caption: str, columns: Sequence[Column], rows: Iterable[Row], *, sortable: bool = True) -> Html:
    """A table that sorts in the page by its headers. The caption is its accessible name."""
    heads = [
        tag(
            "th",
            tag("button", column.title, type="button", class_="sort") if sortable and column.title else column.title,
            scope="col",
            class_="number" if column.numeric else None,
            title=column.hint or None,
        )
        for column in columns
    ]
    body = [
        tag(
            "tr",
            [
                tag(
                    "td",
                    cell.content,
                    class_="number" if column.numeric else None,
                    data_order="" if cell.order is None else cell.order,
                )
                for column, cell in zip(columns, row.cells, strict=True)
            ],
            class_=row.class_ or None,
        )
        for row in rows
    ]
    return tag(
        "div",
        tag("table", tag("thead", tag("tr", heads)), tag("tbody", body), class_="sheet", aria_label=caption),
        class_="sheet-frame",
    )


def action(
    label: Content,
    name: str,
    value: str = "",
    *,
    class_: str = "link",
    title: str | None = None,
    address: str | None = None,
) -> Html:
    """A button that tells the HTML component it stands in: `name` and `value` arrive as the event's data.

    title says in full what a short label means; it is also the accessible name. address is the parameter that the
    value is written to, as a place that the back button returns to.
    """
    return tag(
        "button",
        label,
        type="button",
        class_=class_,
        data_action=name,
        data_value=value,
        data_address=address,
        title=title,
        aria_label=title,
    )


def view_link(label: Content, step: str, *, class_: str = "", title: str | None = None, **place: str) -> Html:
    """A link to a view of this app, by the parameters of its address; followed without loading the page again."""
    address = urlencode({"step": step, **place})
    return tag("a", label, href=f"?{address}", data_view=True, class_=class_ or None, aria_label=title)


def verdict_badge(value: VerdictValue) -> Html:
    """Colour, sign and word."""
    return tag("span", tag("b", VERDICT_SIGNS[value], aria_hidden="true"), f" {value}", class_=f"badge is-{value}")


def fit_badge(value: FitValue) -> Html:
    """Colour, sign and word."""
    words = {FitValue.NO: "does not fit"}
    kind = {
        FitValue.FITS: "allowed",
        FitValue.TIGHT: "conditional",
        FitValue.OFFLOAD: "conditional",
        FitValue.NO: "forbidden",
    }.get(value, "unknown")
    return tag(
        "span", tag("b", FIT_SIGNS[value], aria_hidden="true"), f" {words.get(value, value)}", class_=f"badge is-{kind}"
    )


def badge(kind: str, sign: str, word: str) -> Html:
    """A badge of one of the kinds allowed, conditional, unknown, forbidden, running."""
    return tag("span", tag("b", sign, aria_hidden="true"), f" {word}", class_=f"badge is-{kind}")


def bar(share: float, label: str, *, class_: str = "") -> Html:
    """A bar from 0 to 1 with its meaning in words; above 1 it is full and marked."""
    width = max(0.0, min(1.0, share)) * 100
    filled = tag("span", class_="bar-fill" + (" is-over" if share > 1 else ""), style=f"width:{width:.1f}%")
    return tag("span", filled, class_=f"bar {class_}".strip(), role="img", aria_label=label, title=label)


def progress(done: int, total: int, label: str) -> Html:
    """Progress of countable work."""
    share = done / total if total else 0.0
    filled = tag("span", class_="bar-fill", style=f"width:{min(1.0, share) * 100:.1f}%")
    return tag(
        "span",
        filled,
        class_="bar is-progress",
        role="progressbar",
        aria_label=label,
        aria_valuemin=0,
        aria_valuemax=max(total, 1),
        aria_valuenow=done,
    )


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Names and values below each other."""
    return tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in pairs], class_="facts")


def bullets(items: Iterable[Content], *, class_: str = "bullets") -> Html:
    """A list."""
    return tag("ul", [tag("li", item) for item in items], class_=class_)


def heading(text: str, note: Content = None) -> Html:
    """Title of a panel with what it says in short."""
    return tag("div", tag("h2", text), tag("span", note, class_="note") if note else None, class_="panel-head")


def empty(title: str, *lines: Content) -> Html:
    """What stands where nothing is yet: what it will be, and what to do."""
    return tag("div", tag("h3", title), [tag("p", line) for line in lines], class_="empty", role="note")


def loading(what: str) -> Html:
    """What stands where something is being read."""
    return tag(
        "div", tag("div", tag("p", what), tag("span", class_="shimmer"), class_="empty", role="status"), class_="card"
    )


def notice(kind: str, *content: Content) -> Html:
    """A framed remark; kind is `info`, `warning` or `failure`."""
    sign = {"info": "i", "warning": "!", "failure": "✕"}[kind]
    return tag(
        "div",
        tag("b", sign, class_="notice-sign", aria_hidden="true"),
        tag("div", *content),
        class_=f"notice is-{kind}",
        role="alert" if kind == "failure" else "note",
    )


def outside_link(address: str, label: str) -> Html:
    """A link that opens beside the app; only web addresses become links."""
    if not address.startswith(("https://", "http://")):
        return join(label)
    return tag("a", label, href=address, target="_blank", rel="noopener noreferrer")
