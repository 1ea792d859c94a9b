"""What the step Recommend shows: the headline, the ranking with reasons, who is out and why, what would change it."""

from results import numbers
from results.metric_words import shown_estimate
from results.recommendation_records import ExcludedCandidate, Policy, RankedCandidate, Recommendation, WeightChange
from results.records import BenchmarkComparison, MetricEstimate
from workbench import charts, sentences
from workbench.report.text import listing, one_line
from workbench.steps import render
from workbench.steps.compare_view import chart_card
from workbench.steps.render import Content, Html, tag


def nothing_measured() -> Html:
    """No benchmark at all."""
    return tag("div", render.empty(sentences.NO_BENCHMARK_TITLE, sentences.NO_BENCHMARK_TEXT), class_="card")


def nothing_finished(name: str) -> Html:
    """A benchmark without a stored run."""
    text = f"The benchmark {name} has no stored run yet. The recommendation appears as soon as the first one is over."
    return tag("div", render.empty(sentences.NO_COMPARISON_TITLE, text), class_="card")


def refused(reason: str) -> Html:
    """Requirements that cannot be meant."""
    return tag("div", render.notice("warning", reason), class_="card")


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
    wins = {win.name: win.share for win in made.stability.shares} if made.stability else None
    ranked = [_ranked(item, wins) for item in made.ranked]
    quality = next((summary.quality for summary in comparison.candidates if summary.quality is not None), None)
    return render.join(
        headline,
        _card("Ranking", ranked, made.normalisation) if made.ranked else None,
        _card("Out", [_excluded(item) for item in made.excluded]) if made.excluded else None,
        _card("What would change the winner", _sensitivity(made)) if made.winner or made.limit_sensitivity else None,
        _card("If the test set were drawn anew", _stability(made)) if made.stability else None,
        _card("Best at each part of the test set", render.bullets([part.sentence for part in made.slices]))
        if made.slices
        else None,
        _card("Two models: the cheap one first", [_policy(policy, quality) for policy in made.policies])
        if made.policies
        else None,
        _card("What it costs", _costs(made)) if made.costs else None,
        chart_card(trade_off) if trade_off is not None else None,
    )


def _card(title: str, content: Content, note: str = "") -> Html:
    return tag("div", render.heading(title), content, tag("p", note, class_="note") if note else None, class_="card")


def _ranked(item: RankedCandidate, wins: dict[str, float] | None) -> Html:
    pareto = render.badge("allowed", "◆", "Pareto") if item.pareto else None
    score = f"{numbers.percent(item.utility)} of the best possible score"
    often = "" if wins is None else f" · wins in {numbers.percent(wins.get(item.name, 0.0))} of the resamples"
    above = f"{listing(item.dominated_by)} {'is' if len(item.dominated_by) == 1 else 'are'} as good or better"
    return tag(
        "div",
        tag(
            "div",
            tag("span", str(item.rank), class_="rank"),
            tag("h3", one_line(item.name)),
            pareto,
            tag("span", score + often, class_="note"),
            class_="panel-head",
        ),
        render.bar(item.utility, f"Score of {item.name}: {score}", class_="is-score"),
        render.bullets([*item.reasons, *([f"{above} in everything."] if item.dominated_by else [])]),
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
    changes: list[Content] = [_change(change) for change in made.sensitivity]
    if made.winner and not changes:
        changes.append(f"No single weight does: {made.winner} stays first however far one is moved.")
    changes += [change.sentence for change in made.limit_sensitivity]
    return render.bullets(changes)


def _change(change: WeightChange) -> Html:
    return render.join(
        f"If {change.weight} counted {numbers.percent(change.needed)} instead of {numbers.percent(change.current)}, ",
        tag("b", one_line(change.new_winner)),
        " would win.",
    )


def _stability(made: Recommendation) -> Content:
    if made.stability is None:
        return None
    rows = [(one_line(win.name), win.share) for win in made.stability.shares]
    if made.stability.nobody > 0:
        rows.append(("nobody meets every limit", made.stability.nobody))
    bars = [
        tag("p", f"{name}: {numbers.percent(share)} ", render.bar(share, f"{name} wins in {numbers.percent(share)}"))
        for name, share in rows
    ]
    return [*bars, tag("p", made.stability.method, class_="note")]


def _policy(policy: Policy, quality: MetricEstimate | None) -> Html:
    columns = (
        render.Column("Asked below"),
        render.Column("Asked for", numeric=True),
        render.Column(quality.title if quality else "Quality", numeric=True),
        render.Column("Expected E2E", numeric=True),
    )
    rows = [
        render.Row(
            (
                render.Cell(f"{point.threshold:.3f}", point.threshold),
                render.Cell(numbers.percent(point.escalated_share), point.escalated_share),
                render.Cell(
                    shown_estimate(quality.model_copy(update={"estimate": point.quality}) if quality else None),
                    point.quality.value,
                ),
                render.Cell(numbers.seconds(point.latency_seconds), point.latency_seconds),
            ),
            "is-selected" if point == policy.chosen else "",
        )
        for point in policy.points
    ]
    title = f"{one_line(policy.cheap)} first, {one_line(policy.strong)} when unsure"
    return tag(
        "details",
        tag("summary", policy.sentence),
        render.table(title, columns, rows),
        tag("p", policy.method, class_="note"),
    )


def _costs(made: Recommendation) -> Html:
    columns = (
        render.Column("Candidate"),
        render.Column("1,000 examples", numeric=True),
        render.Column("1,000,000 tokens in", numeric=True),
        render.Column("1,000,000 tokens out", numeric=True),
        render.Column("Made from"),
    )
    rows = [
        render.Row(
            (
                render.Cell(one_line(cost.name), cost.name),
                *(
                    render.Cell(numbers.money(value, cost.currency), value)
                    for value in (
                        cost.per_1000_examples,
                        cost.per_million_input_tokens,
                        cost.per_million_output_tokens,
                    )
                ),
                render.Cell(cost.basis),
            )
        )
        for cost in made.costs
    ]
    return render.table("What it costs", columns, rows)
