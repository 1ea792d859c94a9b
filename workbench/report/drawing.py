"""Marks, axes and themes of the charts: how rows become a Vega-Lite drawing. What is drawn is decided in charts.py.

No colour stands in a specification: marks name a style or take the theme's palette, and a theme is one Vega-Lite
config. Each candidate keeps its colour and its shape in every chart of a benchmark, whoever else is shown.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import altair as alt

Theme = Literal["light", "dark", "page"]
"""light and dark stand alone; page takes its colours from the CSS variables of the document it is put into."""

Row: TypeAlias = dict[str, str | float | bool | None]
"""One datum; `candidate` names whom it belongs to."""

Drawing: TypeAlias = alt.LayerChart | alt.FacetChart
"""What Altair says that layering gives; without facets it is a LayerChart."""

PERCENT = "format(100 * datum.value, '.3~g') + ' %'"
"""Label of a tick at a share from 0 to 1, as the formatter of numbers writes it."""

WIDTH = 420
"""Width of a plot without its labels, so that a chart with them fits a printed page."""

_ROW = 34
PALETTES: dict[Literal["light", "dark"], tuple[str, ...]] = {
    "light": ("#2895d5", "#c98513", "#30815e", "#b54b8f", "#2e3383", "#6f2f2f", "#7d601f"),
    "dark": ("#4b89e7", "#bf9b10", "#007d52", "#a5608b", "#85cbf9", "#c81e00", "#f0ed69"),
}
"""Blue, ochre, green and so on in both; the theme's ink is the eighth. Found by search: any two are told apart with
normal sight and with each kind of colour blindness, and each stands out from its background (tests/test_palette.py)."""
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""Seven shapes with eight colours: 56 candidates before a pair repeats."""
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 2, 1, 2, 1, 2]]
"""Lines that are told apart without colour."""
_FONT = "Arial, Liberation Sans, Helvetica, sans-serif"
"""Fonts of equal width: text is measured where the chart is drawn and shown where the report is read."""
_COLOURS: dict[Theme, tuple[str, str, str, str]] = {
    "light": ("#1b1f24", "#57606a", "#d8dee4", "#ffffff"),
    "dark": ("#e6edf3", "#9aa4af", "#3a424b", "#15191e"),
    "page": ("var(--ink, #1b1f24)", "var(--muted, #57606a)", "var(--rule, #d8dee4)", "transparent"),
}
"""Of each theme: ink, muted ink, rules, background."""


def palette(theme: Theme) -> tuple[str, ...]:
    """Colours of candidates but for the last, which is the ink; of a page, CSS variables with the light ones behind."""
    if theme != "page":
        return PALETTES[theme]
    return tuple(f"var(--series-{number}, {colour})" for number, colour in enumerate(PALETTES["light"], start=1))


def theme_config(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite config of a theme: all colours, fonts and the palette."""
    ink, muted, rule, background = _COLOURS[theme]
    return {
        "aria": False,
        "background": background,
        "font": _FONT,
        "padding": 4,
        "view": {"stroke": None},
        "title": {"color": ink, "fontSize": 13, "fontWeight": 600, "lineHeight": 17, "offset": 10},
        "axis": {
            "labelColor": ink, "titleColor": muted, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 210,
            "titleFontWeight": "normal", "titlePadding": 8, "labelPadding": 6,
            "gridColor": rule, "domainColor": rule, "tickColor": rule, "labelFlush": False,
        },
        "legend": {
            "labelColor": ink, "titleColor": muted, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 210,
            "titleFontWeight": "normal", "symbolFillColor": muted, "symbolStrokeColor": ink,
        },
        "text": {"color": ink, "fontSize": 12},
        "rule": {"color": muted},
        "line": {"color": muted},
        "point": {"size": 110, "strokeWidth": 1.2},
        "range": {"category": [*palette(theme), ink], "symbol": list(_SHAPES)},
        "style": {
            "outline": {"stroke": ink, "strokeWidth": 1},
            "framed": {"stroke": muted, "strokeWidth": 0.5},
            "shade": {"fill": palette(theme)[0], "stroke": rule, "strokeWidth": 0.5},
            "plain": {"fill": palette(theme)[0], "stroke": ink, "strokeWidth": 1},
            "diagonal": {"fillOpacity": 0, "stroke": ink, "strokeWidth": 1.5},
        },
    }  # fmt: skip


class Quality(NamedTuple):
    """The metric that stands for quality, as an axis shows it."""

    title: str
    unit: Literal["share", "score"]


class Panel(NamedTuple):
    """One measure of a ladder."""

    measure: str
    axis: alt.Axis
    quality: Quality | None = None
    """Where it is the metric that stands for quality; the axis of any other measure begins at 0."""


def dots(rows: Sequence[Row], names: Sequence[str], everyone: Sequence[str], quality: Quality) -> Drawing:
    """One row per candidate: a point with its interval (value, low, high), and its label beside the plot."""
    base = _base(rows).properties(width=WIDTH, height=_ROW * len(names))
    y = _rows_axis(names)
    scale = _quality_scale(rows, ("low", "value", "high"), quality, padding=8)
    x = alt.X("value:Q", axis=quality_axis(quality), scale=scale)
    interval = base.mark_rule(strokeWidth=2).encode(y=y, x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(filled=True, opacity=1, style="outline").encode(
        y=y, x=x, color=_colour(everyone), shape=_shape(everyone)
    )
    return alt.layer(interval, points, _labels(base, y))


def percentiles(rows: Sequence[Row], names: Sequence[str], everyone: Sequence[str], title: str) -> Drawing:
    """One row per candidate: p50 solid, p95 pale (field `percentile`), each with its interval, joined by a line."""
    base = _base(rows).properties(width=WIDTH, height=_ROW * len(names))
    y = _rows_axis(names)
    x = alt.X("value:Q", axis=alt.Axis(title=title), scale=alt.Scale(zero=True, nice=True))
    joined = base.mark_line(strokeWidth=1, strokeDash=[2, 3]).encode(y=y, x=x, detail="candidate:N")
    interval = base.mark_rule(strokeWidth=2).encode(y=y, x="low:Q", x2="high:Q")
    shared = {"y": y, "x": x, "shape": _shape(everyone)}
    filled = base.transform_filter("datum.percentile === 'p50'").mark_point(filled=True, opacity=1, style="outline")
    pale = base.transform_filter("datum.percentile === 'p95'").mark_point(
        filled=True, fillOpacity=0.25, opacity=1, style="outline"
    )
    return alt.layer(
        joined,
        interval,
        filled.encode(color=_colour(everyone), **shared),
        pale.encode(color=_colour(everyone), **shared),
        _labels(base, y),
    )


def sweep_lines(rows: Sequence[Row], everyone: Sequence[str]) -> Drawing:
    """A line per candidate over `at_once` on a scale that doubles, a ring where `knee`."""
    base = _base(rows).properties(width=WIDTH, height=240)
    levels = sorted({row["at_once"] for row in rows if isinstance(row["at_once"], int | float)})
    # On a logarithmic scale Vega puts marks at 1.5, 3.5 …, where nothing was measured.
    axis = alt.Axis(title="Requests at once", values=levels, format="d")
    x = alt.X("at_once:Q", axis=axis, scale=alt.Scale(type="log", base=2))
    y = alt.Y("value:Q", axis=alt.Axis(title="Output tokens per second"), scale=alt.Scale(zero=True, nice=True))
    present = list(dict.fromkeys(str(row["candidate"]) for row in rows))
    legend = alt.Legend(title=None, orient="bottom", columns=2, values=present)
    colour, shape = _colour(everyone, legend), _shape(everyone, legend)
    dash = alt.StrokeDash("candidate:N", scale=alt.Scale(domain=list(everyone), range=_DASHES), legend=None)
    lines = base.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=colour, strokeDash=dash)
    points = base.mark_point(filled=True, opacity=1, style="outline").encode(x=x, y=y, color=colour, shape=shape)
    rings = base.transform_filter("datum.knee").mark_point(size=340, style="diagonal").encode(x=x, y=y)
    names = base.transform_filter("datum.last").mark_text(align="left", dx=10).encode(x=x, y=y, text="candidate:N")
    return alt.layer(lines, points, rings, names)


def scatter(rows: Sequence[Row], everyone: Sequence[str], x_title: str, size_title: str, quality: Quality) -> Drawing:
    """Points with intervals both ways (x_value, x_low …, y_value …), size `memory`, a ring where `pareto`."""
    base = _base(rows).properties(width=WIDTH, height=260)
    x = alt.X("x_value:Q", axis=alt.Axis(title=x_title), scale=alt.Scale(zero=True, nice=True))
    y = alt.Y(
        "y_value:Q",
        axis=quality_axis(quality),
        scale=_quality_scale(rows, ("y_low", "y_value", "y_high"), quality, padding=14),
    )
    present = [str(row["candidate"]) for row in rows]
    sizes = sorted({float(row["memory"]) for row in rows if row["memory"] is not None})
    size = alt.Size(
        "memory:Q",
        legend=alt.Legend(title=size_title, values=[*sizes[:1], *sizes[1:][-1:]], format=",.3~r", symbolType="circle"),
        scale=alt.Scale(range=[60, 420], zero=True),
    )
    ringed = any(row["pareto"] for row in rows)
    legend = alt.Legend(title=f"Candidate{' (ringed: Pareto)' if ringed else ''}", values=present, symbolOpacity=1)
    points = base.mark_point(filled=True, opacity=1, style="outline").encode(
        x=x,
        y=y,
        color=_colour(everyone, legend),
        shape=_shape(everyone, legend),
        size=size if sizes else alt.value(140),
    )
    ring = base.transform_filter("datum.pareto").mark_point(
        style="outline", filled=True, fillOpacity=0, size=1000, shape="circle", opacity=1
    )
    front = base.transform_filter("datum.front").mark_line(strokeDash=[5, 3], strokeWidth=1.2, interpolate="step-after")
    return alt.layer(
        front.encode(x=x, y=y, order="x_value:Q"),
        base.mark_rule().encode(x="x_low:Q", x2="x_high:Q", y=y),
        base.mark_rule().encode(x=x, y=alt.Y("y_low:Q"), y2="y_high:Q"),
        ring.encode(x=x, y=y),
        points,
    )


def bars(rows: Sequence[Row], names: Sequence[str], kinds: Sequence[str], title: str) -> Drawing:
    """Bars grouped by candidate, one per `kind`, each with its label at its end."""
    shown = [name for name in names if any(row["candidate"] == name for row in rows)]
    base = _base(rows).properties(width=WIDTH, height=20 * len(kinds) * len(shown) + 10)
    y = alt.Y("candidate:N", sort=shown, title=None, scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1))
    offset = alt.YOffset("kind:N", sort=list(kinds))
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=True))
    opacity = alt.Opacity("kind:N", scale=alt.Scale(domain=list(kinds), range=[1.0, 0.65, 0.25]), legend=None)
    bar = base.mark_bar(style="framed").encode(y=y, yOffset=offset, x=x, opacity=opacity, color=_colour(names))
    text = base.mark_text(align="left", dx=6, fontSize=11).encode(y=y, yOffset=offset, x=x, text="label:N")
    return alt.layer(bar, text)


def heat_map(rows: Sequence[Row], targets: Sequence[str], answers: Sequence[str]) -> Drawing:
    """Cells of `target` by `answer`, shaded by `count`, the count printed, the right answers outlined."""
    cell = 46 if max(len(targets), len(answers)) <= 8 else 30
    base = _base(rows).properties(width=cell * len(answers), height=cell * len(targets))
    x = alt.X(
        "answer:N",
        sort=list(answers),
        axis=alt.Axis(
            title="Answered", orient="top", labelAngle=-40, grid=False, ticks=False, domain=False, labelLimit=160
        ),
    )
    y = alt.Y("target:N", sort=list(targets), axis=alt.Axis(title="Right label", grid=False, ticks=False, domain=False))
    shade = alt.FillOpacity("count:Q", scale=alt.Scale(domainMin=0, range=[0.0, 0.6]), legend=None)
    return alt.layer(
        base.mark_rect(style="shade").encode(x=x, y=y, fillOpacity=shade),
        base.transform_filter("datum.right").mark_rect(style="diagonal").encode(x=x, y=y),
        base.mark_text().encode(
            x=x,
            y=y,
            text=alt.Text("count:Q", format=","),
            opacity=alt.condition("datum.count > 0", alt.value(1), alt.value(0.35)),
        ),
    )


def slice_dots(rows: Sequence[Row], shown: Sequence[str], everyone: Sequence[str], quality: Quality) -> Drawing:
    """One group of rows per `slice`, one dot with interval per candidate in it."""
    places = list(dict.fromkeys(str(row["slice"]) for row in rows))
    base = _base(rows).properties(width=WIDTH, height=(16 * len(shown) + 10) * len(places))
    y = alt.Y("slice:N", sort=places, title=None, axis=alt.Axis(grid=True, tickBand="extent", labelLimit=280))
    offset = alt.YOffset("candidate:N", sort=list(shown))
    x = alt.X("value:Q", axis=quality_axis(quality))
    legend = alt.Legend(title="Candidate", values=list(shown), orient="top", symbolOpacity=1, columns=2)
    interval = base.mark_rule(strokeWidth=1.5).encode(y=y, yOffset=offset, x="low:Q", x2="high:Q")
    points = base.mark_point(filled=True, opacity=1, size=80, style="outline").encode(
        y=y, yOffset=offset, x=x, color=_colour(everyone, legend), shape=_shape(everyone, legend)
    )
    return alt.layer(interval, points)


def ladder(rows: Sequence[Row], everyone: Sequence[str], size_title: str, panels: Sequence[Panel]) -> alt.VConcatChart:
    """One panel per measure over `size`, one above the other: a point with its interval per candidate, joined."""
    drawn = []
    for place, panel in enumerate(panels):
        last = place == len(panels) - 1
        shown = [row for row in rows if row["measure"] == panel.measure]
        base = _base(shown).properties(width=WIDTH, height=150)
        x = alt.X("size:Q", axis=alt.Axis(title=size_title if last else None), scale=alt.Scale(zero=False, padding=50))
        scale = alt.Scale(zero=True, nice=True)
        if panel.quality is not None:
            scale = _quality_scale(shown, ("low", "value", "high"), panel.quality, padding=10)
        y = alt.Y("value:Q", axis=panel.axis, scale=scale)
        joined = base.mark_line(strokeWidth=1.2, strokeDash=[5, 3]).encode(x=x, y=y, detail="model:N")
        interval = base.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
        points = base.mark_point(filled=True, opacity=1, style="outline").encode(
            x=x, y=y, color=_colour(everyone), shape=_shape(everyone)
        )
        names = base.mark_text(align="left", dx=9, dy=-9, fontSize=11).encode(x=x, y=y, text="label:N")
        drawn.append(alt.layer(joined, interval, points, names))
    return alt.vconcat(*drawn, spacing=14)


def reliability(rows: Sequence[Row]) -> Drawing:
    """How often answers were right (value, low, high) by their `probability`, against the line where both are equal."""
    base = _base(rows).properties(width=300, height=300)
    whole = alt.Scale(domain=[0, 1], nice=False)
    axes = [
        alt.Axis(title=title, labelExpr=PERCENT, values=[0, 0.2, 0.4, 0.6, 0.8, 1])
        for title in ("Probability of the answer, mean of a tenth (%)", "Share that was right (%), 95 % interval")
    ]
    x, y = alt.X("probability:Q", axis=axes[0], scale=whole), alt.Y("value:Q", axis=axes[1], scale=whole)
    ends: list[Row] = [{"probability": 0.0, "value": 0.0}, {"probability": 1.0, "value": 1.0}]
    counts = sorted({row["n"] for row in rows if isinstance(row["n"], int)})
    legend = alt.Legend(title="Answers", values=[*counts[:1], *counts[1:][-1:]])
    size = alt.Size("n:Q", legend=legend, scale=alt.Scale(range=[30, 320], zero=True))
    return alt.layer(
        _base(ends).mark_line(strokeDash=[5, 3], strokeWidth=1.2).encode(x=x, y=y),
        base.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(filled=True, opacity=1, style="plain").encode(x=x, y=y, size=size),
    )


def quality_axis(quality: Quality) -> alt.Axis:
    """The axis of the metric that stands for quality; shares from 0 to 1 are shown in percent."""
    if quality.unit == "share":
        return alt.Axis(labelExpr=PERCENT, title=f"{quality.title} (%), 95 % interval")
    return alt.Axis(title=f"{quality.title}, 95 % interval")


def _quality_scale(rows: Sequence[Row], fields: Sequence[str], quality: Quality, padding: int) -> alt.Scale:
    """From below the lowest interval to above the highest; of a share never beyond 0 and 1, as Vega would round it."""
    if quality.unit != "share":
        return alt.Scale(zero=False, nice=True, padding=padding)
    values = [value for row in rows for field in fields if isinstance(value := row[field], int | float)]
    span = max(values) - min(values)
    step = next(each for each in (0.02, 0.05, 0.1) if span < 6 * each or each == 0.1)
    high = min(1.0, math.floor(max(values) / step + 1) * step)
    low = max(0.0, math.ceil(min(values) / step - 1) * step)
    return alt.Scale(zero=False, nice=False, domain=[round(low, 2), round(high, 2)])


def _base(rows: Sequence[Row]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(rows)))


def _rows_axis(names: Sequence[str]) -> alt.Y:
    return alt.Y("candidate:N", sort=list(names), title=None, axis=alt.Axis(grid=False, ticks=False, domain=False))


def _labels(base: alt.Chart, y: alt.Y) -> alt.Chart:
    text: alt.Chart = base.mark_text(align="left").encode(y=y, x=alt.value(WIDTH + 14), text="label:N")
    return text


def _colour(everyone: Sequence[str], legend: alt.Legend | None = None) -> alt.Color:
    return alt.Color("candidate:N", scale=alt.Scale(domain=list(everyone)), legend=legend)


def _shape(everyone: Sequence[str], legend: alt.Legend | None = None) -> alt.Shape:
    return alt.Shape("candidate:N", scale=alt.Scale(domain=list(everyone)), legend=legend)
