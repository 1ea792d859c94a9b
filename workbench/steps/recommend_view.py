"""What the step Recommend shows: the headline, the ranking with reasons, who is out and why, what would change it."""

from results import numbers
from results.recommendation_records import ExcludedCandidate, RankedCandidate, Recommendation, WeightChange
from results.records import BenchmarkComparison
from workbench import charts, sentences
from workbench.report.text import one_line
from workbench.steps import render
from workbench.steps.compare_view import chart_card
from workbench.steps.render import Html, tag


def nothing_measured() -> Html:
    """No benchmark at all."""
    return tag("div", render.empty(sentences.NO_BENCHMARK_TITLE, sentences.NO_BENCHMARK_TEXT), class_="card")


def nothing_finished(name: str) -> Html:
    """A benchmark without a stored run."""
    text = f"The benchmark {name} has no stored run yet. The recommendation appears as soon as the first one is over."
    return tag("div", render.empty(sentences.NO_COMPARISON_TITLE, text), class_="card")


def recommendation(made: Recommendation, comparison: BenchmarkComparison) -> Html:
    """The whole recommendation."""
    first, *rest = made.headline
    headline = tag(
        "div",
        tag("h2", first, class_="headline"),
        [tag("p", line) for line in rest],
        class_="card" + (" winner" if made.winner else ""),
    )
    trade_off = charts.quality_latency_chart(comparison, made)
    return render.join(
        headline,
        tag("div", render.heading("Ranking"), [_ranked(item) for item in made.ranked], class_="card")
        if made.ranked
        else None,
        tag("div", render.heading("Out"), [_excluded(item) for item in made.excluded], class_="card")
        if made.excluded
        else None,
        tag("div", render.heading("What would change the winner"), _sensitivity(made), class_="card")
        if made.winner
        else None,
        chart_card(trade_off) if trade_off is not None else None,
    )


def _ranked(item: RankedCandidate) -> Html:
    pareto = render.badge("allowed", "◆", "Pareto") if item.pareto else None
    score = f"{numbers.percent(item.utility)} of the best possible score"
    return tag(
        "div",
        tag(
            "div",
            tag("span", str(item.rank), class_="rank"),
            tag("h3", one_line(item.name)),
            pareto,
            tag("span", score, class_="note"),
            class_="panel-head",
        ),
        render.bar(item.utility, f"Score of {item.name}: {score}", class_="is-score"),
        render.bullets(item.reasons),
        class_="ranked",
    )


def _excluded(item: ExcludedCandidate) -> Html:
    return tag(
        "div",
        tag("div", render.badge("forbidden", "✕", "out"), tag("h3", one_line(item.name)), class_="panel-head"),
        render.bullets([broken.message for broken in item.broken]),
        class_="ranked",
    )


def _sensitivity(made: Recommendation) -> Html:
    if not made.sensitivity:
        return tag("p", f"No single weight does: {made.winner} stays first however far one is moved.")
    return render.bullets([_change(change) for change in made.sensitivity])


def _change(change: WeightChange) -> Html:
    return render.join(
        f"If {change.weight} counted {numbers.percent(change.needed)} instead of {numbers.percent(change.current)}, ",
        tag("b", one_line(change.new_winner)),
        " would win.",
    )
