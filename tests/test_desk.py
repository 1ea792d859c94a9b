"""What lies on the desk survives a restart, an older and a newer version, and a damaged file."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from catalog.records import ModelQuery
from runners.engine_options import EndpointOptions, LlamaCppOptions
from workbench.kept_file import NotKept
from workbench.records import CandidateDefinition, TestSetDefinition
from workbench.steps.desk import Desk, Draft, HeadToHead

CANDIDATES = (
    CandidateDefinition(model="a/b", options=LlamaCppOptions(context_tokens=512)),
    CandidateDefinition(model="served", options=EndpointOptions(base_url="http://127.0.0.1:1/v1")),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.json"


def filled(path: Path) -> Draft:
    desk = Desk(path)
    desk.change(candidates=CANDIDATES, query=ModelQuery(text="llama", limit=50), labels=("yes", "no"))
    return desk.change(test_set=TestSetDefinition(file="/somewhere/messages.csv"), task="short_answer")


def test_everything_is_there_after_a_restart(path: Path) -> None:
    draft = filled(path)
    again = Desk(path)
    assert again.draft == draft
    assert again.draft.candidates == CANDIDATES
    assert again.trouble is None


def test_two_pages_that_add_at_once_lose_nothing(path: Path) -> None:
    desk = Desk(path)

    def with_more(draft: Draft, more: tuple[CandidateDefinition, ...]) -> dict[str, object]:
        return {"candidates": draft.candidates + more}

    def add(name: str) -> None:
        for number in range(20):
            more = (CandidateDefinition(model=f"{name}/{number}"),)
            desk.revise(partial(with_more, more=more))

    with ThreadPoolExecutor() as pages:
        list(pages.map(add, ("a", "b", "c")))
    assert len(Desk(path).draft.candidates) == 60


def test_the_controls_of_a_head_to_head_are_kept(path: Path) -> None:
    Desk(path).change(head_to_head=HeadToHead(form=(["a", "b"], "", 0.5)))
    again = Desk(path)
    assert (again.draft.head_to_head.form, again.trouble) == ((["a", "b"], "", 0.5), None)


def test_a_field_of_another_version_is_set_aside_and_the_rest_is_kept(path: Path) -> None:
    draft = filled(path)
    written = {**json.loads(path.read_text()), "mood": "good", "task": "telepathy"}
    path.write_text(json.dumps(written))
    again = Desk(path)
    assert again.draft == draft.model_copy(update={"task": "classification"})
    assert again.trouble is not None
    assert "mood, task" in again.trouble
    (copy,) = path.parent.glob("desk-*.json")
    assert copy.name in again.trouble
    assert json.loads(copy.read_text()) == written
    assert Desk(path).trouble is None


@pytest.mark.parametrize("text", ["", '{"task": ', "[]", "\x00\x01"])
def test_a_damaged_file_is_set_aside_with_a_sentence(path: Path, text: str) -> None:
    path.write_text(text)
    desk = Desk(path)
    assert desk.draft == Draft()
    assert desk.trouble is not None
    assert "damaged" in desk.trouble
    (copy,) = path.parent.glob("desk-*.json")
    assert copy.read_text() == text


def test_a_file_that_can_neither_be_read_nor_copied_is_not_written_over(path: Path) -> None:
    path.mkdir()
    desk = Desk(path)
    assert desk.trouble is not None
    assert "nothing is written over it" in desk.trouble
    assert desk.change(task="short_answer").task == "short_answer"
    assert path.is_dir()


def test_a_desk_that_cannot_be_kept_says_so_and_holds_the_change_all_the_same(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "gone" / "desk.json")
    with pytest.raises(NotKept, match="stays on the page until the app stops"):
        desk.change(task="short_answer")
    assert desk.draft.task == "short_answer"


def test_a_change_to_the_same_is_not_written(path: Path) -> None:
    filled(path)
    path.unlink()
    Desk(path).change(task="classification")
    assert not path.exists()
