"""The demo end to end, as a newcomer runs it: both real models, the report, and its numbers from the store."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_cli import printed, workbench

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which the demo has run."""
    home = tmp_path_factory.mktemp("demo")
    document = printed(workbench(home, "demo", "--no-browser", "--json"))
    assert Path(document["report"]).exists()
    assert len(document["recommendation"]["headline"]) == 3
    return home


@pytest.mark.timeout(900)
def test_three_real_candidates_are_measured_on_every_example(demo: Path) -> None:
    comparison = printed(workbench(demo, "compare", "demo", "--json"))
    names = [summary["candidate"]["name"] for summary in comparison["candidates"]]
    assert names == ["SmolLM2 135M Q4_1", "Gemma 3 270M Q4_K_M", "SmolLM2 135M Q4_0"]
    for summary in comparison["candidates"]:
        assert summary["status"] == "finished"
        assert summary["accuracy"]["n"] == comparison["benchmark"]["examples"] >= 150
        assert summary["ttft_p50_seconds"]["n"] >= 25
        assert summary["peak_memory_bytes"] > summary["candidate"]["weights_bytes"] * 0.5
        assert summary["load_seconds"] > 0
        assert not summary["failures"]
    best = max(summary["accuracy"]["low"] for summary in comparison["candidates"])
    assert best > 1 / 6, "the best candidate is better than guessing among six labels"
    assert [summary["verdict"]["value"] for summary in comparison["candidates"]] == [
        "allowed",
        "conditional",
        "allowed",
    ]


def test_the_report_says_what_was_requantized_and_how_to_repeat_it(demo: Path) -> None:
    text = (demo / "reports" / "demo" / "report.html").read_text()
    assert "already quantized" in text
    assert "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53" in text
    assert "not legal advice" in text.lower()
    assert "<svg" in text


def test_repeating_the_recommendation_gives_the_same_answer(demo: Path) -> None:
    first, second = (printed(workbench(demo, "recommend", "demo", "--json")) for _ in range(2))
    assert first == second


def test_resuming_a_finished_demo_computes_nothing_and_keeps_everything(demo: Path) -> None:
    runs = sorted((demo / "runs").glob("*/events.jsonl"))
    completions = [file.read_text().count('"event":"completion"') for file in runs]
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "demo", "--resume", "--no-browser", "--json", "--home", str(demo)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["kind"] == "demo"
    assert [file.read_text().count('"event":"completion"') for file in runs] == completions
