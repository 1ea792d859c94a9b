"""Step Test set: from a file to labelled examples that can be trusted, and the prompt that carries them.

The chosen test set lies on the desk with absolute paths; uploads are kept in the data directory, because gradio's own
copy may be swept away before a run is resumed.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import gradio as gr

from runners.test_set_records import PromptTemplate, Task
from workbench.candidates import candidate_name
from workbench.records import TestSetCheck, TestSetDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render, test_set_view
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand, demo_test_set
from workbench.task_defaults import usual_prompt

NO_COLUMN = "(none)"
"""Choice where a column may be missing."""
_DIFFERENCE = 0.05
_DISCORDANT_SHARES = (0.1, 0.2, 0.3)


TASKS: tuple[tuple[str, Task], ...] = (
    ("Classification: one of a few labels", "classification"),
    ("Multiple choice: one of the example's choices", "multiple_choice"),
    ("Short answer: a few words or a number", "short_answer"),
    ("Extraction: a JSON object", "extraction"),
    ("Question on a context: out of passages", "context_question"),
    ("Free text, held against references", "free_text"),
)
"""Tasks as people read them."""


def restore(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Everything as it was left: mapping, overview, prompt, candidates and examples to preview."""
    checked = _checked(workbench, desk)
    return (
        desk.draft.task,
        *_mapping(desk, checked),
        _overview(workbench, checked),
        *_prompt(workbench, desk),
        *_preview(workbench, desk, checked),
    )


def take_demo(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Use the demo's test set, labels and prompt."""
    definition, _ = workbench.demo_definition()
    desk.change(
        test_set=demo_test_set(workbench), task=definition.task, labels=definition.labels, prompt=definition.prompt
    )
    return restore(workbench, desk)


def choose_task(workbench: Workbench, desk: Desk, task: Task) -> tuple[Any, ...]:
    """Read the file as another task needs it, with the prompt that is usual for that."""
    desk.change(task=task, labels=None, prompt=None)
    return restore(workbench, desk)


def take_upload(workbench: Workbench, desk: Desk, upload: str | None) -> tuple[Any, ...]:
    """Use an uploaded file; columns are guessed by their names."""
    if upload is None:
        return tuple(gr.skip() for _ in restore(workbench, desk))
    kept = _keep(Path(upload), workbench.settings.home / "test_sets")
    desk.change(test_set=TestSetDefinition(file=str(kept)), labels=None, prompt=None)
    return restore(workbench, desk)


def map_columns(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Read the file with other columns and labels: overview, then the preview's choices."""
    test_set = desk.draft.test_set
    if test_set is None:
        return (gr.skip(),) * 3
    text, label, identity, slices, labels = values
    mapped = {
        "text": text,
        "label": label,
        "id": None if identity in {None, NO_COLUMN} else identity,
        "slices": tuple(slices or ()),
    }
    columns = test_set.columns.model_copy(update=mapped)
    asked = tuple(item.strip() for item in (labels or "").split(",") if item.strip())
    desk.change(test_set=test_set.model_copy(update={"columns": columns}), labels=asked or None)
    checked = _checked(workbench, desk)
    return _overview(workbench, checked), *_preview(workbench, desk, checked)


def preview(workbench: Workbench, desk: Desk, *values: Any) -> str:
    """Exactly what one candidate receives for one example."""
    system, user, prefix, chosen, example = values
    keep_prompt(desk, system, user, prefix)
    if desk.draft.test_set is None:
        raise refusal("Choose a test set first.")
    candidates = {candidate_name(item): item for item in candidates_at_hand(workbench, desk)}
    if chosen not in candidates:
        raise refusal("Choose a candidate to preview.")
    definition = benchmark_definition(workbench, desk, "draft", (candidates[chosen],))
    prepared = workbench.prepare(definition, Path())
    return test_set_view.preview_panel(workbench.preview_prompt(prepared, candidates[chosen], example))


def keep_prompt(desk: Desk, system: str, user: str, prefix: str) -> None:
    """Keep the prompt as it is typed."""
    before = desk.draft.prompt
    letters = before.choices_as == "letters" if before is not None else desk.draft.task == "multiple_choice"
    desk.change(
        prompt=PromptTemplate(
            system=system, user=user, answer_prefix=prefix, choices_as="letters" if letters else "text"
        )
    )


def _checked(workbench: Workbench, desk: Desk) -> TestSetCheck | None:
    draft = desk.draft
    if draft.test_set is None:
        return None
    return workbench.check_test_set(draft.test_set, draft.labels, task=draft.task, folder=Path())


def _mapping(desk: Desk, checked: TestSetCheck | None) -> tuple[Any, ...]:
    """The group of mapping controls and each control's choices and value."""
    if checked is None:
        return gr.Row(visible=False), *(gr.skip() for _ in range(5))
    names, columns = list(checked.file.all_columns), checked.file.columns
    return (
        gr.Row(visible=True),
        gr.Dropdown(choices=names, value=columns.text),
        gr.Dropdown(choices=names, value=columns.target),
        gr.Dropdown(choices=[NO_COLUMN, *names], value=columns.id or NO_COLUMN),
        gr.Dropdown(choices=names, value=list(columns.slices)),
        gr.Textbox(value=", ".join(desk.draft.labels or checked.labels), visible=desk.draft.task == "classification"),
    )


def _overview(workbench: Workbench, checked: TestSetCheck | None) -> str:
    if checked is None:
        return test_set_view.no_test_set()
    needed = [(share, workbench.examples_needed(_DIFFERENCE, share)) for share in _DISCORDANT_SHARES]
    return test_set_view.overview(checked, needed)


def _prompt(workbench: Workbench, desk: Desk) -> tuple[str, str, str]:
    prompt = desk.draft.prompt
    if prompt is None:
        prompt = _plain_prompt(workbench, desk) or PromptTemplate()
    return prompt.system, prompt.user, prompt.answer_prefix


def _plain_prompt(workbench: Workbench, desk: Desk) -> PromptTemplate | None:
    """The prompt that a benchmark without one gets."""
    checked = _checked(workbench, desk)
    if checked is None:
        return None
    return usual_prompt(desk.draft.task, checked.file.columns.text, checked.file.examples)


def _preview(workbench: Workbench, desk: Desk, checked: TestSetCheck | None) -> tuple[Any, Any]:
    """Candidates and examples that can be previewed."""
    names = [candidate_name(item) for item in candidates_at_hand(workbench, desk)]
    examples = [example.id for example in checked.file.examples[:200]] if checked is not None else []
    return (
        gr.Dropdown(choices=names, value=names[0] if names else None),
        gr.Dropdown(choices=examples, value=examples[0] if examples else None),
    )


def _keep(upload: Path, folder: Path) -> Path:
    """A copy under the file's own name and content, in the data directory."""
    digest = hashlib.sha256(upload.read_bytes()).hexdigest()[:8]
    kept = folder / f"{upload.stem}-{digest}{upload.suffix}"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(upload, kept)
    return kept


EMPTY_PREVIEW = render.tag(
    "div", render.empty("No preview yet", "Choose a candidate and an example, then press Preview.")
)
"""Before the first preview."""
