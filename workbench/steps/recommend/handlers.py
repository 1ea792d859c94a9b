"""Step Recommend: hard limits, prices and weights, and the ranking that follows at once."""

from typing import Any, NamedTuple

import gradio as gr
from pydantic import ValidationError

from results.errors import BadRequirements, NothingToCompare, UnknownBenchmark
from results.metric_words import metric_titles
from results.records import Benchmark, BenchmarkComparison
from results.requirement_records import Requirements
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.compare.handlers import choose_benchmark
from workbench.steps.compare.view import nothing_measured
from workbench.steps.recommend import limits_view, view
from workbench.steps.recommend.requirements import EndpointPrices, RequirementValues, from_address, to_address
from workbench.steps.wiring import clicked


class Shown(NamedTuple):
    """Everything of the step that depends on the benchmark, in the order of the page's outputs."""

    name: str | None
    controls: Any
    values: tuple[Any, ...]
    metric: Any
    """Picker of the metric to limit."""
    metric_value: None
    """An empty field."""
    metric_limits: str
    endpoint: Any
    """Picker of the endpoint to price."""
    endpoint_in: None
    endpoint_out: None
    endpoint_group: Any
    endpoint_prices: str
    ranking: str
    address: str


def restore(workbench: Workbench, asked: str | None, request: gr.Request) -> tuple[Any, ...]:
    """The requirements in the address, else the benchmark's own, and the ranking: picker, then everything of `pick`."""
    name, names = choose_benchmark(workbench, asked, request)
    in_address = request.query_params
    wanted = in_address.get("requirements") if in_address.get("benchmark", name) == name else None
    return gr.Dropdown(choices=names, value=name, visible=bool(names)), *show(workbench, name, wanted)


def pick(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """Another benchmark, under its own requirements."""
    return show(workbench, name, None)


def show(workbench: Workbench, name: str | None, in_address: str | None) -> tuple[Any, ...]:
    """One benchmark: state, whether controls are visible, each control, the ranking, the address."""
    stored = _stored(workbench, name)
    if stored is None:
        skipped = (gr.skip(),) * len(RequirementValues._fields)
        nothing = nothing_measured()
        hidden = gr.Column(visible=False)
        picker = gr.skip()
        return _flat(Shown(None, hidden, skipped, picker, None, "", picker, None, None, hidden, "", nothing, ""))
    asked = from_address(in_address, stored.requirements)
    values = RequirementValues.of(asked or stored.requirements)
    comparison = _comparison(workbench, stored.name)
    endpoints = _endpoints(comparison)
    titles = metric_titles(comparison) if comparison is not None else {}
    ranking, address = rank(workbench, stored.name, *values)
    if in_address and asked is None:
        ranking = view.bad_address() + ranking
    return _flat(
        Shown(
            name=stored.name,
            controls=gr.Column(visible=True),
            values=tuple(values),
            metric=gr.Dropdown(choices=[(title, metric) for metric, title in titles.items()], value=None),
            metric_value=None,
            metric_limits=limits_view.metric_limits(values.metrics or {}, comparison),
            endpoint=gr.Dropdown(choices=endpoints, value=endpoints[0] if endpoints else None),
            endpoint_in=None,
            endpoint_out=None,
            endpoint_group=gr.Column(visible=bool(endpoints)),
            endpoint_prices=limits_view.endpoint_prices(values.endpoints or {}, values.currency or ""),
            ranking=ranking,
            address=address,
        )
    )


def rank(workbench: Workbench, name: str | None, *values: Any) -> tuple[str, str]:
    """The ranking under the controls as they stand, and these for the address."""
    if name is None:
        return nothing_measured(), ""
    # The comparison is kept and holds the benchmark: a ranking that is to move at once opens no file.
    comparison = _comparison(workbench, name)
    if comparison is None:
        return view.nothing_finished(name), ""
    stored = comparison.benchmark
    asked = requirements_of(stored, values)
    try:
        made = workbench.recommend(stored.name, asked)
    except BadRequirements as error:
        return view.refused(str(error)), to_address(asked, stored.requirements)
    return view.recommendation(made, comparison), to_address(asked, stored.requirements)


def rank_again(workbench: Workbench, name: str | None, *values: Any) -> tuple[Any, Any]:
    """As `rank`, because results have changed; before the step was filled with a benchmark, the filling says it all."""
    return (gr.skip(), gr.skip()) if name is None else rank(workbench, name, *values)


def draw(workbench: Workbench, name: str | None, *values: Any) -> str:
    """The chart beside the ranking, which takes longer than the ranking itself."""
    comparison = _comparison(workbench, name)
    if comparison is None:
        return ""
    try:
        made = workbench.recommend(comparison.benchmark.name, requirements_of(comparison.benchmark, values))
    except BadRequirements:
        return ""
    return view.trade_off(made, comparison)


def keep(workbench: Workbench, name: str | None, *values: Any) -> tuple[str, str]:
    """Make the requirements on screen those of the benchmark: a note, and the address without them."""
    stored = _stored(workbench, name)
    if stored is None:
        raise refusal(
            "Nothing is measured yet, so there is no benchmark to save these for. Start one in the step Run first."
        )
    workbench.save_requirements(stored.name, requirements_of(stored, values))
    return view.kept(stored.name), ""


def limit_metric(
    workbench: Workbench, name: str | None, limits: dict[str, float], metric: str | None, value: float | None
) -> tuple[dict[str, float], str, Any]:
    """One more limit on a metric, or another value of one: all of them, how they read, and an empty field."""
    comparison = _comparison(workbench, name)
    if not metric or value is None:
        raise refusal("Choose a metric and the value that it must reach.")
    changed = {**limits, metric: value}
    return changed, limits_view.metric_limits(changed, comparison), None


def drop_metric(
    workbench: Workbench, name: str | None, limits: dict[str, float], event: gr.EventData
) -> tuple[dict[str, float], str]:
    """One limit on a metric less."""
    _, metric = clicked(event)
    left = {each: value for each, value in limits.items() if each != metric}
    return left, limits_view.metric_limits(left, _comparison(workbench, name))


def price_endpoint(
    prices: EndpointPrices, currency: str, endpoint: str | None, into: float | None, out: float | None
) -> tuple[EndpointPrices, str]:
    """What an endpoint charges: all prices, and how they read."""
    if not endpoint or into is None or out is None:
        raise refusal("Enter both prices: of a million tokens in, and of a million tokens out.")
    changed = {**prices, endpoint: (into, out)}
    return changed, limits_view.endpoint_prices(changed, currency)


def drop_price(prices: EndpointPrices, currency: str, event: gr.EventData) -> tuple[EndpointPrices, str]:
    """One endpoint without a price."""
    _, endpoint = clicked(event)
    left = {each: price for each, price in prices.items() if each != endpoint}
    return left, limits_view.endpoint_prices(left, currency)


def requirements_of(stored: Benchmark, values: tuple[Any, ...]) -> Requirements:
    """What the controls ask for. A value that no limit can have becomes a sentence."""
    try:
        return RequirementValues(*values).requirements(stored.requirements)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = " ".join(str(part) for part in first["loc"]).replace("_", " ")
        raise refusal(f"{where} is {first['input']!r}: {first['msg']}. Enter a number that is not negative.") from error


def _stored(workbench: Workbench, name: str | None) -> Benchmark | None:
    return next((item for item in workbench.benchmarks(archived=True) if item.name == name), None)


def _comparison(workbench: Workbench, name: str | None) -> BenchmarkComparison | None:
    if name is None:
        return None
    try:
        return workbench.compare(name)
    except (NothingToCompare, UnknownBenchmark):
        return None


def _endpoints(comparison: BenchmarkComparison | None) -> list[str]:
    candidates = comparison.candidates if comparison is not None else ()
    return [summary.candidate.name for summary in candidates if summary.candidate.engine == "endpoint"]


def _flat(shown: Shown) -> tuple[Any, ...]:
    return (*shown[:2], *shown.values, *shown[3:])
