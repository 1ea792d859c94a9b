"""What the step Recommend shows: the headline, the ranking with reasons, who is out and why, what would change it."""

from results import numbers
from results.cost import cost_of
from results.limits import memory_bytes
from results.metric_words import quality_metric, shown_estimate
from results.recommendation_records import ExcludedCandidate, Policy, RankedCandidate, Recommendation
from results.records import BenchmarkComparison, CandidateSummary, MetricEstimate
from workbench import charts, sentences
from workbench.report.text import listing, one_line
from workbench.steps import render
from workbench.steps.compare.depth_view import chart_card
from workbench.steps.recommend import sensitivity_view
from workbench.steps.render import Content, Html, tag


def nothing_finished(name: str) -> Html:
    """A benchmark without a stored run."""
    text = f"The benchmark {name} has no stored run yet. The recommendation appears as soon as the first one is over."
    return tag("div", render.empty(sentences.NO_COMPARISON_TITLE, text), class_="card")


def refused(reason: str) -> Html:
    """Requirements that cannot be meant."""
    return tag("div", render.notice("warning", reason), class_="card")


def bad_address() -> Html:
    """An address whose requirements cannot be read."""
    text = (
        "The address asks for requirements that cannot be read, perhaps because it was cut off. Those of the benchmark "
        "are shown. Copy the address again from where it came."
    )
    return tag("div", render.notice("warning", text), class_="card")


def kept(name: str) -> Html:
    """Requirements became the benchmark's own."""
    text = f"Kept: {name} is recommended and reported under these requirements from now on."
    return render.notice("info", text)


def recommendation(made: Recommendation, comparison: BenchmarkComparison) -> Html:
    """The whole recommendation but its chart."""
    first, *rest = made.headline
    headline = tag(
        "div",
        tag("h2", first, class_="headline"),
        [tag("p", line) for line in rest],
        class_="card" + (" winner" if made.winner else ""),
        # What follows the ranking is drawn when this changes: two benchmarks never show the same.
        data_benchmark=comparison.benchmark.name,
    )
    wins = {win.name: win.share for win in made.stability.shares} if made.stability else None
    summaries = {summary.candidate.name: summary for summary in comparison.candidates}
    ranked = [_ranked(item, summaries[item.name], wins, made) for item in made.ranked]
    quality = quality_metric(comparison)
    return render.join(
        headline,
        _card("Ranking", ranked, made.normalisation) if made.ranked else None,
        _card("Out", [_excluded(item) for item in made.excluded]) if made.excluded else None,
        sensitivity_view.what_would_change(made),
        _card("If the test set were drawn anew", _stability(made)) if made.stability else None,
        _card("Best at each part of the test set", render.bullets([part.sentence for part in made.slices]))
        if made.slices
        else None,
        _card("Two models: the cheap one first", [_policy(policy, quality) for policy in made.policies])
        if made.policies
        else None,
        _card("What it costs", _costs(made)) if made.costs else None,
    )


def trade_off(made: Recommendation, comparison: BenchmarkComparison) -> Html:
    """Quality against latency, with the Pareto front of those who qualify."""
    chart = charts.quality_latency_chart(comparison, made)
    return chart_card(chart) if chart is not None else render.NOTHING


def _card(title: str, content: Content, note: str = "") -> Html:
    return tag("div", render.heading(title), content, tag("p", note, class_="note") if note else None, class_="card")


def _ranked(
    item: RankedCandidate, summary: CandidateSummary, wins: dict[str, float] | None, made: Recommendation
) -> Html:
    unbeaten = "No other candidate within the limits is as good or better in everything"
    pareto = tag("span", render.badge("allowed", "◆", "Pareto"), title=unbeaten) if item.pareto else None
    score = f"{numbers.percent(item.utility)} of the best possible score"
    often = "" if wins is None else f" · wins in {numbers.percent(wins.get(item.name, 0.0))} of the resamples"
    above = f"{listing(item.dominated_by)} {'is' if len(item.dominated_by) == 1 else 'are'} as good or better"
    return tag(
        "div",
        tag(
            "div",
            tag("span", str(item.rank), class_="rank"),
            tag("h3", one_line(item.name)),
            render.verdict_badge(summary.verdict.value),
            pareto,
            tag("span", score + often, class_="note"),
            class_="panel-head",
        ),
        render.bar(item.utility, f"Score of {item.name}: {score}", class_="is-score"),
        tag("p", " · ".join(_figures(summary, made)), class_="figures"),
        tag(
            "details",
            tag("summary", "Why it is there"),
            render.bullets([*item.reasons, *([f"{above} in everything."] if item.dominated_by else [])]),
            open=True,
        ),
        class_="ranked",
    )


def _figures(summary: CandidateSummary, made: Recommendation) -> list[str]:
    """What it does, in one line."""
    metric, middle, peak = summary.quality, summary.e2e_p50_seconds, memory_bytes(summary)
    cost = cost_of(made.costs, summary.candidate.name)
    found = [f"{metric.title} {shown_estimate(metric)}" if metric else "quality not measured"]
    found.append(f"end to end (p50) {numbers.estimate(middle, 'seconds')}" if middle else "latency not measured")
    found.append(f"peak memory {numbers.bytes_(peak)}" if peak is not None else "memory not measured")
    if cost is not None and cost.per_1000_examples is not None:
        found.append(f"1,000 examples {numbers.money(cost.per_1000_examples, cost.currency)}")
    return found


def _excluded(item: ExcludedCandidate) -> Html:
    """Which limits it broke, and by how much: the further the bar, the further beyond the limit."""
    rows = [
        tag(
            "li",
            tag("span", broken.message),
            render.bar(
                min(1.0, broken.missed_by),
                f"Missed by {numbers.percent(broken.missed_by)} of the limit",
                class_="is-missed",
            )
            if broken.missed_by is not None
            else None,
        )
        for broken in item.broken
    ]
    return tag(
        "div",
        tag("div", render.badge("forbidden", "✕", "out"), tag("h3", one_line(item.name)), class_="panel-head"),
        tag("ul", rows, class_="bullets broken"),
        class_="ranked",
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
