"""Step Compare: what was measured, how sure it is, seen in any metric and with any of the candidates.

The summary comes first; charts and one candidate in depth take longer and follow when it has changed. The examples
behind it are browsed by handlers of their own (browse.py).
"""

import json
from typing import Any

import gradio as gr

from results.errors import NothingToCompare
from results.records import BenchmarkComparison
from results.standings import seen_in, without
from workbench.csv_export import summary_csv
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.compare import browse, choices, depth_view, pairs_view, view
from workbench.steps.compare.choices import View


def choose_benchmark(workbench: Workbench, asked: str | None, request: gr.Request) -> tuple[str | None, list[str]]:
    """The benchmark in the address, else the one that the page showed last, else the newest to look at; and all names.

    One without answers has nothing to look at, so it is the newest only where none has any. A former name leads to the
    present one. What is archived is opened where it is named, and offered nowhere else.
    """
    names = [benchmark.name for benchmark in workbench.benchmarks()]
    named = (workbench.book.current(name) for name in (request.query_params.get("benchmark"), asked))
    found = next((name for name in named if name is not None), None)
    if found is None:
        found = workbench.book.newest_answered() or next(iter(names), None)
    return found, names if found is None or found in names else [found, *names]


def restore(workbench: Workbench, asked: str | None, request: gr.Request) -> tuple[Any, ...]:
    """The page as the address asks for it: state, picker, then everything of `show`."""
    name, names = choose_benchmark(workbench, asked, request)
    parameters = dict(request.query_params) if request.query_params.get("benchmark") in {name, None} else {}
    return name, gr.Dropdown(choices=names, value=name, visible=bool(names)), *show(workbench, name, parameters)


def pick(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """Another benchmark was picked: state, then everything of `show`."""
    return name, *show(workbench, name, {})


def show(workbench: Workbench, name: str | None, asked: dict[str, str]) -> tuple[Any, ...]:
    """One benchmark: what is visible, summary, pairs, view, address, then controls of the view and of the examples."""
    if name is None:
        return _nothing(view.nothing_measured())
    try:
        comparison = workbench.compare(name)
    except NothingToCompare:
        return _nothing(view.nothing_finished(name))
    columns = view.columns_of(comparison)
    names, names_of_columns = choices.names_of(comparison), [column for _, column in columns]
    chosen = choices.asked_view(comparison, names_of_columns, asked)
    metrics = choices.metric_choices(comparison)
    examples, place = browse.restored(workbench, comparison, chosen.shown, asked)
    return (
        gr.Column(visible=True),
        gr.Row(visible=True),
        _summary(comparison, chosen),
        pairs_view.pairs(_seen(comparison, chosen)),
        list(chosen),
        json.dumps(choices.view_address(comparison, chosen, names_of_columns) | place),
        gr.Dropdown(choices=metrics, value=chosen.metric, visible=len(metrics) > 1),
        gr.CheckboxGroup(choices=names, value=list(chosen.shown)),
        gr.CheckboxGroup(choices=columns, value=list(chosen.columns)),
        gr.Dropdown(choices=names, value=chosen.candidate),
        *examples,
    )


def look(workbench: Workbench, name: str | None, *values: Any) -> tuple[Any, ...]:
    """Another metric, other candidates or columns: summary, pairs, view, address."""
    if name is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    comparison = workbench.compare(name)
    chosen = _chosen(comparison, *values)
    columns = [column for _, column in view.columns_of(comparison)]
    place = choices.view_address(comparison, chosen, columns)
    pairs = pairs_view.pairs(_seen(comparison, chosen))
    return _summary(comparison, chosen), pairs, list(chosen), json.dumps(place)


def draw(workbench: Workbench, name: str | None, seen: list[Any] | None) -> tuple[str, str]:
    """The charts, and one candidate in depth.

    seen is the view as the summary was made for it: controls that were filled with the summary may not have arrived.
    """
    found = _looked_at(workbench, name, *seen) if seen else None
    if found is None or name is None:
        return "", ""
    comparison, chosen = found
    judgings = workbench.judges.reports(name)
    return depth_view.charts_panel(comparison), depth_view.details(comparison, chosen.candidate, judgings)


def show_candidate(
    workbench: Workbench, name: str | None, seen: list[Any] | None, candidate: str
) -> tuple[str, Any, str]:
    """Another candidate in depth: its details, view, address."""
    found = _looked_at(workbench, name, *seen[:-1], candidate) if seen else None
    if found is None or name is None:
        return "", gr.skip(), "{}"
    comparison, chosen = found
    columns = [column for _, column in view.columns_of(comparison)]
    place = {"c-in": choices.view_address(workbench.compare(name), chosen, columns)["c-in"]}
    details = depth_view.details(comparison, chosen.candidate, workbench.judges.reports(name))
    return details, list(chosen), json.dumps(place)


def export_summary(workbench: Workbench, name: str | None) -> str:
    """The summary as CSV, of all candidates and with every metric."""
    if name is None:
        raise refusal(
            "Nothing is measured yet, so there is nothing to export. Start a benchmark in the step Run first."
        )
    return summary_csv(workbench.compare(name))


def _looked_at(workbench: Workbench, name: str | None, *values: Any) -> tuple[BenchmarkComparison, View] | None:
    if name is None:
        return None
    try:
        comparison = workbench.compare(name)
    except NothingToCompare:
        return None
    chosen = _chosen(comparison, *values)
    return _seen(comparison, chosen), chosen


def _chosen(comparison: BenchmarkComparison, *values: Any) -> View:
    """The view from the values of its controls: metric, candidates, columns, candidate."""
    metric, shown, columns, candidate = values
    names = choices.names_of(comparison)
    kept = tuple(each for each in names if each in (shown or ())) or tuple(names)
    return View(metric, kept, tuple(columns or ()), candidate if candidate in kept else kept[0])


def _seen(comparison: BenchmarkComparison, chosen: View) -> BenchmarkComparison:
    hidden = set(choices.names_of(comparison)) - set(chosen.shown)
    return without(seen_in(comparison, chosen.metric), hidden)


def _summary(comparison: BenchmarkComparison, chosen: View) -> str:
    return view.summary(_seen(comparison, chosen), chosen.columns, len(comparison.candidates) - len(chosen.shown))


def _nothing(words: str) -> tuple[Any, ...]:
    """What `show` gives where there is nothing to compare."""
    return gr.Column(visible=False), gr.Row(visible=False), words, "", None, "{}", *[gr.skip()] * (4 + browse.RESTORED)
