"""Predictions before the start: what they rest on, how wide they are, and what stands in the way."""

from pathlib import Path

import pytest

from catalog.records import Machine
from results import numbers
from results.forecast import forecast_time, total_time
from results.forecast_records import AskedRun, AskedWork, PastWork, TimeForecast
from tests.browser import measure, write_benchmark
from tests.gguf_samples import write_gguf
from tests.test_catalog_local_models import GGUF
from workbench.records import BenchmarkDefinition, CandidateDefinition, TestSetDefinition
from workbench.service import Workbench
from workbench.settings import read_settings
from workbench.test_sets import prepare_benchmark

ASKED = AskedWork(
    kind="accuracy", requests_low=100, requests_high=100, prompt_tokens=40, output_tokens_low=10, output_tokens_high=10
)
RUN = AskedRun(
    name="a", model_id="org/a", quantization="Q4_0", engine="llama-cpp", weights_bytes=100_000_000,
    test_set_hash="same", workloads=(ASKED,), speed=None,
)  # fmt: skip
PAST = PastWork(
    benchmark="before", measured_at="2026-11-20T10:00:00+00:00", model_id="org/a", quantization="Q4_0",
    engine="llama-cpp", weights_bytes=100_000_000, test_set_hash="same", workload="accuracy", requests=50,
    computed_tokens=2_500, seconds=25.0, load_seconds=2.0,
)  # fmt: skip


def test_the_same_work_done_before_is_what_a_prediction_rests_on_first() -> None:
    found = forecast_time(RUN, (PAST,))
    assert found.basis == "measured"
    assert found.words == "As measured here in before on 2026-11-20."
    # 100 requests of half a second, −20 % to +30 %, and a start with a load of 2 s.
    assert (found.low_seconds, found.high_seconds) == pytest.approx((40 + 2 + 1, 65 + 4 + 6))


def test_another_test_set_is_predicted_by_tokens_and_another_model_by_its_size() -> None:
    other = forecast_time(RUN.model_copy(update={"test_set_hash": "other"}), (PAST,))
    assert other.basis == "same model"
    # 5,000 tokens at 10 ms.
    assert (other.low_seconds, other.high_seconds) == pytest.approx((50 * 0.6 + 2 + 1, 50 * 1.7 + 4 + 6))
    twice = forecast_time(RUN.model_copy(update={"model_id": "org/b", "weights_bytes": 200_000_000}), (PAST,))
    assert twice.basis == "other models"
    assert twice.low_seconds == pytest.approx(100 * 0.6 + 0.2 + 0.1 + 1)


def test_what_nobody_knows_is_unknown_and_not_in_the_sum() -> None:
    served = RUN.model_copy(update={"engine": "endpoint", "weights_bytes": None})
    found = forecast_time(served, (PAST,))
    assert (found.low_seconds, found.basis) == (None, "unknown")
    assert total_time([found, TimeForecast(low_seconds=1, high_seconds=2, words="")]) == (1, 2, 1)
    assert total_time([found]) == (None, None, 1)


def test_arrivals_take_as_long_as_their_requests_arrive() -> None:
    asked = ASKED.model_copy(update={"kind": "arrivals", "at_least_seconds": 500.0})
    found = forecast_time(RUN.model_copy(update={"workloads": (asked,)}), (PAST,))
    assert found.low_seconds == pytest.approx(400 + 3)
    assert found.high_seconds == pytest.approx(650 + 10)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (None, 1, "–"),
        (3.2, 7.9, "3–8 s"),
        (22, 44, "20–45 s"),
        (56, 115, "55 s to 2 min"),
        (180, 840, "3–14 min"),
        (3000, 9000, "50 min to 2.5 h"),
        (60, 61, "about 60 s"),
    ],
)
def test_a_predicted_time_is_shown_as_one_speaks_of_it(low: float | None, high: float, shown: str) -> None:
    assert numbers.time_range(low, high) == shown


def test_a_stored_run_of_this_machine_makes_the_next_prediction_a_measured_one(tmp_path: Path) -> None:
    workbench = Workbench(read_settings(tmp_path / "home"))
    path = write_benchmark(tmp_path, examples=12)
    prepared = workbench.prepare_file(path)
    before = workbench.forecasts.of(prepared.definition, tmp_path)
    assert (before.unknown, before.low_seconds) == (2, None)
    measure(workbench, path)
    after = workbench.forecasts.of(prepared.definition, tmp_path)
    assert after.unknown == 0
    assert [item.time.basis for item in after.candidates] == ["measured", "measured"]
    assert after.low_seconds is not None
    assert after.low_seconds < 60
    machine: Machine = workbench.machine()
    assert workbench.forecasts.memory(prepared) == {}, "a scripted engine has no weights to predict"
    assert machine.logical_cores > 0


def test_what_stands_in_the_way_is_said_before_the_start(tmp_path: Path) -> None:
    write_benchmark(tmp_path, examples=12)
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    workbench = Workbench(read_settings(tmp_path / "home"))
    definition = BenchmarkDefinition(
        name="x",
        test_set=TestSetDefinition(file=str(tmp_path / "scripted.csv")),
        candidates=(
            CandidateDefinition(model=str(broken)),
            CandidateDefinition(model="Qwen/Qwen3-235B-A22B", quantization="Q8_0"),
        ),
    )
    first, second = workbench.forecasts.of(definition).candidates
    assert first.warnings[0].severity == "failure"
    assert "broken cannot start" in first.warnings[0].text
    texts = " ".join(each.text for each in second.warnings)
    assert "will be downloaded from the Hub first" in texts
    assert "GiB" in texts


def test_relative_paths_of_models_start_at_the_folder_of_the_benchmark_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "benchmark", tmp_path / "elsewhere"
    write_benchmark(folder, examples=12)
    tiny, no, other = folder / "models/tiny.gguf", elsewhere / "models/no.gguf", elsewhere / "owner/name/other.gguf"
    for path in (tiny, no, other):
        write_gguf(path, "llama", {**GGUF, "vocab_size": 4})
    monkeypatch.chdir(elsewhere)
    workbench = Workbench(read_settings(tmp_path / "home"))
    models = ("models/tiny.gguf", "models/no.gguf", "owner/name")
    definition = BenchmarkDefinition(
        name="x",
        test_set=TestSetDefinition(file="scripted.csv"),
        candidates=tuple(CandidateDefinition(model=model) for model in models),
    )
    here, missing, of_the_hub = workbench.forecasts.of(definition, folder).candidates
    assert here.download_bytes == 0
    assert here.fit is not None
    assert here.fit.weights_bytes == tiny.stat().st_size
    assert f"no cannot start: There is no file or folder {folder}" in missing.warnings[0].text
    assert "downloaded from the Hub first" in of_the_hub.warnings[0].text, "a run does not look beside its caller"
    prepared = prepare_benchmark(definition, folder, source=str(folder / "x.yaml"))
    assert list(workbench.forecasts.memory(prepared)) == ["tiny"]
