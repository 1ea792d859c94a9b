"""Answers that exist already: scored again without a model, and imported. Real files, store and commands."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from runners.completion_files import check_ids, read_completion_file
from runners.errors import BadCompletions
from tests.test_cli import printed, workbench

EXAMPLES = (
    "id,text,label\nm0,where is it,delivery\nm1,send it back,returns\nm2,double charge,billing\nm3,too late,delivery\n"
)
BENCHMARK = """\
name: mine
test_set: {file: messages.csv}
candidates:
  - name: quick
    model: a
    engine: scripted
    options: {answers: {m0: delivery, m1: returns, m2: delivery, m3: returns}}
workloads: [{kind: accuracy}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "messages.csv").write_text(EXAMPLES)
    (tmp_path / "mine.yaml").write_text(BENCHMARK)
    return tmp_path


def accuracy(home: Path, candidate: str = "quick", benchmark: str = "mine") -> float:
    compared = printed(workbench(home, "compare", benchmark, "--json"))
    (summary,) = [each for each in compared["candidates"] if each["candidate"]["name"] == candidate]
    assert summary["metrics"][0]["name"] == "accuracy"
    value: float = summary["metrics"][0]["estimate"]["value"]
    assert summary["accuracy"]["value"] == value
    return value


def lines(*answers: Mapping[str, object]) -> str:
    return "".join(json.dumps(answer) + "\n" for answer in answers)


# Scoring again


def test_a_corrected_label_is_scored_again_without_running_the_model(folder: Path) -> None:
    home = folder / "home"
    workbench(home, "bench", str(folder / "mine.yaml"))
    assert accuracy(home) == 0.5
    runs = sorted(path.name for path in (home / "runs").iterdir())
    (folder / "messages.csv").write_text(EXAMPLES.replace("m3,too late,delivery", "m3,too late,returns"))
    done = printed(workbench(home, "rescore", str(folder / "mine.yaml"), "--json"))
    assert (done["candidates"], done["answers"]) == (["quick"], 4)
    assert accuracy(home) == 0.75
    # What it has done is a run of its own, so that a resumed benchmark finds nothing to do.
    (new,) = {path.name for path in (home / "runs").iterdir()} - set(runs)
    before = (home / "runs" / new / "events.jsonl").read_text()
    workbench(home, "bench", str(folder / "mine.yaml"), "--resume")
    added = (home / "runs" / new / "events.jsonl").read_text().removeprefix(before)
    assert "completion" not in {json.loads(line)["event"] for line in added.splitlines()}
    assert accuracy(home) == 0.75


def test_a_stored_benchmark_is_scored_again_by_its_name(folder: Path) -> None:
    home = folder / "home"
    workbench(home, "bench", str(folder / "mine.yaml"))
    (folder / "messages.csv").write_text(EXAMPLES.replace("double charge,billing", "double charge,delivery"))
    workbench(home, "rescore", "mine", code=1)  # billing is no label any more: the model was asked otherwise
    (folder / "messages.csv").write_text(EXAMPLES + "m4,what now,delivery\n")
    done = workbench(home, "rescore", "mine")
    assert "1 examples were never answered; bench --resume asks them" in done.stderr
    workbench(home, "bench", str(folder / "mine.yaml"), "--resume")
    compared = printed(workbench(home, "compare", "mine", "--json"))
    assert compared["candidates"][0]["accuracy"]["n"] == 5


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("messages.csv", "where is it", "where is it now", "the example 'm0' has another text"),
        ("messages.csv", "billing", "invoices", "the labels are delivery, invoices, returns and were"),
        ("mine.yaml", "workloads", "prompt: {user: 'Say: {{ text }}'}\nworkloads", "the prompt is another one"),
    ],
)
def test_answers_to_another_question_are_not_scored_again(
    folder: Path, file: str, old: str, new: str, words: str
) -> None:
    home = folder / "home"
    workbench(home, "bench", str(folder / "mine.yaml"))
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    refused = workbench(home, "rescore", str(folder / "mine.yaml"), code=1)
    assert words in " ".join(refused.stderr.split())
    assert "Run the benchmark to ask anew" in refused.stderr
    assert accuracy(home) == 0.5


# Imported


def test_answers_made_elsewhere_are_scored_and_compared_like_any_run(folder: Path) -> None:
    home = folder / "home"
    (folder / "others.jsonl").write_text(
        lines(
            *(
                {"id": f"m{n}", "model": "big", "text": text}
                for n, text in enumerate(["delivery", "returns", "billing"])
            ),
            {"id": "m3", "model": "big", "text": "It is about delivery.", "tokens_per_second": 9},
            {"id": "m0", "model": "small", "text": "no idea"},
        )
    )
    done = workbench(
        home, "completions", "import", str(folder / "others.jsonl"), "--testset", str(folder / "messages.csv")
    )
    assert "small: 3 of 4 examples have no answer and count as skipped." in done.stderr
    assert "tokens_per_second" in done.stderr
    assert accuracy(home, "big", "others") == 1.0
    compared = printed(workbench(home, "compare", "others", "--json"))
    small = compared["candidates"][1]
    assert {each["validity"]: each["count"] for each in small["validity"]} == {"unparseable": 1, "skipped": 3}
    assert compared["pairs"][0]["n"] == 1
    workbench(home, "report", "others", "--output", str(folder / "report.html"))
    assert "made elsewhere" in (folder / "report.html").read_text()


def test_answers_are_imported_beside_the_runs_of_a_benchmark(folder: Path) -> None:
    home = folder / "home"
    workbench(home, "bench", str(folder / "mine.yaml"))
    (folder / "others.jsonl").write_text(
        lines(*({"id": f"m{n}", "model": "big", "text": "delivery"} for n in range(4)))
    )
    arguments = ("completions", "import", str(folder / "others.jsonl"), "--testset", str(folder / "mine.yaml"))
    workbench(home, *arguments)
    assert accuracy(home, "quick") == accuracy(home, "big") == 0.5
    (folder / "messages.csv").write_text(EXAMPLES.replace("too late", "far too late"))
    refused = workbench(home, *arguments, code=1)
    assert "another version of its test set" in refused.stderr
    workbench(home, *arguments, "--name", "second")
    assert accuracy(home, "big", "second") == 0.5


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2: this is not JSON"),
        ("[1]", "line 2: an object with id, model and text is needed"),
        ('{"id": "m1", "text": "x"}', "line 2: 'model' is missing or no text (found None)"),
        ('{"id": "m1", "model": "a", "text": null}', "'text' is missing or no text (found None)"),
        ('{"id": "m0", "model": "a", "text": "y"}', "line 2: a second answer of 'a' to 'm0'"),
        ('{"id": "m1", "model": "a", "text": "y", "finish_reason": "tired"}', "finish_reason is 'tired'; known: stop"),
        ('{"id": "m1", "model": "a", "text": "y", "output_tokens": -1}', "output_tokens is -1"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_nothing_is_imported(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "m0", "model": "a", "text": "x"}\n' + line + "\n")
    with pytest.raises(BadCompletions) as caught:
        read_completion_file(path)
    assert words in str(caught.value)
    assert "nothing was imported" in str(caught.value)


def test_a_line_separator_inside_an_answer_does_not_end_the_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": 7, "model": "a", "text": "one\u2028two"}\n', encoding="utf-8")
    assert read_completion_file(path).answers["a"][0].text == "one\u2028two"


def test_an_answer_to_no_example_names_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "m-10", "model": "a", "text": "x"}\n')
    with pytest.raises(BadCompletions, match=r"no example 'm-10'\. Did you mean 'm-1'"):
        check_ids(read_completion_file(path), ["m-1", "x"])


def test_files_that_cannot_be_read_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(BadCompletions, match="There is no file"):
        read_completion_file(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(BadCompletions, match="holds no answer"):
        read_completion_file(tmp_path / "empty.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "\xe4"}')
    with pytest.raises(BadCompletions, match="not UTF-8"):
        read_completion_file(tmp_path / "latin.jsonl")


def test_varied_answers_are_scored_again_too(folder: Path) -> None:
    home = folder / "home"
    (folder / "mine.yaml").write_text(
        BENCHMARK.replace("[{kind: accuracy}]", "[{kind: accuracy}, {kind: robustness, perturbations: [case]}]")
    )
    workbench(home, "bench", str(folder / "mine.yaml"))

    def varied() -> dict[str, float]:
        (summary,) = printed(workbench(home, "compare", "mine", "--json"))["candidates"]
        (result,) = summary["robustness"]["results"]
        return {side: result[side]["value"] for side in ("unperturbed", "perturbed")}

    before = varied()
    (folder / "messages.csv").write_text(EXAMPLES.replace(",delivery\nm1", ",billing\nm1"))
    workbench(home, "rescore", str(folder / "mine.yaml"))
    assert varied() != before


def test_an_import_never_replaces_a_measured_run_and_stays_when_the_benchmark_goes_on(folder: Path) -> None:
    home = folder / "home"
    workbench(home, "bench", str(folder / "mine.yaml"))
    arguments = ("completions", "import", str(folder / "others.jsonl"), "--testset", str(folder / "mine.yaml"))
    (folder / "others.jsonl").write_text(lines({"id": "m0", "model": "quick", "text": "delivery"}))
    refused = workbench(home, *arguments, code=1)
    assert "has a measured run of 'quick', which an import would replace" in " ".join(refused.stderr.split())
    (folder / "others.jsonl").write_text(
        lines(*({"id": f"m{n}", "model": "big", "text": "delivery"} for n in range(4)))
    )
    workbench(home, *arguments)
    workbench(home, "bench", str(folder / "mine.yaml"), "--resume")
    assert accuracy(home, "big") == accuracy(home, "quick") == 0.5


def test_imported_answers_are_scored_again_by_the_name_of_their_benchmark(folder: Path) -> None:
    home = folder / "home"
    (folder / "others.jsonl").write_text(
        lines(*({"id": f"m{n}", "model": "big", "text": "delivery"} for n in range(4)))
    )
    workbench(home, "completions", "import", str(folder / "others.jsonl"), "--testset", str(folder / "messages.csv"))
    (folder / "messages.csv").write_text(
        EXAMPLES.replace("send it back,returns", "send it back,delivery") + "m9,x,returns\n"
    )
    workbench(home, "rescore", "others")
    compared = printed(workbench(home, "compare", "others", "--json"))["candidates"][0]
    assert (compared["accuracy"]["value"], compared["accuracy"]["n"]) == (0.75, 4)
