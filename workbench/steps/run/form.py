"""Lays out what can be chosen in the step Run: workloads first, everything else folded. Binds nothing.

What belongs to a workload that is not chosen is hidden by the style sheet, at once and without asking the server.
"""

from typing import get_args

import gradio as gr
from gradio.components import Component

from runners.records import Perturbation
from workbench.steps.run.choices import RunChoices

_USUAL = RunChoices()


def build_workloads() -> dict[str, Component]:
    """One line per workload, by the name of the choice that each control holds."""
    found: dict[str, Component] = {}
    with gr.Row(elem_classes="workload"):
        found["accuracy"] = _switch("accuracy", "Accuracy", "Every example, batched; gives no latency.")
    with gr.Row(elem_classes="workload"):
        found["latency"] = _switch("latency", "Latency", "One at a time, nothing cached.")
        found["latency_prompts"] = _whole("latency_prompts", "Prompts", 1)
    with gr.Row(elem_classes="workload"):
        found["load_sweep"] = _switch("load_sweep", "Load sweep", "1, 2, 4 … at once, until throughput stops gaining.")
        found["sweep_most"] = _whole("sweep_most", "At once, most", 1, 512)
        found["sweep_ttft"] = _amount("sweep_ttft", "End at TTFT p95, s")
    with gr.Row(elem_classes="workload"):
        found["arrivals"] = _switch("arrivals", "Arrivals", "Requests arrive at random, answered or not.")
        found["arrival_rates"] = gr.Textbox(
            value=_USUAL.arrival_rates,
            label="Requests per second",
            elem_id="run-arrival-rates",
            min_width=110,
            max_lines=1,
        )
    with gr.Row(elem_classes="workload"):
        found["load"] = _switch("load", "Loading", "Cold once, then warm again and again.")
        found["load_repeats"] = _whole("load_repeats", "Repeats", 1, 100)
    with gr.Row(elem_classes="workload"):
        found["robustness"] = _switch("robustness", "Robustness", "The same examples, changed in harmless ways.")
        found["robustness_examples"] = _whole("robustness_examples", "Examples", 1)
        found["robustness_repeats"] = _whole("robustness_repeats", "Times at temperature 0.7", 0, 100)
    with gr.Row(elem_classes="workload-more", elem_id="run-changes-row"):
        found["changes"] = gr.CheckboxGroup(
            choices=[(name.replace("_", " "), name) for name in get_args(Perturbation)],
            value=list(_USUAL.changes),
            label="Changes",
            elem_id="run-changes",
        )
    return found


def build_settings() -> dict[str, Component]:
    """What has a sensible value already, by the name of the choice that each control holds."""
    found: dict[str, Component] = {}
    with gr.Row(elem_classes="settings"):
        found["scorers"] = gr.Dropdown(
            choices=[],
            multiselect=True,
            label="Scorers",
            info="The first stands for quality; empty takes those of the step Test set.",
            elem_id="run-scorers",
            min_width=260,
        )
        found["answers"] = gr.Dropdown(
            choices=[("likeliest label", "scored"), ("written, held to the labels", "held"), ("free text", "free")],
            value=_USUAL.answers,
            label="Labels are answered as",
            info="Where answers are labels or choices.",
            elem_id="run-answers",
            min_width=200,
        )
        found["output_tokens"] = _whole("output_tokens", "Longest answer, tokens", 1, info="Empty: usual for the task.")
        found["seed"] = _whole("seed", "Seed", 0, info="Of everything random.")
    with gr.Row(elem_classes="settings"):
        found["calibrate"] = gr.Checkbox(
            value=False,
            label="Calibrate labels",
            info="Corrects for the label that a model favours whatever is asked.",
            elem_id="run-calibrate",
            min_width=220,
        )
        found["early_stopping"] = gr.Checkbox(
            value=False,
            label="Stop early",
            info="Candidates that can no longer win are not asked the rest.",
            elem_id="run-early-stopping",
            min_width=220,
        )
        found["margin_points"] = _amount(
            "margin_points", "Equivalence margin, points", info="A loss this small is fine. Set before the run."
        )
    with gr.Row(elem_classes="settings"):
        found["synthetic_input"] = _whole(
            "synthetic_input", "Synthetic prompts, tokens", 1, info="Latency and load; empty: the test set's."
        )
        found["synthetic_output"] = _whole(
            "synthetic_output", "Their answers, tokens", 1, info="Written to the last one."
        )
        found["machine_per_hour"] = _amount("machine_per_hour", "Machine, price per hour", info="For cost; or empty.")
        found["currency"] = gr.Textbox(
            value=_USUAL.currency, label="Currency", info="Of all prices.", elem_id="run-currency", max_lines=1
        )
    with gr.Row(elem_classes="settings", elem_id="run-endpoint-row"):
        found["endpoint_prices"] = gr.Textbox(
            value="",
            label="Prices of endpoints",
            info="One line each: name, colon, price of a million input and of a million output tokens.",
            placeholder="my-model at localhost:8000: 0.15 0.60",
            lines=2,
            elem_id="run-endpoint-prices",
            scale=3,
        )
        found["endpoint_requests"] = _whole(
            "endpoint_requests", "Most requests to each endpoint", 1, info="In one start; empty: no limit."
        )
    return found


def _switch(name: str, label: str, info: str) -> gr.Checkbox:
    return gr.Checkbox(
        value=getattr(_USUAL, name), label=label, info=info, elem_id=_id(name), elem_classes="switch", min_width=190
    )


def _whole(name: str, label: str, least: int, most: int | None = None, info: str | None = None) -> gr.Number:
    value = getattr(_USUAL, name)
    return gr.Number(
        value=value, minimum=least, maximum=most, precision=0, label=label, info=info, elem_id=_id(name), min_width=95
    )


def _amount(name: str, label: str, info: str | None = None) -> gr.Number:
    return gr.Number(
        value=getattr(_USUAL, name), minimum=0, step=0.1, label=label, info=info, elem_id=_id(name), min_width=110
    )


def _id(name: str) -> str:
    return f"run-{name.replace('_', '-')}"
