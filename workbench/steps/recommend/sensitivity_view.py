"""What would change the winner: how far each weight must move, shown on a scale, and each limit in words."""

from results import numbers
from results.ranking import DIMENSIONS, shares
from results.recommendation_records import Recommendation, WeightChange
from workbench.report.text import one_line
from workbench.steps import render
from workbench.steps.render import Content, Html, tag


def what_would_change(made: Recommendation) -> Html | None:
    """The card; None where there is no winner and nothing would make one."""
    if not made.winner and not made.limit_sensitivity:
        return None
    parts: list[Content] = []
    if made.winner and len(made.ranked) > 1:
        parts.append(_weights(made))
    if made.winner and not made.sensitivity:
        parts.append(tag("p", f"No single weight does: {made.winner} stays first however far one is moved."))
    if made.limit_sensitivity:
        parts.append(render.bullets([change.sentence for change in made.limit_sensitivity]))
    elif made.winner:
        parts.append(tag("p", "No single limit that is set does.", class_="note"))
    return tag("div", render.heading("What would change the winner"), parts, class_="card")


def _weights(made: Recommendation) -> Html:
    """Every weight: its share now, the share at which another candidate wins, and how far that is."""
    columns = (
        render.Column("Weight"),
        render.Column("Share now", numeric=True),
        render.Column("Winner changes at", numeric=True),
        render.Column("Must move by", numeric=True),
        render.Column("0 to 100 %"),
        render.Column("Then wins"),
    )
    found = {change.weight: change for change in made.sensitivity}
    now = dict(zip(DIMENSIONS, shares(made.requirements.weights), strict=True))
    rows = [_row(name, share, found.get(name)) for name, share in now.items() if share > 0 or name in found]
    return render.table("How far each weight must move before another candidate wins", columns, rows)


def _row(name: str, share: float, change: WeightChange | None) -> render.Row:
    if change is None:
        never = render.Cell(tag("span", "never", class_="quiet"), 2.0)
        cells = (render.Cell(name), _percent(share), never, never, render.Cell(_scale(name, share, None)))
        return render.Row((*cells, render.Cell(tag("span", "the same one", class_="quiet"), "")))
    distance = change.needed - change.current
    return render.Row(
        (
            render.Cell(name, name),
            _percent(share),
            _percent(change.needed),
            render.Cell(numbers.points(distance, signed=True), abs(distance)),
            render.Cell(_scale(name, share, change.needed)),
            render.Cell(one_line(change.new_winner), change.new_winner),
        )
    )


def _percent(share: float) -> render.Cell:
    return render.Cell(numbers.percent(share), share)


def _scale(name: str, share: float, needed: float | None) -> Html:
    """A track with a filled mark for now and a hollow one for where the winner changes."""
    at = f"{name} weighs {numbers.percent(share)}"
    label = f"{at}; the winner changes at {numbers.percent(needed)}" if needed is not None else f"{at}; no change"
    marks: list[Content] = [tag("span", class_="track-now", style=f"left:{share * 100:.1f}%")]
    if needed is not None:
        low, high = sorted((share, needed))
        span = f"left:{low * 100:.1f}%;width:{(high - low) * 100:.1f}%"
        marks = [tag("span", class_="track-span", style=span), *marks]
        marks.append(tag("span", class_="track-flip", style=f"left:{needed * 100:.1f}%"))
    return tag("span", marks, class_="track", role="img", aria_label=label, title=label)
