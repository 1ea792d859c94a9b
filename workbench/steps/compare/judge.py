"""Compare: have a model of the shortlist grade the stored answers. The work is a job like any other."""

import json
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import ValidationError

from results import numbers
from workbench.candidates import candidate_name
from workbench.judge_records import JudgeDefinition
from workbench.records import CandidateDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.compare import judge_form
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import candidates_at_hand
from workbench.steps.render import Html
from workbench.steps.wiring import clicked

_MOST_DIGITS = 9


def form(workbench: Workbench, desk: Desk) -> Html:
    """The form with who can judge."""
    return judge_form.judge_form([candidate_name(item) for item in candidates_at_hand(workbench, desk)])


def told(workbench: Workbench, benchmark: str | None) -> Html:
    """What judges said of its answers."""
    return judge_form.judged(workbench.judges.reports(benchmark) if benchmark else ())


def start(workbench: Workbench, desk: Desk, benchmark: str | None, event: gr.EventData) -> Html:
    """Queue what the form asks for: a note that says so."""
    _, value = clicked(event)
    if benchmark is None:
        raise refusal("Nothing is measured yet, so there is nothing to grade.")
    asked: dict[str, str] = json.loads(value)
    judge = next((item for item in candidates_at_hand(workbench, desk) if candidate_name(item) == asked["judge"]), None)
    if judge is None:
        raise refusal(f"{asked['judge']} is not on the shortlist any more. Open this step again, and choose a judge.")
    plan = workbench.judges.plan(benchmark, _definition(judge, asked), Path())
    workbench.judges.start(plan)
    told = (
        f"Queued: {asked['judge']} reads the answers of {numbers.things(len(plan.candidates), 'candidate')}. It stands "
        "under Jobs; its grades appear here when it is done."
    )
    return judge_form.queued(told, plan.notes)


def _definition(judge: CandidateDefinition, asked: dict[str, str]) -> JudgeDefinition:
    content: dict[str, Any] = {"judge": judge, "mode": asked["mode"], "rubric": asked["rubric"]}
    content |= {name: number for name in judge_form.NUMBERS if (number := _number(name, asked[name])) is not None}
    try:
        return JudgeDefinition(**content)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        name = str(wrong["loc"][0]) if wrong["loc"] else ""
        reason = (
            wrong["msg"].removeprefix("Value error, ").replace("right_from", judge_form.NUMBERS["right_from"].label)
        )
        raise refusal(f"{judge_form.label(name)}{reason[0].upper()}{reason[1:]}.") from error


def _number(name: str, text: str) -> int | None:
    label = judge_form.NUMBERS[name].label
    if not text.strip():
        return None
    try:
        number = int(text) if len(text) <= _MOST_DIGITS else None
    except ValueError:
        number = None
    if number is None:
        raise refusal(f"{label} is a whole number, not {text!r}.")
    return number
