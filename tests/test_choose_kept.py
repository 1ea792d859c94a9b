"""Step Choose without a browser: kept shortlists as they are handled, and filters as the address carries them."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import gradio as gr
import pytest

from catalog.records import ModelQuery, VerdictValue
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.settings import Settings
from workbench.steps.choose import kept, place
from workbench.steps.choose.page import build_choose
from workbench.steps.desk import Desk, Draft
from workbench.steps.wiring import Page

ONE = CandidateDefinition(name="one", model="owner/one")


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    (tmp_path / "home").mkdir()
    return Workbench(Settings(home=tmp_path / "home"))


def press(workbench: Workbench, desk: Desk, action: str, value: str = "") -> tuple[Any, ...]:
    return kept.press(workbench, desk, gr.EventData(None, {"action": action, "value": value}))


def request(address: str) -> Any:
    return SimpleNamespace(query_params=dict(parse_qsl(address)))


def link(draft: Draft) -> str:
    return urlencode({name: value for name, value in json.loads(place.written(draft)).items() if value})


def test_a_kept_list_comes_back_under_the_name_it_was_given_later(workbench: Workbench) -> None:
    desk = Desk()
    desk.change(candidates=(ONE,))
    kept.keep(workbench, desk, " mine ")
    asked = press(workbench, desk, "rename", "mine")[-1]
    panel, name, *_ = kept.give_name(workbench, desk, asked, "yours")
    assert "yours v1" in panel
    assert (name, desk.draft.kept) == ("yours", "yours@1")
    press(workbench, desk, "clear")
    assert not desk.draft.candidates
    press(workbench, desk, "take", "yours@1")
    assert desk.draft.candidates == (ONE,)


def test_an_archived_list_is_folded_away_and_can_be_taken_back(workbench: Workbench) -> None:
    desk = Desk()
    desk.change(candidates=(ONE,))
    kept.keep(workbench, desk, "mine")
    away = press(workbench, desk, "archive", "mine")[0]
    assert "1 archived" in away
    assert 'data-action="take"' not in away
    assert 'data-action="take"' in press(workbench, desk, "restore", "mine")[0]


def test_a_copy_stands_beside_the_list(workbench: Workbench) -> None:
    desk = Desk()
    desk.change(candidates=(ONE,))
    kept.keep(workbench, desk, "mine")
    asked = press(workbench, desk, "copy", "mine@1")[-1]
    kept.give_name(workbench, desk, asked, "a copy")
    assert [each.reference for each in workbench.shortlists.all()] == ["a copy@1", "mine@1"]


def test_names_never_become_markup(workbench: Workbench) -> None:
    desk = Desk()
    desk.change(candidates=(ONE,))
    assert "<img" not in kept.keep(workbench, desk, "<img src=x onerror=alert(1)>")


@pytest.mark.parametrize(
    "query",
    [
        ModelQuery(limit=50),
        ModelQuery(limit=50, text="qwen 7b", sort="trending", max_parameters=7 * 10**9, min_context_tokens=32_768),
        ModelQuery(limit=50, verdicts=(VerdictValue.ALLOWED, VerdictValue.CONDITIONAL), fits=True, concurrency=4),
        ModelQuery(limit=50, engine="vllm", quantization="AWQ", gated=False, kind="hub", extended_context=True),
        ModelQuery(limit=50, min_parameters=1_500_000_000, language="de", author="qwen", cache_type="q8_0"),
    ],
)
def test_a_link_asks_for_the_same_filters_again(query: ModelQuery) -> None:
    draft = Draft(query=query, model_id="Qwen/Qwen3-8B")
    address = link(draft)
    assert (place.asked_query(request(address)) or ModelQuery(limit=50)) == query
    assert request(address).query_params["model"] == "Qwen/Qwen3-8B"


@pytest.mark.parametrize("address", ["", "to=many", "sort=nothing", "verdicts=perhaps", "concurrency=&at-once=x"])
def test_an_address_that_cannot_be_meant_changes_nothing(address: str) -> None:
    assert place.asked_query(request(address)) is None


def test_an_opened_model_stands_right_after_the_results_and_before_the_shortlist(workbench: Workbench) -> None:
    of_interest = ("models", "excluded-models", "weights", "add", "model", "shortlist", "keep-shortlist", "add-named")

    async def built() -> dict[str, Any]:
        # Gradio makes an event loop that nobody closes where none runs.
        with gr.Blocks() as app, gr.Tabs() as tabs, gr.Tab("Choose"):
            build_choose(Page(workbench, Desk(), tabs, gr.State(None)))
        return dict(app.get_config_file())

    config = asyncio.run(built())
    names = {each["id"]: each["props"].get("elem_id") for each in config["components"]}

    def in_order(part: Any) -> Iterator[Any]:
        yield names.get(part["id"])
        for child in part.get("children") or ():
            yield from in_order(child)

    assert [name for name in in_order(config["layout"]) if name in of_interest] == list(of_interest)
