"""How sure the decision is: stability and sensitivity; and good at what: parts of the test set, two models as one."""

from results import numbers
from results.metric_words import shown, unit_of
from results.recommendation_records import LimitChange, Policy, Recommendation, WeightChange
from results.records import MetricEstimate
from workbench.report.document import (
    Block,
    Cell,
    Column,
    Heading,
    Item,
    Items,
    Paragraph,
    Section,
    Table,
    estimate_cell,
    number_cell,
)
from workbench.report.records import ReportContent

_EVERY = 4
"""One of so many thresholds is shown."""


def certainty_section(content: ReportContent) -> Section:
    """How often each wins when the examples are drawn anew, and what would change the winner."""
    made = content.recommendation
    blocks = [*_stability(made), *_weights(made), *_limits(made)]
    if not blocks:
        blocks = [Paragraph(text="Nothing can change: there is no candidate to choose from.")]
    return Section(anchor="certainty", title="How sure this is", blocks=tuple(blocks))


def good_at_section(content: ReportContent) -> Section:
    """Who is best at which part of the test set, and what two models together would reach."""
    made = content.recommendation
    quality = next((s.quality for s in content.comparison.candidates if s.quality is not None), None)
    blocks: list[Block] = [Heading(text="Best at each part of the test set")]
    if made.slices:
        blocks.append(Items(items=tuple(Item(text=part.sentence) for part in made.slices)))
    else:
        blocks.append(Paragraph(text="Not known: the test set has no slices, or fewer than two candidates qualify."))
    blocks.append(Heading(text="Two models: the cheap one first, the strong one when it is unsure"))
    if not made.policies:
        text = "Not known: it needs label probabilities of a cheaper candidate and a better one behind it."
        blocks.append(Paragraph(text=text))
    blocks += [Paragraph(text=policy.sentence) for policy in made.policies]
    blocks += [_policy_table(policy, quality, content) for policy in made.policies[:1]]
    return Section(anchor="good-at", title="Good at what", blocks=tuple(blocks))


def weight_sentence(change: WeightChange) -> str:
    """One change of weight in words."""
    direction = "rises" if change.needed > change.current else "falls"
    return (
        f"{change.new_winner} wins where the share of {change.weight} {direction} from"
        f" {numbers.percent(change.current)} to {numbers.percent(change.needed)}."
    )


def _stability(made: Recommendation) -> list[Block]:
    stability = made.stability
    if stability is None:
        return []
    places = {ranked.name: f"rank {ranked.rank}" for ranked in made.ranked}
    rows = [
        (Cell(text=win.name), Cell(text=numbers.percent(win.share)), Cell(text=places.get(win.name, "out")))
        for win in stability.shares
    ]
    if stability.nobody > 0:
        share = numbers.percent(stability.nobody)
        rows.append((Cell(text="nobody meets every limit"), Cell(text=share), Cell()))
    columns = (
        Column(heading="Candidate"),
        Column(heading="Wins in", numeric=True, term="stability"),
        Column(heading="On all examples", term="rank"),
    )
    return [
        Table(
            caption="Who wins when the test set is drawn anew", note=stability.method, columns=columns, rows=tuple(rows)
        )
    ]


def _weights(made: Recommendation) -> list[Block]:
    if len(made.ranked) < 2:
        return []
    if not made.sensitivity:
        return [Paragraph(text="No change of a single weight changes the winner.")]
    items = tuple(Item(text=weight_sentence(change)) for change in made.sensitivity)
    return [
        Paragraph(text="Weights that would change the winner, the others keeping their proportion:"),
        Items(items=items),
    ]


def _limits(made: Recommendation) -> list[Block]:
    if not made.limit_sensitivity:
        return [Paragraph(text="No change of a single limit that is set changes the winner.")] if made.ranked else []
    items = tuple(_limit_item(change) for change in made.limit_sensitivity)
    return [Paragraph(text="Limits that would change the winner:"), Items(items=items)]


def _limit_item(change: LimitChange) -> Item:
    return Item(text=change.sentence, detail=f"{change.limit}, {change.direction}")


def _policy_table(policy: Policy, quality: MetricEstimate | None, content: ReportContent) -> Table:
    """The thresholds, with both models alone at the ends."""
    currency = content.recommendation.requirements.prices.currency
    title = quality.title if quality else "Quality"
    columns = (
        Column(heading="Asked below"),
        Column(heading="Asked for", numeric=True, term="policy"),
        Column(heading=title, numeric=True),
        Column(heading="Expected E2E", numeric=True, term="policy"),
        Column(heading="1,000 examples", numeric=True, term="cost"),
    )
    rows = tuple(
        (
            Cell(text=_threshold(policy, place), detail="highest quality" if point == policy.chosen else ""),
            Cell(text=numbers.percent(point.escalated_share)),
            estimate_cell(point.quality, unit_of(quality)),
            number_cell(numbers.seconds(point.latency_seconds)),
            number_cell(numbers.money(point.cost_per_1000_examples, currency), unknown="not known"),
        )
        for place, point in enumerate(policy.points)
        if place in _shown_points(policy)
    )
    alone = f"Alone: {policy.cheap} {shown(policy.cheap_quality, quality)}, "
    alone += f"{policy.strong} {shown(policy.strong_quality, quality)}."
    if policy.memory_bytes is not None:
        alone += f" Both loaded at once take {numbers.bytes_(policy.memory_bytes)}."
    return Table(
        caption=f"{policy.cheap} first, {policy.strong} when unsure",
        note=f"{alone} {policy.method} Some of the thresholds.",
        columns=columns,
        rows=rows,
    )


def _shown_points(policy: Policy) -> set[int]:
    """Places of the points that a report shows: both ends, the chosen one, and some between; JSON has them all."""
    last = len(policy.points) - 1
    return {*range(0, last + 1, _EVERY), policy.points.index(policy.chosen), last}


def _threshold(policy: Policy, place: int) -> str:
    if place == 0:
        return "never"
    return "always" if policy.points[place].escalated_share == 1 else f"{policy.points[place].threshold:.3f}"
