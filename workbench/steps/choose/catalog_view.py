"""What the step Choose shows of the catalog as a whole: its state, trends, models on this machine."""

from collections.abc import Sequence

from catalog.records import Model, Trend, TrendKey
from results import numbers
from workbench import sentences
from workbench.records import CatalogState, LocalModels
from workbench.steps import render
from workbench.steps.choose.view import movement
from workbench.steps.render import Cell, Column, Html, Row, tag


def state_line(state: CatalogState) -> str:
    """How much there is and how old it is, in one line."""
    if state.updated is None:
        age = f"the list of {state.starter_date} that ships with the workbench · never updated from the Hub"
    else:
        age = f"updated {state.updated} · {numbers.things(state.snapshots, 'snapshot')}"
    return f"Catalog: {numbers.count(state.models)} models · {age}"


def trends_table(found: Sequence[Trend], by: TrendKey) -> Html:
    """What is rising, most first."""
    if not found:
        return render.empty("Nothing to compare", "Two updates are needed; each keeps a dated snapshot.")
    rows = [
        Row(
            [
                Cell(trend.name, trend.name.casefold()),
                Cell(movement(trend)),
                Cell(numbers.count(trend.rank), trend.rank),
                Cell(numbers.count(trend.downloads), trend.downloads),
                Cell(numbers.count(trend.downloads_before), trend.downloads_before),
            ]
        )
        for trend in found
    ]
    columns = (
        Column(by.capitalize()),
        Column("Places", numeric=True),
        Column("Rank", numeric=True),
        Column("Downloads in 30 days", numeric=True),
        Column("Before", numeric=True),
    )
    when = tag("p", f"From {found[0].since[:10]} to {found[0].until[:10]}.", class_="quiet")
    return render.join(when, tag("div", render.table("What is rising", columns, rows), class_="scrolls short"))


def local_table(found: LocalModels) -> Html:
    """Models on this machine, and what could not be read."""
    problems = render.notice("warning", render.bullets(found.problems)) if found.problems else None
    if not found.models:
        places = ", ".join(found.places) or "there is no folder of the Hugging Face cache, LM Studio or Ollama"
        return render.join(render.empty(sentences.NO_LOCAL_MODELS_TITLE, f"Looked in: {places}."), problems)
    columns = (Column("Model"), Column("License"), Column("Parameters", numeric=True), Column("Files"), Column(""))
    table = render.table("Models on this machine", columns, [_row(model) for model in found.models])
    return render.join(tag("div", table, class_="scrolls short"), problems)


def _row(model: Model) -> Row:
    files = ", ".join(
        f"{file.quantization or file.format} {numbers.bytes_(file.size_bytes)}" for file in model.weights_files[:3]
    )
    return Row(
        [
            Cell(tag("span", model.id, title=model.id), model.id.casefold()),
            Cell(model.license_name or model.license or "none"),
            Cell(numbers.parameters(model.parameters), model.parameters),
            Cell(files),
            Cell(render.action("Add", "add", model.id, title=f"Add {model.id} to the catalog")),
        ]
    )
