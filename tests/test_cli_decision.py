"""Regression, exports and the whole recommendation, as real commands over a real results file."""

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.test_cli import printed, workbench

LABELS = ("delivery", "returns", "billing")
HOSTILE = '=HYPERLINK("http://x") about delivery'


def _rows(n: int = 60) -> list[tuple[str, str, str, str]]:
    rows = [
        (f"m{i}", f"message {i} about {LABELS[i % 3]}", LABELS[i % 3], "mail" if i % 2 else "chat") for i in range(n)
    ]
    rows[3] = ("m3", HOSTILE, "delivery", "mail")
    return rows


def _write(home: Path, name: str, rows: list[tuple[str, str, str, str]], right: dict[str, int], **more: Any) -> None:
    """A test set and a benchmark file whose candidates answer the first so many examples right."""
    with (home / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label", "channel"), *rows])
    candidates = [
        {
            "name": candidate,
            "model": candidate,
            "engine": "scripted",
            "options": {
                "answers": {row[0]: row[2] if i < good else LABELS[(i + 1) % 3] for i, row in enumerate(rows)},
                "first_token_seconds": 0.001,
                "token_seconds": 0.0005,
            },
        }
        for candidate, good in right.items()
    ]
    limits = {"verdicts": ["allowed", "conditional", "unknown"], "max_e2e_p95_seconds": 5}
    document = {
        "name": name,
        "test_set": {"file": f"{name}.csv"},
        "candidates": candidates,
        "workloads": [{"kind": "accuracy"}, {"kind": "latency", "prompts": 24}],
        "requirements": {"limits": limits, "prices": {"machine_per_hour": 1.2}},
        **more,
    }
    (home / f"{name}.yaml").write_text(json.dumps(document))
    workbench(home, "bench", str(home / f"{name}.yaml"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three benchmarks: one of three candidates, and two later runs of one of them."""
    folder = tmp_path_factory.mktemp("decision")
    _write(folder, "old", _rows(), {"m": 56, "small": 48, "tiny": 24})
    _write(folder, "worse", _rows(), {"m": 20}, test_set={"file": "worse.csv"}, seed=7)
    _write(folder, "edited", [*_rows(50), ("m50", "another text", "billing", "chat")], {"m": 47})
    return folder


def _asked(query: str) -> duckdb.DuckDBPyRelation:
    found = duckdb.sql(query)
    assert found is not None
    return found


def test_recommend_gives_everything_the_report_shows(home: Path) -> None:
    data = printed(workbench(home, "recommend", "old", "--json"))
    assert data["winner"] in {"m", "small"}
    assert data["stability"]["resamples"] == 2_000
    assert {cost["name"] for cost in data["costs"]} == {"m", "small", "tiny"}
    assert {part["value"] for part in data["slices"]} == {"mail", "chat"}
    assert {policy["strong"] for policy in data["policies"]} <= {"m"}
    text = workbench(home, "recommend", "old").stdout
    for sentence in (*data["headline"], *(change["sentence"] for change in data["limit_sensitivity"])):
        assert sentence in " ".join(text.split()) or sentence in text.replace("\n", " ")
    assert "1,000 examples" in workbench(home, "compare", "old").stdout


def test_two_runs_are_compared_example_by_example(home: Path) -> None:
    data = printed(workbench(home, "compare", "old/m", "worse", "--json"))
    assert (data["first"], data["second"], data["n"]) == ("old/m", "worse/m", 60)
    assert (data["fixed"], data["broken"], data["unchanged_right"], data["unchanged_wrong"]) == (0, 36, 20, 4)
    assert len(data["examples"]) == 60
    assert "seed" in {change["what"] for change in data["changes"]}
    text = workbench(home, "compare", "old/m", "worse").stdout
    assert "worse/m is worse in accuracy at n = 60: 93.3 % before, 33.3 % after, 0 fixed, 36 broken" in text
    assert "… and 16 more broken (all of them with --json)" in text


def test_fail_if_worse_has_an_exit_code_of_its_own(home: Path) -> None:
    workbench(home, "compare", "old/m", "worse/m", "--fail-if-worse", code=4)
    workbench(home, "compare", "worse/m", "old/m", "--fail-if-worse", code=0)
    workbench(home, "compare", "old/m", "old/m", "--fail-if-worse", "--margin", "0.1", code=0)
    workbench(home, "compare", "old/m", "old/small", "--fail-if-worse", "--margin", "0.02", code=4)


def test_another_version_of_the_test_set_is_compared_on_the_matching_part(home: Path) -> None:
    data = printed(workbench(home, "compare", "old/m", "edited", "--json"))
    assert data["n"] == 50
    assert data["left_out"] == (
        "The test sets are different versions. Compared are 50 examples; "
        "left out: 9 only in old/m, 1 in both with another text or target."
    )


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("old/m", "wors"), "There is no benchmark or run 'wors'. Did you mean 'worse'", 1),
        (("old/n", "worse"), "There is no candidate of benchmark 'old' called 'n'. There is 'm', 'small', 'tiny'.", 1),
        (("worse", "old/smal"), "Did you mean 'small'?", 1),
        (("old", "old"), "Which candidate of 'old' is meant? Name one of: old/m, old/small, old/tiny.", 1),
        (("old", "--fail-if-worse"), "need two runs: compare A B", 2),
    ],
)
def test_wrong_names_are_answered_with_the_near_ones(
    home: Path, arguments: tuple[str, ...], words: str, code: int
) -> None:
    done = workbench(home, "compare", *arguments, code=code)
    assert words in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(("what", "rows"), [("completions", 60 * 3 + 24 * 3 + 3), ("scores", 180), ("summary", 3)])
def test_exports_hold_the_same_rows_in_every_format(home: Path, tmp_path: Path, what: str, rows: int) -> None:
    for ending in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"{what}.{ending}"
        data = printed(workbench(home, "export", "old", "--what", what, "--output", str(path), "--json"))
        assert data == {"file": str(path), "rows": rows}
        assert _asked(f"SELECT count(*) FROM '{path}'").fetchall() == [(rows,)]
    names = [_asked(f"SELECT * FROM '{tmp_path / what}.{end}'").columns for end in ("csv", "jsonl", "parquet")]
    assert names[0] == names[1] == names[2]
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_exported_scores_are_the_accuracy_that_is_shown(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    workbench(home, "export", "old", "--what", "scores", "--output", str(path))
    shares = dict(_asked(f"SELECT candidate, avg(value) FROM '{path}' GROUP BY 1").fetchall())
    assert shares == pytest.approx({"m": 56 / 60, "small": 0.8, "tiny": 0.4})


def test_no_cell_of_an_exported_csv_is_a_formula(tmp_path: Path) -> None:
    _write(tmp_path, "evil", [("=1+1", "+2", "delivery", "@x"), *_rows(9)[1:]], {"m": 9})
    for what in ("completions", "scores"):
        path = tmp_path / f"{what}.csv"
        workbench(tmp_path, "export", "evil", "--what", what, "--output", str(path))
        with path.open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
        assert "'=1+1" in cells


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.cvs", "which ends in '.cvs'. Did you mean '.csv'?"),
        ("out", "which has no ending. Name a file that ends in one of .csv, .jsonl, .parquet."),
        ("missing/out.csv", "cannot be written: No such file or directory"),
    ],
)
def test_an_export_that_cannot_be_written_says_why(home: Path, tmp_path: Path, name: str, words: str) -> None:
    done = workbench(home, "export", "old", "--output", str(tmp_path / name), code=1)
    assert words in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []
