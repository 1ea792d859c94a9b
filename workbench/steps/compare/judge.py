"""Compare: have a model of the shortlist grade the stored answers. The work is a job like any other."""

import json
import re
from pathlib import Path

import gradio as gr
from pydantic import ValidationError

from results import numbers
from runners.engine_options import EndpointOptions
from workbench.candidates import candidate_name
from workbench.judge_records import JudgeDefinition
from workbench.records import CandidateDefinition
from workbench.remote import notes_on_judging
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.compare import judge_form
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import candidates_at_hand
from workbench.steps.leaving import what_leaves
from workbench.steps.render import Html
from workbench.steps.wiring import clicked


def panels(workbench: Workbench, desk: Desk, benchmark: str | None) -> tuple[Html, Html]:
    """The form, with what would leave this machine and whose grades would be replaced; and what judges said so far."""
    judges = candidates_at_hand(workbench, desk)
    servers = [item.options for item in judges if isinstance(item.options, EndpointOptions)]
    leaves = what_leaves(notes_on_judging(judges), servers, "answer")
    reports = workbench.judges.reports(benchmark) if benchmark else ()
    names = [candidate_name(item) for item in judges]
    return judge_form.judge_form(names, leaves, [report.judge for report in reports]), judge_form.judged(reports)


def start(workbench: Workbench, desk: Desk, benchmark: str | None, event: gr.EventData) -> Html:
    """Queue what the form asks for: a note that says so."""
    _, value = clicked(event)
    if benchmark is None:
        raise refusal("Nothing is measured yet, so there is nothing to grade.")
    asked: dict[str, str] = json.loads(value)
    judge = next((item for item in candidates_at_hand(workbench, desk) if candidate_name(item) == asked["judge"]), None)
    if judge is None:
        raise refusal(f"{asked['judge']} is not on the shortlist any more. Open this step again, and choose a judge.")
    definition = _definition(judge, asked)
    earlier = [report.judge for report in workbench.judges.reports(benchmark) if report.mode == definition.mode]
    if earlier and "replace" not in asked:
        raise refusal(
            f"{earlier[0]} has graded these answers already. Tick “Replace earlier grades” to have them graded anew."
        )
    plan = workbench.judges.plan(benchmark, definition, Path())
    workbench.judges.start(plan)
    told = (
        f"Queued: {asked['judge']} reads the answers of {numbers.things(len(plan.candidates), 'candidate')}. It stands "
        "under Jobs; its grades appear here when it is done."
    )
    return judge_form.queued(told, plan.notes)


def _definition(judge: CandidateDefinition, asked: dict[str, str]) -> JudgeDefinition:
    rubric, entered = asked["rubric"].strip(), {name: _number(name, asked[name]) for name in judge_form.NUMBERS}
    if not rubric:
        raise refusal("The rubric is empty. Say in it what makes an answer good.")
    examples = entered.pop("examples")
    if examples is not None and examples < 1:
        raise refusal(f"Examples must be at least 1, not {examples}. Leave it empty for all.")
    scale = {name: number for name, number in entered.items() if number is not None}
    if asked["mode"] == "pairwise":
        scale = {}
    content = {"judge": judge, "mode": asked["mode"], "rubric": rubric, "examples": examples, **scale}
    try:
        return JudgeDefinition.model_validate(content)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise refusal(f"{reason[0].upper()}{reason[1:]}. Change the scale.") from error


def _number(name: str, text: str) -> int | None:
    label = judge_form.NUMBERS[name].label
    if not text.strip():
        return None
    if not re.fullmatch(r"-?\d{1,9}", text.strip(), re.ASCII):
        raise refusal(f"{label} must be a whole number of at most 9 digits, not {text!r}.")
    return int(text)
