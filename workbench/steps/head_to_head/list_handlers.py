"""Lists of prompts: start one, watch it, judge its pairs one by one, show the names.

Which pair a page judges is its round and place, in the page and in the address; what was said of it is in the store.
"""

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from catalog.errors import WorkbenchError
from results.head_to_head_records import BatchSummary
from workbench.errors import CannotAsk
from workbench.head_to_head.prompt_files import prompts_in_file, prompts_in_lines
from workbench.head_to_head.records import Duel, ListedPrompt
from workbench.records import JobStatus
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.address import asked
from workbench.steps.desk import Desk
from workbench.steps.head_to_head import list_view, view
from workbench.steps.head_to_head.examples import EVERY, chosen_test_set, drawn, prompt_of, slices_of, without_prefix
from workbench.steps.head_to_head.form import Form, chosen_candidates
from workbench.steps.wiring import clicked, clicked_of

LINES, FILE, EXAMPLES = "lines", "a file", "examples of the test set"
ONE_PAIR, ALL_PAIRS = "one pair a prompt", "every pair"
_SHOWN = 6
"""How many values `shown` returns."""


class Source(NamedTuple):
    """Where a list comes from, as the controls say."""

    name: str
    kind: str
    lines: str
    file: str | None
    examples: float | None
    which: str
    seed: float | None
    pairing: str
    checks: float | None


def restore(workbench: Workbench, desk: Desk, request: gr.Request) -> tuple[Any, ...]:
    """Slices of the test set, what its examples lack, for both parts, then everything of `shown`.

    The list and round of the address first.
    """
    try:
        test_set = chosen_test_set(workbench, desk)
        slices, lacking = slices_of(test_set), without_prefix(test_set)
    except WorkbenchError:
        slices, lacking = [EVERY], render.NOTHING
    batch_id = asked(request, "batch", [each.batch.id for each in workbench.batches.all()])
    duel = None
    pair = asked(request, "pair")
    if batch_id is not None and pair:
        duel = workbench.batches.find_duel(batch_id, pair)
    return (gr.Dropdown(choices=slices, value=slices[0]), lacking, lacking, *shown(workbench, batch_id, duel))


def start(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Keep the list and have it answered; everything of `shown`."""
    source, form = Source(*values[:9]), Form.of(values[9:])
    setting = form.setting(chosen_candidates(workbench, desk, form.chosen))
    seed = int(source.seed or 0)
    batch = workbench.batches.start(
        setting,
        _prompts(workbench, desk, source, seed),
        name=source.name or "",
        pairing="all" if source.pairing == ALL_PAIRS else "one",
        check_share=float(source.checks or 0) / 100,
        seed=seed,
    )
    return shown(workbench, batch.id, None)


def shown(workbench: Workbench, batch_id: str | None, duel: Duel | None) -> tuple[Any, ...]:
    """The list's id, the pair, the lists, the panel of the pair, the vote's remarks, whether to look again."""
    summaries, jobs, busy = _lists(workbench)
    opened = next((each for each in summaries if each.batch.id == batch_id), None)
    if opened is None:
        panel = ""
    elif duel is not None:
        panel = view.duel_panel(duel, *workbench.batches.judged(opened.batch.id))
    else:
        panel = list_view.batch_panel(opened, jobs[opened.batch.id], workbench.batches.judged(opened.batch.id))
    return (
        batch_id if opened is not None else None,
        None if duel is None else duel.address,
        list_view.batches_table(summaries, jobs),
        panel,
        gr.Row(visible=duel is not None),
        gr.Timer(active=busy),
    )


def watch(workbench: Workbench, batch_id: str | None, pair: str | None) -> tuple[Any, ...]:
    """Everything of `shown`; the pair that is being judged is left alone."""
    if pair is None:
        return shown(workbench, batch_id, None)
    summaries, jobs, busy = _lists(workbench)
    table = list_view.batches_table(summaries, jobs)
    return gr.skip(), gr.skip(), table, gr.skip(), gr.skip(), gr.Timer(active=busy)


def press_in_table(workbench: Workbench, event: gr.EventData) -> tuple[Any, ...]:
    """A button of the table of lists; everything of `shown`."""
    action, batch_id = clicked(event)
    return _act(workbench, action, batch_id)


def press(
    workbench: Workbench,
    batch_id: str | None,
    pair: str | None,
    reasons: list[str],
    note: str,
    event: gr.EventData,
) -> tuple[Any, ...]:
    """A button of the list or of its pair; everything of `shown`, then the remarks.

    A button of a pair that is no longer shown, pressed twice in a hurry, does nothing: a vote is for what was seen.
    """
    action, value = clicked(event)
    if clicked_of(event) not in {"", pair}:
        return tuple(gr.skip() for _ in range(_SHOWN + 2))
    if batch_id is None:
        return (*shown(workbench, None, None), gr.skip(), gr.skip())
    duel = workbench.batches.find_duel(batch_id, pair) if pair else None
    if duel is None or action not in {"vote", "skip", "back"}:
        return (*_act(workbench, action, batch_id), gr.skip(), gr.skip())
    outcome = view.outcome_named(value)
    if action == "vote" and outcome is not None:
        workbench.batches.vote(duel, outcome, reasons=reasons or (), note=note or "")
    found = workbench.batches.duel_before(duel) if action == "back" else workbench.batches.next_duel(batch_id, duel)
    if action == "back" and found is None:
        raise refusal("This is the first pair of the list.")
    if action == "skip" and found is not None and found.address == duel.address:
        raise refusal("No other pair of this list waits for a vote.")
    remarks = (list(found.vote.reasons), found.vote.note) if found is not None and found.vote is not None else ([], "")
    return (*shown(workbench, batch_id, found), *remarks)


def _act(workbench: Workbench, action: str, batch_id: str) -> tuple[Any, ...]:
    """What is done with a whole list."""
    duel = None
    match action:
        case "judge":
            duel = workbench.batches.next_duel(batch_id)
            if duel is None:
                raise refusal("No pair of this list waits for a vote.")
        case "resume":
            workbench.batches.resume(batch_id)
        case "again":
            workbench.batches.resume(batch_id, failed_too=True)
        case "cancel":
            workbench.batches.cancel(batch_id)
        case "reveal":
            workbench.batches.reveal(batch_id)
    return shown(workbench, batch_id, duel)


def _lists(workbench: Workbench) -> tuple[list[BatchSummary], dict[str, JobStatus | None], bool]:
    """All lists, the job of each, and whether one is at work."""
    summaries = [each for each in workbench.batches.all() if each.batch.kind == "batch"]
    jobs = {each.batch.id: workbench.batches.job(each.batch.id) for each in summaries}
    return summaries, jobs, any(job is not None and not job.is_over for job in jobs.values())


def _prompts(workbench: Workbench, desk: Desk, source: Source, seed: int) -> list[ListedPrompt]:
    if source.kind == LINES:
        return prompts_in_lines(source.lines or "")
    if source.kind == FILE:
        if not source.file:
            raise CannotAsk("Choose a file first: text with one prompt a line, or CSV with a column prompt.")
        return prompts_in_file(Path(source.file))
    test_set = chosen_test_set(workbench, desk)
    found = drawn(test_set, int(source.examples or 0), which=source.which, seed=seed)
    if not found:
        raise CannotAsk("Say how many examples to draw; 1 or more.")
    return [prompt_of(test_set, each) for each in found]
