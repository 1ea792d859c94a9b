"""Shortlists: candidates kept under a name as they are to run, and the funnel that a benchmark carries along."""

from pathlib import Path

import pytest

from catalog.records import ModelQuery, VerdictValue
from runners.engine_options import EndpointOptions, LlamaCppOptions
from tests.browser import measure, write_benchmark
from workbench.errors import BadShortlist
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.settings import Settings
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import kept_shortlist

SMALL = ModelQuery(max_parameters=10**9, verdicts=(VerdictValue.ALLOWED,))
SERVED = CandidateDefinition(
    name="served",
    model="llama3.2",
    engine="endpoint",
    options=EndpointOptions(base_url="http://localhost:11434/v1", model="llama3.2", api_key_variable="MY_KEY"),
)
LOCAL = CandidateDefinition(
    model="/models/own.gguf", options=LlamaCppOptions(context_tokens=8192), quantization="Q4_K_M"
)


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    return Workbench(Settings(home=tmp_path / "home"))


def test_endpoints_and_local_models_come_back_with_their_options(workbench: Workbench) -> None:
    kept = workbench.shortlists.keep("mixed", (SERVED, LOCAL), SMALL)
    again = workbench.shortlists.find("mixed")
    assert again == kept
    assert workbench.shortlists.candidates(again) == (SERVED, LOCAL)


def test_keeping_the_same_again_makes_no_new_version_and_a_change_does(workbench: Workbench) -> None:
    first = workbench.shortlists.keep("mixed", (SERVED, LOCAL), SMALL)
    assert workbench.shortlists.keep("mixed", (SERVED, LOCAL), SMALL) == first
    assert workbench.shortlists.keep("mixed", (SERVED,), SMALL).version == 2
    assert workbench.shortlists.find("mixed@1") == first


def test_a_list_is_renamed_copied_put_away_and_taken_back_with_all_versions(workbench: Workbench) -> None:
    lists = workbench.shortlists
    lists.keep("old", (SERVED,), SMALL)
    lists.keep("old", (SERVED, LOCAL), SMALL)
    assert lists.rename("old", "new").version == 2
    copy = lists.duplicate("new@1", "copy")
    assert (copy.version, lists.candidates(copy)) == (1, (SERVED,))
    lists.archive("new")
    assert {kept.name for kept in lists.all()} == {"copy"}
    assert [kept.reference for kept in lists.all(archived=True)] == ["new@2", "new@1"]
    lists.archive("new", archived=False)
    assert [kept.reference for kept in lists.all()] == ["copy@1", "new@2", "new@1"]
    assert "too many" not in lists.why("Qwen/Qwen3-8B", "copy").reason
    assert lists.why("Qwen/Qwen3-8B", "copy").rule == "max_parameters"


@pytest.mark.parametrize(
    ("name", "new_name", "sentence"),
    [
        ("nothing", "x", "There is no shortlist 'nothing'. Kept are: mine, other."),
        ("mine", "other", "There is a shortlist called 'other' already. Choose another name."),
        ("mine", "  ", "Give the shortlist a name."),
        ("mine", "mine@1", "'mine@1' is no name for a shortlist: a name that ends in @ and a number"),
    ],
)
def test_a_name_that_is_wrong_is_said_so(workbench: Workbench, name: str, new_name: str, sentence: str) -> None:
    for kept in ("mine", "other"):
        workbench.shortlists.keep(kept, (SERVED,), SMALL)
    for change in (workbench.shortlists.rename, workbench.shortlists.duplicate):
        with pytest.raises(BadShortlist, match=sentence):
            change(name, new_name)


def test_a_benchmark_carries_its_funnel_along_whatever_becomes_of_the_list(
    workbench: Workbench, tmp_path: Path
) -> None:
    kept = workbench.shortlists.keep("small", (SERVED,), SMALL)
    file = write_benchmark(tmp_path, examples=6)
    file.write_text(file.read_text() + f"shortlist: {kept.reference}\n")
    measure(workbench, file)
    workbench.shortlists.rename("small", "renamed")
    found = workbench.shortlists.funnel("scripted")
    assert found is not None
    assert (found.shortlist, found.version, found.source) == ("small", 1, "starter")
    assert found.considered == len(workbench.models.index())
    assert found.excluded == kept.excluded
    assert found.passed == found.considered - sum(rule.count for rule in kept.excluded)
    assert found.chosen == ("llama3.2",)
    job = workbench.jobs.job(workbench.start_benchmark(workbench.prepare_again("scripted"), resume=True))
    assert job.wait(60)
    assert workbench.shortlists.funnel("scripted") == found


def test_a_benchmark_without_a_list_has_no_funnel(workbench: Workbench, tmp_path: Path) -> None:
    measure(workbench, write_benchmark(tmp_path, examples=6))
    assert workbench.shortlists.funnel("scripted") is None


def test_what_lies_on_the_desk_is_kept_when_it_is_measured(workbench: Workbench) -> None:
    desk = Desk()
    assert kept_shortlist(workbench, desk) is None
    desk.change(candidates=(SERVED,), query=SMALL, shortlist_name="mine")
    assert kept_shortlist(workbench, desk) == "mine@1"
    desk.change(query=ModelQuery())
    assert kept_shortlist(workbench, desk) == "mine@1"
    desk.change(candidates=(SERVED, LOCAL))
    assert kept_shortlist(workbench, desk) == "mine@2"
