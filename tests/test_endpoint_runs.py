"""Benchmarks over endpoints in real workers: labels, failures, limits, the key, and what leaves the machine."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.engine_options import EndpointOptions
from runners.event_log import read_events
from runners.process import RunFolder, run_in_worker
from runners.records import RequestRetried, RunResult, RunSpec, Validity, Workload
from tests.making import LABELS, make_spec, make_test_set
from tests.openai_server import Behaviour, OpenAiServer, labels_of, openai_server, prompt_of
from tests.test_cli import TEST_SET, printed, workbench
from workbench.benchmark_file import parse_benchmark
from workbench.remote import notes_on_leaving

KEY = "sk-very-secret-0123456789"
ACCURACY = (Workload(kind="accuracy"),)
BOTH = (*ACCURACY, Workload(kind="latency", prompts=3, warmup_prompts=1))
BENCHMARK = """\
name: served
test_set: {file: messages.csv}
candidates:
  - name: good
    model: HuggingFaceTB/SmolLM2-135M-Instruct
    engine: endpoint
    options: {base_url: "%s", model: test/model, api_key_variable: MY_KEY}
  - name: unset
    model: a
    engine: endpoint
    options: {base_url: "%s", model: test/model, api_key_variable: ANOTHER_KEY}
workloads: [{kind: accuracy}, {kind: latency, prompts: 4, warmup_prompts: 1}]
requirements: {limits: {verdicts: [allowed, conditional, unknown]}}
"""


def named_label(body: dict[str, Any]) -> str:
    """The label that the last message names: as an object where the answer is held to labels, else as text."""
    message = prompt_of(body).rsplit("\n", 1)[-1] if "messages" not in body else body["messages"][-1]["content"]
    label = next((label for label in LABELS if label in message), "none")
    return f'{{"label": "{label}"}}' if labels_of(body) else f"The answer is {label}."


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with openai_server(named_label) as running:
        yield running


def make_run(
    server: OpenAiServer, *, examples: int = 6, workloads: tuple[Workload, ...] = ACCURACY, **options: Any
) -> RunSpec:
    endpoint = EndpointOptions(base_url=server.address, model="test/model", **options)
    return make_spec(endpoint, test_set=make_test_set(examples), workloads=workloads)


def run(spec: RunSpec, path: Path, secrets: dict[str, str] | None = None) -> RunResult:
    folder = RunFolder(path)
    return run_in_worker(spec, folder, on_event=lambda _: None, is_cancelled=lambda: False, secrets=secrets)


def validities(result: RunResult) -> list[Validity]:
    return [score.validity for event in result.completions for score in event.scores]


@pytest.mark.parametrize("label_answers", ["auto", "free"])
def test_labels_are_generated_several_at_once_and_latency_one_at_a_time(
    server: OpenAiServer, tmp_path: Path, label_answers: str
) -> None:
    server.when("", Behaviour(first_byte_seconds=0.1))
    result = run(make_run(server, workloads=BOTH, label_answers=label_answers), tmp_path)
    assert result.status == "finished", result.failures
    accuracy = [event for event in result.completions if event.completion.workload == "accuracy"]
    assert sorted(event.completion.request_id for event in accuracy) == [f"e{number}" for number in range(6)]
    assert {event.scores[0].value for event in accuracy} == {1.0}
    assert {event.completion.method for event in accuracy} == {"generated"}
    if label_answers == "auto":
        assert {event.completion.text for event in accuracy} == set(LABELS)
    assert server.most_at_once == 4
    # The first request after the load, then six for accuracy, then one to warm up and three that are timed.
    latency = server.seen[7:]
    assert len(latency) == 4
    assert not any("response_format" in seen.body for seen in latency)
    assert all(later.at - earlier.at >= 0.1 for earlier, later in itertools.pairwise(latency))


def test_the_memory_of_a_client_is_not_taken_for_the_models(server: OpenAiServer, tmp_path: Path) -> None:
    assert run(make_run(server), tmp_path).memory == ()


def test_each_failure_falls_on_its_own_example_and_the_others_are_scored(server: OpenAiServer, tmp_path: Path) -> None:
    server.when("number 2 ", Behaviour(status=500))
    server.when("number 4 ", Behaviour(finish_reason="content_filter"))
    result = run(make_run(server, examples=8), tmp_path)
    assert result.status == "finished"
    assert [event.failure.example_id for event in result.failures] == ["e2"]
    assert sorted(validities(result)) == [Validity.REFUSED, *[Validity.SCORED] * 6]
    again = run(make_run(server, examples=8), tmp_path)
    assert len(server.seen) == 9
    assert len(again.completions) == 7


def test_a_broken_server_stops_the_run(server: OpenAiServer, tmp_path: Path) -> None:
    server.when("", Behaviour(status=500, body="no"))
    result = run(make_run(server, examples=30), tmp_path)
    assert result.status == "failed"
    assert "5 requests failed in a row, the last with: The server at" in result.failures[-1].failure.message


def test_every_retry_is_written_down(server: OpenAiServer, tmp_path: Path) -> None:
    server.takes_schema = False
    server.next(Behaviour(), Behaviour(status=429, headers={"retry-after": "0"}))
    result = run(make_run(server, concurrency=1), tmp_path)
    assert result.status == "finished"
    assert set(validities(result)) == {Validity.SCORED}
    events = [event for event in read_events(RunFolder(tmp_path).events) if isinstance(event, RequestRetried)]
    assert [event.retry.status for event in events] == [400, 429]


def test_at_the_spending_limit_the_rest_is_skipped_and_said_so_and_can_be_resumed(
    server: OpenAiServer, tmp_path: Path
) -> None:
    result = run(make_run(server, max_requests=4), tmp_path)
    assert result.status == "failed"
    assert len(result.completions) == len(server.seen) == 4
    last = result.failures[-1].failure
    assert last.kind == "limit"
    assert "max_requests is 4" in last.message
    assert "2 of 6 requests of this accuracy workload were skipped" in last.message
    again = run(make_run(server, max_requests=40), tmp_path)
    assert again.status == "finished"
    assert len(server.seen) == 6


@pytest.mark.engine
def test_a_real_model_behind_a_server_is_held_to_the_labels(tmp_path: Path, smollm2: Path) -> None:
    """The answers are a real model's, under a real grammar; only the way from it to the wire is the tests' own."""
    import llama_cpp

    model = llama_cpp.Llama(str(smollm2), n_ctx=512, verbose=False, seed=0)
    one_at_a_time = threading.Lock()

    def say(body: dict[str, Any]) -> str:
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        held: Any = {"type": "json_object", "schema": schema} if schema else None
        with one_at_a_time:
            done: Any = model.create_chat_completion(
                body["messages"], max_tokens=body["max_tokens"], temperature=0.0, response_format=held
            )
        return str(done["choices"][0]["message"]["content"])

    try:
        with openai_server(say) as server:
            result = run(make_run(server, workloads=BOTH), tmp_path)
    finally:
        model.close()
    assert result.status == "finished", result.failures
    accuracy = [event for event in result.completions if event.completion.workload == "accuracy"]
    assert {event.completion.text for event in accuracy} <= set(LABELS)
    assert set(validities(result)) == {Validity.SCORED}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one benchmark over a server that wants a key and echoes it back in an error."""
    home = tmp_path_factory.mktemp("served")
    (home / "messages.csv").write_text(TEST_SET)
    with openai_server(named_label, key=KEY) as server:
        server.when("message 3 ", Behaviour(status=500, body=f"the key {KEY} broke"))
        (home / "served.yaml").write_text(BENCHMARK % (server.address, server.address))
        workbench(home, "bench", str(home / "served.yaml"), code=3, environment={"MY_KEY": KEY})
    return home


def test_an_endpoint_is_benchmarked_from_the_command_line(measured: Path) -> None:
    runs = {run["candidate"]: run for run in printed(workbench(measured, "runs", "--json"))}
    assert runs["good"]["status"] == "finished"
    assert runs["unset"]["status"] == "failed"
    compared = printed(workbench(measured, "compare", "served", "--json"))
    (good,) = [summary for summary in compared["candidates"] if summary["candidate"]["name"] == "good"]
    assert good["candidate"]["license"] == "apache-2.0"
    assert good["peak_memory_bytes"] is None
    workbench(measured, "recommend", "served", code=None)
    for name in ("report.html", "report.md", "report.json"):
        workbench(measured, "report", "served", "--output", str(measured / name))


def test_the_key_is_in_no_file(measured: Path) -> None:
    workbench(measured, "report", "served", "--output", str(measured / "report.html"))
    files = [path for path in measured.rglob("*") if path.is_file()]
    assert {"spec.json", "events.jsonl", "worker.log", "results.duckdb", "report.html"} <= {path.name for path in files}
    assert any(b"***" in path.read_bytes() for path in files if path.name == "events.jsonl")
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path


def test_a_key_that_is_not_set_is_a_sentence(measured: Path) -> None:
    events = [path.read_text() for path in (measured / "runs").rglob("events.jsonl")]
    assert any("ANOTHER_KEY, which is not set" in text for text in events)


def test_what_leaves_the_machine_is_said_before_it_does() -> None:
    text = (BENCHMARK % ("https://api.example.com/v1", "http://localhost:1/v1")).replace(
        "api_key_variable: MY_KEY", "allow_remote: true"
    )
    definition = parse_benchmark(text, "served.yaml")
    assert notes_on_leaving(definition, make_test_set(30)) == (
        "30 examples of small will leave this machine for api.example.com (for test/model).",
    )
    only_latency = definition.model_copy(update={"workloads": (Workload(kind="latency", prompts=4),)})
    few_shot = make_test_set(30, few_shot=make_test_set(2).examples)
    (note,) = notes_on_leaving(only_latency, few_shot)
    assert note.startswith("4 examples of small and the 2 examples shown in the prompt will leave")


def test_the_command_line_says_it_and_a_host_without_leave_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "messages.csv").write_text(TEST_SET)
    remote = BENCHMARK.replace("api_key_variable: MY_KEY", "allow_remote: true, connect_timeout_seconds: 0.2")
    remote = remote.replace(", api_key_variable: ANOTHER_KEY", "")
    (tmp_path / "served.yaml").write_text(remote % ("http://192.0.2.1/v1", "http://192.0.2.2/v1"))
    done = workbench(tmp_path, "bench", str(tmp_path / "served.yaml"), code=None)
    assert "30 examples of messages will leave this machine for 192.0.2.1" in done.stderr
    assert "192.0.2.2 is another machine" in done.stdout + done.stderr
    assert "allow_remote: true" in done.stdout + done.stderr
