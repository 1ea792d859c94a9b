"""What the step Run shows of what is stored, and the small parts of its form: test set, prompts, what leaves."""

from collections.abc import Sequence

from results import numbers
from results.records import RunInfo, StoredFailures
from workbench.benchmark_book import ListedBenchmark, has_begun
from workbench.records import NamedPrompt
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag
from workbench.steps.run.failure_view import failure_group

_STATES = {
    "waiting": ("unknown", "…"),
    "preparing": ("running", "▸"),
    "loading": ("running", "▸"),
    "running": ("running", "▸"),
    "finished": ("allowed", "✓"),
    "failed": ("forbidden", "✕"),
    "cancelled": ("conditional", "■"),
    "stopped": ("conditional", "■"),
    "incomplete": ("conditional", "■"),
    "queued": ("unknown", "…"),
    "not begun": ("unknown", "…"),
}


def test_set_line(words: tuple[str, str]) -> Html:
    """Which test set is measured."""
    name, why = words
    return tag("p", tag("span", "Test set: ", class_="quiet"), tag("b", name), tag("span", f" {why}", class_="quiet"))


def prompts(compared: Sequence[NamedPrompt], of_test_set: Sequence[NamedPrompt] = ()) -> Html:
    """Prompts that are compared, each with a way to leave it out again; without any, those of the step Test set."""
    if not compared and of_test_set:
        names = ", ".join(prompt.name for prompt in of_test_set)
        words = f"None added here: the {len(of_test_set)} prompts of the step Test set are compared ({names})."
        return tag("p", words, class_="quiet")
    if not compared:
        return tag("p", "None: the prompt of the step Test set is used.", class_="quiet")
    rows = [
        tag(
            "li",
            tag("span", tag("b", prompt.name), " ", tag("span", prompt.user[:80], class_="quiet")),
            render.action("Remove", "remove", prompt.name, title=f"Remove the prompt {prompt.name}"),
        )
        for prompt in compared
    ]
    return tag("ul", rows, class_="chosen", aria_label="Prompts that are compared")


def stored_panel(listed: Sequence[ListedBenchmark], runs: Sequence[RunInfo], running: frozenset[str]) -> Html:
    """Every stored benchmark; those with unfinished runs can be resumed, and those that only waited started."""
    if not listed:
        return render.NOTHING
    by_benchmark: dict[str, list[RunInfo]] = {}
    for run in runs:
        by_benchmark.setdefault(run.benchmark, []).append(run)
    rows = [_stored(item, by_benchmark.get(item.benchmark.name, []), item.benchmark.name in running) for item in listed]
    columns = (
        Column("Benchmark"),
        Column("Test set"),
        Column("Examples", numeric=True),
        Column("Candidates"),
        Column("Begun"),
        Column(""),
    )
    return tag(
        "div", render.heading("Stored benchmarks"), render.table("Stored benchmarks", columns, rows), class_="card"
    )


def opened_panel(
    item: ListedBenchmark, runs: Sequence[RunInfo], failures: Sequence[StoredFailures], deletion: Sequence[str]
) -> Html:
    """One stored benchmark: what was asked, its runs, what went wrong, what can be done with it."""
    benchmark = item.benchmark
    kinds = ", ".join(workload.kind.replace("_", " ") for workload in benchmark.workloads)
    columns = (
        Column("Candidate"),
        Column("State"),
        Column("Begun"),
        Column("Requests", numeric=True),
        Column("Failures", numeric=True),
    )
    rows = [
        Row(
            [
                Cell(tag("b", run.candidate), run.candidate),
                Cell(state_badge(run.status), run.status),
                Cell(_moment(run.started_at), run.started_at),
                Cell(numbers.count(run.completions), run.completions),
                Cell(numbers.count(run.failures), run.failures),
            ]
        )
        for run in runs
    ]
    missing = [name for name in benchmark.candidates if name not in {run.candidate for run in runs}]
    name = benchmark.name
    away = ("Bring back", "restore") if item.archived else ("Archive", "archive")
    return tag(
        "div",
        tag(
            "div",
            tag("h2", name),
            render.badge("unknown", "■", "archived") if item.archived else None,
            tag("span", class_="spacer"),
            render.view_link("Compare", "compare", class_="button is-primary", benchmark=name) if runs else None,
            render.action("Edit as a new one", "duplicate", name, class_="button"),
            render.action(*away, name, class_="button"),
            render.action("Close", "close", class_="button"),
            class_="panel-head",
        ),
        render.facts(
            [
                ("Asked", kinds),
                ("Test set", f"{benchmark.test_set_name}, {numbers.things(benchmark.examples, 'example')}"),
                ("Seed", str(benchmark.seed)),
                ("Machine", benchmark.machine.cpu if benchmark.machine is not None else numbers.UNKNOWN),
            ]
        ),
        render.table(f"Runs of {name}", columns, rows) if rows else tag("p", "No run is stored yet.", class_="quiet"),
        tag("p", f"Not run yet: {', '.join(missing)}.", class_="quiet") if missing and rows else None,
        [failure_group(each.candidate, each.last, each.count) for each in failures],
        tag("p", " ".join(deletion), class_="quiet"),
    )


def state_badge(state: str) -> Html:
    """State of a run or a job."""
    kind, sign = _STATES[state]
    return render.badge(kind, sign, state)


def _stored(item: ListedBenchmark, runs: Sequence[RunInfo], is_running: bool) -> Row:
    benchmark = item.benchmark
    states = [
        tag(
            "span",
            state_badge(run.status),
            f" {run.candidate}",
            class_="run-state",
            title=numbers.things(run.failures, "failure"),
        )
        for run in runs
    ]
    unfinished = len(runs) < len(benchmark.candidates) or any(run.status != "finished" for run in runs)
    begun = has_begun(benchmark, runs)
    at = benchmark.created_at if begun else None
    nothing = "no run stored yet" if begun else state_badge("queued" if is_running else "not begun")
    archived = render.join(" ", render.badge("unknown", "■", "archived")) if item.archived else None
    title = render.action(benchmark.name, "open", benchmark.name, title=f"Runs of {benchmark.name}")
    buttons = (
        _go_on(benchmark.name, begun=begun) if unfinished and not is_running else None,
        render.view_link("Compare", "compare", class_="chip", benchmark=benchmark.name),
    )
    return Row(
        [
            Cell(tag("b", title, archived), benchmark.name),
            Cell(benchmark.test_set_name, benchmark.test_set_name),
            Cell(numbers.count(benchmark.examples), benchmark.examples),
            Cell(tag("div", states, class_="run-states") if states else nothing),
            Cell(_moment(at), at),
            Cell(tag("div", *buttons, class_="row-actions")),
        ]
    )


def _go_on(name: str, *, begun: bool) -> Html:
    """The button that measures what is missing, or all of it where nothing was measured."""
    if begun:
        return render.action("Resume", "resume", name, class_="chip")
    return render.action("Start", "resume", name, class_="chip", title=f"Start {name}")


def _moment(at: str | None) -> str:
    return at.replace("T", " ")[:16] if at else numbers.UNKNOWN
