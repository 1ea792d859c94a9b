"""Step Test set without a browser: labelling to a benchmark that runs, fixes, versions, prompts, scorers."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.browser import SCRIPT_TEXT
from workbench.records import CandidateDefinition, NamedPrompt, TestSetDefinition
from workbench.service import Workbench
from workbench.settings import read_settings
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition
from workbench.steps.test_set import handlers, presses, prompts, scoring
from workbench.steps.test_set.grid import ROWS, GridView

Press = Callable[..., tuple[Any, ...]]


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    return Workbench(read_settings(tmp_path / "home"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def press(workbench: Workbench, desk: Desk) -> Press:
    """Press a button as the page's script says it."""

    def pressing(action: str, value: str = "", text: str = "", view: GridView | None = None) -> tuple[Any, ...]:
        sent = (view or GridView()).model_dump_json()
        event = SimpleNamespace(action=action, value=value, text=text, view=sent, part="examples", rule="")
        done = presses.press(workbench, desk, event)  # type: ignore[arg-type]
        assert len(done) == presses._ALL
        return done

    return pressing


def upload(workbench: Workbench, desk: Desk, path: Path, text: str) -> tuple[Any, ...]:
    path.write_text(text, encoding="utf-8")
    return handlers.take_upload(workbench, desk, str(path))


def messages(workbench: Workbench, name: str) -> list[str]:
    return [kept.message for kept in workbench.test_sets.all() if kept.name == name]


def test_from_an_empty_test_set_to_a_benchmark_that_runs(workbench: Workbench, desk: Desk, press: Press) -> None:
    handlers.start_empty(workbench, desk, "mine", "yes, no")
    press("paste", text="Is it so?\nIs it not?\tno\n\nReally?")
    panels = press("answer", "added-1", "yes")
    assert "2 of 3 labelled" in panels[presses._HEAD]
    assert "Example 3 of 3" in panels[presses._EXAMPLES], "it goes on to the next one without an answer"
    press("answer", "added-3", "maybe")
    assert desk.draft.labels == ("yes", "no", "maybe"), "a new label joins those that were said"
    candidate = CandidateDefinition.model_validate({"name": "c", "model": "test/c", "engine": "scripted",
                                                    "options": {"engine": "scripted"}})  # fmt: skip
    prepared = workbench.prepare(benchmark_definition(workbench, desk, "run", (candidate,)), Path())
    assert messages(workbench, "mine") == ["2 answers set, 3 examples added (by hand).", "Started empty."]
    assert [example.target for example in prepared.test_set.examples] == ["yes", "no", "maybe"]
    job = workbench.jobs.job(workbench.start_benchmark(prepared))
    assert job.wait(60)
    assert job.status().state == "finished", job.status().message
    assert workbench.compare("run").candidates[0].quality is not None


def test_a_file_without_answers_is_labelled_in_place(
    workbench: Workbench, desk: Desk, press: Press, tmp_path: Path
) -> None:
    shown = upload(workbench, desk, tmp_path / "raw.csv", "id,text\na,One\nb,Two\nc,Three\n")
    assert "It has no answers yet: label by hand" in shown[presses._OVERVIEW]
    press("unlabelled-file")
    press("answer", "a", "x")
    press("answer", "b", "y")
    assert desk.draft.test_set is not None
    assert desk.draft.test_set.name == "raw"
    again = handlers.everything(workbench, Desk()), handlers.everything(workbench, desk)
    assert "2 of 3 labelled" in again[1][presses._HEAD]
    press("only-labelled")
    check = workbench.check_test_set(desk.draft.test_set, task="classification")
    assert [example.id for example in check.file.examples] == ["a", "b"]
    assert "1 of 3 examples have no right answer and are left out." in check.file.form.notes
    press("undo")
    assert "1 of 3 labelled" in handlers.everything(workbench, desk)[presses._HEAD]


BROKEN = """\
id,text,label
a,Where is my parcel that I ordered,delivery
a,I want all of my money back today,returns
b,,returns
c,where is my PARCEL that I ordered,delivery
d,Where is my parcel that I ordered?,delivery
e,Something else altogether,delivrey
"""


def test_problems_are_fixed_one_by_one_or_all_of_a_kind(
    workbench: Workbench, desk: Desk, press: Press, tmp_path: Path
) -> None:
    upload(workbench, desk, tmp_path / "broken.csv", BROKEN)
    handlers.say_labels(workbench, desk, "delivery, returns")
    press("fix-all", "empty_text leave-out")
    assert messages(workbench, "broken")[0] == "1 row left out (empty_text)."
    assert messages(workbench, "broken")[1] == "1 ids that stood twice made unique."
    press("fix", "7 unknown_label nearest-label")
    press("fix", "6 near_duplicate one-group")
    press("fix-all", "duplicate_text leave-out")
    examples = {each.id: each for each in workbench.test_sets.read("broken", None, "classification").examples}
    assert list(examples) == ["a", "a-2", "d", "e"]
    assert examples["e"].target == "delivery"
    assert examples["a"].slices["group"] == examples["d"].slices["group"] == "a"
    assert desk.draft.test_set is not None
    checked = workbench.check_test_set(desk.draft.test_set, desk.draft.labels)
    assert checked.errors == 0


def test_rows_that_cannot_be_read_are_left_out_when_somebody_says_so(
    workbench: Workbench, desk: Desk, press: Press, tmp_path: Path
) -> None:
    shown = upload(workbench, desk, tmp_path / "cut.csv", "id,text,label\na,One,x\nb,Two\nc,Three,y\n")
    assert "Leave these rows out" in shown[presses._OVERVIEW]
    press("adopt")
    assert messages(workbench, "cut") == ["1 rows that cannot be read left out."]
    assert workbench.test_sets.find("cut").examples == 2


def test_every_column_that_a_task_uses_can_be_mapped(workbench: Workbench, desk: Desk, tmp_path: Path) -> None:
    desk.change(task="context_question")
    rows = {"q": "Who?", "ctx1": "Ann did.", "ctx2": "Bob did not.", "right": "Ann", "also": "Ann B.", "where": "1"}
    shown = upload(workbench, desk, tmp_path / "odd.jsonl", json.dumps(rows) + "\n")
    assert "Say above which column is what." in shown[presses._OVERVIEW]
    wanted = {"text": "q", "label": "right", "passages": ["ctx1", "ctx2"], "accepted": "also", "relevant": "where"}
    values = [
        wanted.get(key, handlers.NO_COLUMN if key not in handlers.LISTS else []) for key, _, _ in handlers.COLUMNS
    ]
    handlers.map_columns(workbench, desk, *values)
    assert desk.draft.test_set is not None
    example = workbench.check_test_set(desk.draft.test_set, task="context_question").file.examples[0]
    assert (example.target, example.accepted, example.relevant) == ("Ann", ("Ann B.",), (1,))
    assert example.passages == ("Ann did.", "Bob did not.")


HOSTILE = [SCRIPT_TEXT, "\u202eright to left", "😀" * 50, "x" * 50_000, "a\x00b", "</textarea><script>1</script>"]


def test_hostile_texts_stay_text_in_the_grid(workbench: Workbench, desk: Desk, press: Press) -> None:
    handlers.start_empty(workbench, desk, "hostile", "<b>, ok")
    panels = press("paste", text="\n".join(HOSTILE))
    drawn = panels[presses._EXAMPLES]
    assert "<script" not in drawn
    assert "<img" not in drawn
    assert "\x00" not in drawn
    assert len(drawn) < 60_000, "a huge line is cut where it is listed"
    for number, text in enumerate(HOSTILE, start=1):
        opened = press("select", f"added-{number}")[presses._EXAMPLES]
        assert "<script" not in opened
        assert workbench.test_sets.copy("hostile").examples[f"added-{number}"].example.inputs["text"] == text.strip()
    with pytest.raises(gr.Error):
        press("paste", text="  \n ")


def test_a_large_test_set_is_shown_a_page_at_a_time(
    workbench: Workbench, desk: Desk, press: Press, tmp_path: Path
) -> None:
    lines = [f"e{number},text number {number:05d},{'ab'[number % 2]}" for number in range(1_000)]
    shown = upload(workbench, desk, tmp_path / "large.csv", "\n".join(["id,text,label", *lines]) + "\n")
    assert shown[presses._EXAMPLES].count("<tr") == ROWS + 1
    found = press("search", text="00999")[presses._EXAMPLES]
    assert found.count("<tr") == 2
    last = press("page", "39", view=GridView())[presses._EXAMPLES]
    assert "976 to 1,000 of 1,000" in last
    assert "of 1,000" in press("page", "400")[presses._EXAMPLES], "a page that is not there is the last one"


def test_versions_are_opened_compared_and_made_the_newest_again(
    workbench: Workbench, desk: Desk, press: Press, tmp_path: Path
) -> None:
    upload(workbench, desk, tmp_path / "set.csv", "id,text,label\na,One,x\nb,Two,y\n")
    press("target", "a", "y")
    press("keep")
    assert "1 changed" in press("diff", "set 2")[presses._VERSIONS]
    shown = press("open", "set 1")
    assert "version 1 of 2, to look at" in shown[presses._HEAD]
    refused = None
    try:
        press("target", "a", "z")
    except gr.Error as error:
        refused = str(error.message)
    assert refused is not None
    assert "older version" in refused
    press("restore", "set 1")
    assert [e.target for e in workbench.test_sets.read("set", None, "classification").examples] == ["x", "y"]
    press("duplicate", "set")
    press("archive", "set-copy yes")
    assert "1 test set archived" in handlers.versions(workbench, desk)
    event = SimpleNamespace(action="export-csv", value="set")
    name, _, text = presses.export(workbench, event)  # type: ignore[arg-type]
    assert (name, text.splitlines()) == ("set.csv", ["id,text,label", "a,One,x", "b,Two,y"])


def test_several_prompts_are_compared_and_a_wrong_one_says_why(
    workbench: Workbench, desk: Desk, tmp_path: Path
) -> None:
    upload(workbench, desk, tmp_path / "set.csv", "id,text,label\na,One,x\nb,Two,y\n")
    prompts.add(workbench, desk, "A")
    prompts.keep_prompt(workbench, desk, "B", "", "Sort: {{ text }}", "", "b")
    made = prompts.rename(workbench, desk, "B", "short")
    assert made[3] == "Sort: {{ text }}"
    wrong = prompts.keep_prompt(workbench, desk, "short", "", "Sort: {{ txt }}", "", "b")
    assert "uses a column that is not there" in wrong
    assert "Sort: Two" in prompts.keep_prompt(workbench, desk, "short", "", "Sort: {{ text }}", "", "b")
    candidate = CandidateDefinition(model="test/c")
    definition = benchmark_definition(workbench, desk, "run", (candidate,))
    assert [prompt.name for prompt in definition.prompts] == ["A", "short"]
    prompts.remove(workbench, desk, "A")
    assert benchmark_definition(workbench, desk, "run", (candidate,)).prompts == ()
    assert desk.draft.prompt is not None
    assert desk.draft.prompt.user == "Sort: {{ text }}"


def test_a_benchmark_that_cannot_be_says_what_is_wrong_with_it(workbench: Workbench, desk: Desk) -> None:
    candidates = (CandidateDefinition(model="test/c"),)
    with pytest.raises(gr.Error, match=r"begins with a letter or a digit .*&#x27;a b&#x27; does not"):
        benchmark_definition(workbench, desk, "a b", candidates)
    twice = NamedPrompt(name="short", user="Sort: {{ text }}")
    desk.change(test_set=TestSetDefinition(file="set.csv"), prompts=(twice, twice))
    with pytest.raises(gr.Error, match=r"'two prompts are called .*another name\."):
        benchmark_definition(workbench, desk, "fine", candidates)


def test_scorers_are_chosen_with_their_options(workbench: Workbench, desk: Desk, press: Press, tmp_path: Path) -> None:
    desk.change(task="short_answer")
    upload(workbench, desk, tmp_path / "set.csv", "id,question,answer\na,One?,x\nb,Two?,y\n")
    for name in scoring.SCORERS["short_answer"]:
        assert name.replace("_", " ") in scoring.scoring_panel(desk)
    press("scorer-use", "numeric", "true")
    press("scorer-option", "numeric relative_tolerance", "0.05")
    press("scorer-option", "numeric take", "first")
    press("scorer-first", "numeric")
    chosen = scoring.chosen_scorers(desk)
    assert [options.scorer for options in chosen] == ["numeric", "exact_match", "token_f1"]
    assert (chosen[0].take, chosen[0].relative_tolerance) == ("first", 0.05)
    with pytest.warns(UserWarning, match="greater than or equal to 0. Nothing was changed"):
        press("scorer-option", "numeric relative_tolerance", "-1")
    assert scoring.chosen_scorers(desk) == chosen, "what an option cannot be changes nothing"
    press("scorer-use", "length", "true")
    press("scorer-option", "length max_words", "7")
    assert scoring.chosen_scorers(desk)[-1].max_words == 7
    definition = benchmark_definition(workbench, desk, "run", (CandidateDefinition(model="test/c"),))
    assert definition.scorers == scoring.chosen_scorers(desk)
    press("scorer-usual")
    assert desk.draft.scorers is None


def test_every_scorer_of_every_task_can_be_used_from_its_beginnings(desk: Desk) -> None:
    for task, names in scoring.SCORERS.items():
        desk.change(task=task, scorers=None)
        for name in names:
            scoring.use_scorer(desk, name, used=True)
        assert {options.scorer for options in scoring.chosen_scorers(desk)} >= set(names)
        assert "stands for quality" in scoring.scoring_panel(desk)


def test_prompts_that_are_too_long_for_a_candidate_can_be_left_out(
    workbench: Workbench, desk: Desk, press: Press, tmp_path: Path
) -> None:
    model = {"name": "small", "model": "test/c", "engine": "scripted", "options": {"engine": "scripted"}}
    desk.change(candidates=(CandidateDefinition.model_validate(model),))
    upload(workbench, desk, tmp_path / "set.csv", f"id,text,label\na,{'w ' * 1_000_010},x\nb,Two,y\n")
    shown = press("lengths")
    assert "a: the prompt has 1,000," in shown[presses._OVERVIEW]
    press("fix-all", "too_long_for_context leave-out")
    assert messages(workbench, "set")[0] == "1 row left out (too_long_for_context)."


def test_the_system_message_may_come_from_a_column(workbench: Workbench, desk: Desk, tmp_path: Path) -> None:
    upload(workbench, desk, tmp_path / "set.csv", "id,text,label,persona\na,One,x,You are Ann.\nb,Two,y,You are Bob.\n")
    made = prompts.keep_prompt(workbench, desk, "A", "{{ persona }}", "{{ text }}", "", "b")
    assert "You are Bob." in made
