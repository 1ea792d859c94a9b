"""What the step Run shows before the start: predicted time and memory, what they rest on, what stands in the way."""

from catalog.records import FitValue
from results import numbers
from results.forecast_records import CandidateForecast, Forecast, Obstacle
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Html, Row, tag

_COLUMNS = (
    Column("Candidate"),
    Column("Memory", numeric=True, hint="Predicted for the whole process tree, against what is free now"),
    Column("Download", numeric=True, hint="Weights that are not on this machine yet"),
    Column("Requests", numeric=True, hint="At most; a load sweep may end earlier"),
    Column("Time", numeric=True, hint="Predicted from the shortest to the longest that is plausible"),
    Column("What the time rests on"),
)


def forecast_panel(forecast: Forecast, leaving: Html = render.NOTHING) -> Html:
    """The prediction, with what leaves this machine above it."""
    obstacles = [*forecast.warnings, *(each for item in forecast.candidates for each in item.warnings)]
    order = {"failure": 0, "warning": 1, "info": 2}
    obstacles.sort(key=lambda each: order[each.severity])
    return tag(
        "div",
        render.heading("Before the start", _total(forecast)),
        leaving,
        [_obstacle(each) for each in dict.fromkeys(obstacles)],
        render.table("Predicted time and memory", _COLUMNS, map(_row, forecast.candidates), sortable=False),
        class_="card",
    )


def cannot_predict(reason: str) -> Html:
    """What stands in place of a prediction where the choices make no benchmark yet."""
    return tag("div", render.heading("Before the start"), render.notice("warning", tag("p", reason)), class_="card")


def _total(forecast: Forecast) -> str:
    count = numbers.things(len(forecast.candidates), "candidate")
    time = numbers.time_range(forecast.low_seconds, forecast.high_seconds)
    if forecast.low_seconds is None:
        return f"{count}; how long they take is unknown."
    rest = f", and {numbers.things(forecast.unknown, 'candidate')} of unknown speed" if forecast.unknown else ""
    together = ", one after the other" if len(forecast.candidates) > 1 else ""
    return f"{count}{together}: {time}{rest}."


def _obstacle(obstacle: Obstacle) -> Html:
    return render.notice(obstacle.severity, tag("p", obstacle.text))


def _row(item: CandidateForecast) -> Row:
    download = numbers.bytes_(item.download_bytes) if item.download_bytes else "none"
    return Row(
        [
            Cell(tag("b", item.name)),
            Cell(_memory(item)),
            Cell(download if item.download_bytes is not None else "size unknown"),
            Cell(numbers.count(item.requests)),
            Cell(numbers.time_range(item.time.low_seconds, item.time.high_seconds)),
            Cell(tag("span", item.time.words, class_="quiet")),
        ]
    )


def _memory(item: CandidateForecast) -> Content:
    fit = item.fit
    if fit is None or fit.total_bytes is None:
        return tag("span", item.memory_words, class_="quiet")
    free = numbers.bytes_(fit.available_bytes)
    words = f"{numbers.bytes_(fit.total_bytes)} of {free} free"
    share = fit.total_bytes / max(1, fit.available_bytes)
    kind = "no" if fit.value == FitValue.NO else fit.value
    return tag(
        "span",
        tag("span", numbers.bytes_(fit.total_bytes), class_="amount"),
        render.bar(share, words, class_=f"is-{kind}"),
        class_=f"beside-bar is-{kind}",
    )
