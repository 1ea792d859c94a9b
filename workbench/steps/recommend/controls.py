"""Lays out the requirements of the step Recommend: limits, prices, weights, and how they are kept."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from workbench.steps import render
from workbench.steps.choose.view import ALL_VERDICTS
from workbench.steps.wiring import panel

_WEIGHTS = (
    ("quality", "Quality"),
    ("latency", "Latency"),
    ("memory", "Memory"),
    ("cost", "Cost (needs a price)"),
    ("throughput", "Throughput"),
)


class MetricLimits(NamedTuple):
    """Limits on any metric, row by row."""

    metric: gr.Dropdown
    value: gr.Number
    add: gr.Button
    listed: gr.HTML


class EndpointPrices(NamedTuple):
    """Prices of endpoints, row by row."""

    group: gr.Column
    endpoint: gr.Dropdown
    into: gr.Number
    out: gr.Number
    add: gr.Button
    listed: gr.HTML


class Controls(NamedTuple):
    """Everything that asks."""

    values: list[Block]
    """In the order of RequirementValues."""
    metrics: MetricLimits
    endpoints: EndpointPrices
    keep: gr.Button
    reset: gr.Button
    note: gr.HTML


def build_controls() -> Controls:
    """The cards on the left."""
    with gr.Column(elem_classes="card tight", elem_id="weights"):
        panel("weights-head", render.heading("Weights", "only proportions count"))
        weights = [gr.Slider(0, 1, step=0.05, label=label, elem_id=f"weight-{name}") for name, label in _WEIGHTS]
    limits, metrics = _limits()
    prices, endpoints = _prices()
    with gr.Column(elem_classes="card tight"):
        panel("keep-head", render.heading("These requirements", "also in the address"))
        with gr.Row(elem_classes="inline"):
            keep = gr.Button("Save as the benchmark's", elem_id="requirements-keep", min_width=120, size="sm")
            reset = gr.Button("Back to the saved ones", elem_id="requirements-reset", min_width=120, size="sm")
        note = panel("requirements-note")
    verdicts, quality, ttft, e2e, decode, memory, load, context, output, examples = limits
    price, most, currency = prices
    values = [verdicts, quality, ttft, e2e, decode, memory, load, context, price, most, *weights]
    values += [output, examples, currency, gr.State({}), gr.State({})]
    return Controls(values, metrics, endpoints, keep, reset, note)


def _limits() -> tuple[list[Block], MetricLimits]:
    """Verdicts, quality, TTFT, E2E, decode, memory, load, context, throughput at the knee, examples per second."""
    with gr.Column(elem_classes="card tight"):
        panel("limits-head", render.heading("Hard limits", "empty means none"))
        verdicts = gr.CheckboxGroup(list(ALL_VERDICTS), label="License verdict", elem_id="limit-verdicts")
        pairs = (
            (("Quality from", "quality"), ("Memory up to, GiB", "memory")),
            (("TTFT p95 up to, s", "ttft"), ("E2E p95 up to, s", "e2e")),
            (("Tokens/s from", "decode"), ("Load up to, s", "load")),
            (("Tokens/s at knee from", "output"), ("Examples/s from", "examples")),
            (("Context from, tokens", "context"),),
        )
        made: dict[str, Block] = {}
        for row in pairs:
            with gr.Row(elem_classes="inline"):
                for label, name in row:
                    made[name] = gr.Number(label=label, minimum=0, elem_id=f"limit-{name}", min_width=100)
        with gr.Row(elem_classes="inline"):
            metric = gr.Dropdown(label="Limit on a metric", choices=[], elem_id="limit-metric", min_width=110)
            value = gr.Number(label="Worse end of interval", minimum=0, elem_id="limit-metric-value", min_width=90)
            add = gr.Button("Add", elem_id="limit-metric-add", min_width=50, scale=0, size="sm")
        listed = panel("metric-limits", clicks=True)
    names = ("quality", "ttft", "e2e", "decode", "memory", "load", "context", "output", "examples")
    return [verdicts, *(made[name] for name in names)], MetricLimits(metric, value, add, listed)


def _prices() -> tuple[list[Block], EndpointPrices]:
    """Price of the machine, the most that 1,000 examples may cost, the currency; then prices of endpoints."""
    with gr.Column(elem_classes="card tight"):
        panel("prices-head", render.heading("Prices", "yours; nothing is guessed"))
        with gr.Row(elem_classes="inline"):
            price = gr.Number(label="Price of this machine, an hour", minimum=0, elem_id="price-machine", min_width=110)
            currency = gr.Textbox(label="Currency", elem_id="price-currency", max_length=8, min_width=60)
        most = gr.Number(label="Cost of 1,000 up to", minimum=0, elem_id="limit-cost", min_width=100)
        with gr.Column(visible=False) as group:
            endpoint = gr.Dropdown(label="Endpoint", choices=[], elem_id="price-endpoint")
            with gr.Row(elem_classes="inline"):
                into = gr.Number(label="1 M tokens in", minimum=0, elem_id="price-in", min_width=70)
                out = gr.Number(label="1 M tokens out", minimum=0, elem_id="price-out", min_width=70)
                add = gr.Button("Set", elem_id="price-add", min_width=50, scale=0, size="sm")
            listed = panel("endpoint-prices", clicks=True)
    return [price, most, currency], EndpointPrices(group, endpoint, into, out, add, listed)
