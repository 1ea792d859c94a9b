"""Votes as the service and the command line give them: which count, what they say, and their export."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from results.errors import BadVoteFilter, ExportFailed, NothingToCompare, UnknownHeadToHead
from results.head_to_head_records import Batch, BatchCandidate, Outcome, Round, RoundAnswer, RoundSource, RoundVote
from results.records import BenchmarkComparison, Vote
from results.store import Store
from results.vote_agreement import ScoredVote, vote_agreement
from runners.records import Message
from tests.results_samples import answers, benchmark, spec, summary
from tests.test_standing import ballot
from workbench.benchmark_file import parse_benchmark
from workbench.cli import app as command_line
from workbench.service import Workbench
from workbench.settings import Settings
from workbench.votes_book import VotesBook, candidate_key

DEFINITION = """\
name: demo
test_set: {file: messages.csv}
candidates:
  - {name: A, model: a, engine: scripted}
  - {name: B, model: b, engine: scripted}
"""
KEYS = {each.name or "": candidate_key(each) for each in parse_benchmark(DEFINITION, "demo").candidates}


@pytest.fixture
def app(tmp_path: Path) -> Workbench:
    """A benchmark of A and B on twelve examples, A right on all of them and B on half."""
    asked = spec(examples=12)
    store = Store(tmp_path / "results.duckdb")
    store.save_benchmark(benchmark("A", "B", run_spec=asked).model_copy(update={"definition": DEFINITION}))
    store.save_run("demo", answers("A", *["right"] * 12))
    store.save_run("demo", answers("B", *["right", "wrong"] * 6))
    return Workbench(Settings(home=tmp_path))


def judged(app: Workbench, *, keys: tuple[str, str] = (KEYS["A"], KEYS["B"]), rounds: int = 12) -> Store:
    """Rounds on the benchmark's examples, shown B left and A right: A answers right, B wrong, and A is preferred."""
    store = Store(app.settings.results_path)
    shelf = store.head_to_head
    candidates = tuple(
        BatchCandidate(key=key, candidate_key=key, name=name, definition="{}")
        for key, name in zip(keys, ("first", "=second"), strict=True)
    )
    shelf.save_batch(
        Batch(id="b1", name="mine", created_at="2026-03-01", kind="batch", candidates=candidates, blind=True)
    )
    test_set = spec(examples=12).test_set
    for place, example in enumerate(test_set.examples[:rounds]):
        source = RoundSource(
            test_set_name="toy",
            test_set_hash=test_set.content_hash,
            example_id=example.id,
            target=example.target,
            slices=example.slices,
        )
        asked = Round(
            id=f"r{place}",
            batch_id="b1",
            position=place,
            created_at="2026-03-01",
            messages=(Message(role="user", content=example.inputs["text"]),),
            slots=keys,
            order=(1, 0),
            source=source,
        )
        shelf.save_rounds([asked])
        wrong = "no" if example.target == "yes" else "yes"
        for slot, text in enumerate((f"{example.target}.", wrong)):
            shelf.save_answer(RoundAnswer(round_id=asked.id, slot=slot, state="finished", text=text))
        cast(store, f"v{place}", asked.id, "right", reasons=("correct", "style"))
    return store


def cast(store: Store, identity: str, round_id: str, outcome: Outcome | None, **more: object) -> None:
    facts: dict[str, object] = {
        "id": identity,
        "round_id": round_id,
        "created_at": "2026-03-01T10:00:00Z",
        "left": 1,
        "right": 0,
        "outcome": outcome,
        "blind": True,
    }
    store.head_to_head.add_vote(RoundVote.model_validate(facts | more))


def old_vote(store: Store, left: str, right: str) -> None:
    store.add_vote(
        Vote(
            id="old",
            created_at="2026-02-01T12:00:00Z",
            prompt="Hi",
            left=left,
            right=right,
            outcome="left",
            blind=False,
            left_text="a",
            right_text="bb",
        )
    )


def test_votes_are_chosen_by_batch_and_slice(app: Workbench) -> None:
    store = judged(app)
    old_vote(store, "A", "C")
    book = app.votes_book
    assert len(book.ballots()) == 13
    assert len(book.ballots(batch="mine")) == len(book.ballots(batch="b1")) == 12
    assert len(book.ballots(part="channel=mail")) == 2
    assert book.standing(batch="mine").votes == 12
    with pytest.raises(BadVoteFilter, match="write column=value; slices with votes: channel=chat, channel=mail"):
        book.ballots(part="mail")
    with pytest.raises(BadVoteFilter, match="No vote is on a prompt of the slice 'channel=fax'"):
        book.ballots(part="channel=fax")
    with pytest.raises(UnknownHeadToHead, match="mien"):
        book.ballots(batch="mien")


def test_votes_of_a_benchmarks_candidates_carry_its_names_and_meet_its_scorer(app: Workbench) -> None:
    comparison = app.compare("demo")
    old_vote(Store(app.settings.results_path), "A", "C")
    assert app.votes_book.of_benchmark(comparison) is None
    with pytest.raises(NothingToCompare, match="No vote was cast between candidates of the benchmark 'demo'"):
        app.votes_book.beside(comparison)
    judged(app)
    found = app.votes_book.beside(comparison)
    (group,) = found.standing.groups
    assert [(each.name, each.wins) for each in group.candidates] == [("A", 12), ("B", 0)]
    assert found.without_votes == ()
    together = found.agreement.together
    assert together is not None
    assert together.prefers_right is not None
    assert (found.agreement.cases, together.decided, together.prefers_right.value) == (12, 12, 1)
    assert "follow what the scorer measures" in found.agreement.conclusions[0]
    assert found.agreement.rank_correlation is None


def test_votes_on_other_candidates_belong_to_no_benchmark_and_old_ones_by_name(app: Workbench) -> None:
    comparison = BenchmarkComparison(benchmark=app.benchmarks()[0], candidates=(summary("A"), summary("B")), pairs=())
    store = judged(app, keys=("k1", "k2"))
    assert app.votes_book.of_benchmark(comparison) is None
    old_vote(store, "A", "B")
    found = app.votes_book.of_benchmark(comparison)
    assert found is not None
    assert (found.standing.votes, found.standing.old, found.agreement.cases) == (1, 1, 0)


def test_an_export_holds_every_vote_with_its_texts_and_what_became_of_it(app: Workbench, tmp_path: Path) -> None:
    store = judged(app, rounds=2)
    cast(store, "again", "r0", "tie", note="=1+1")
    cast(store, "back", "r1", None)
    old_vote(store, "A", "B")
    book: VotesBook = app.votes_book
    written = book.export(tmp_path / "votes.csv")
    with written.path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert written.rows == len(rows) == 5
    assert [(row["vote"], row["state"]) for row in rows] == [
        ("old", "stands"),
        ("v0", "replaced"),
        ("v1", "replaced"),
        ("again", "stands"),
        ("back", "takes back"),
    ]
    again = rows[3]
    assert (again["left_candidate"], again["right_candidate"]) == ("'=second", "first")
    assert (again["note"], again["replaces"], again["right_text"]) == ("'=1+1", "v0", "yes.")
    assert rows[1]["reasons"] == "correct; style"
    book.export(tmp_path / "votes.jsonl", batch="mine")
    lines = [json.loads(line) for line in (tmp_path / "votes.jsonl").read_text().splitlines()]
    assert len(lines) == 4
    assert lines[0]["messages"] == [{"role": "user", "content": "message 1"}]
    assert lines[0]["slices"] == {"channel": "mail"}
    book.export(tmp_path / "votes.parquet")
    assert pd.read_parquet(tmp_path / "votes.parquet")["vote"].tolist() == [row["vote"] for row in rows]
    with pytest.raises(ExportFailed, match=r"\.parquet"):
        book.export(tmp_path / "votes.parqet")


def run(home: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command_line, ["votes", *arguments, "--home", str(home)])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def test_the_commands_list_say_and_export(app: Workbench, tmp_path: Path) -> None:
    assert "No votes yet" in run(tmp_path, "list")
    assert "No prompts were put" in run(tmp_path, "batches")
    judged(app)
    assert "12 votes on 12 prompts" in run(tmp_path, "standing")
    assert "=second" in run(tmp_path, "list", "--limit", "3")
    assert len(json.loads(run(tmp_path, "list", "--slice", "channel=mail", "--json"))["data"]) == 2
    assert json.loads(run(tmp_path, "batches", "--json"))["data"][0]["votes"] == 12
    target = tmp_path / "out.csv"
    assert "12 rows" in run(tmp_path, "export", "--output", str(target), "--batch", "mine")
    assert "leave --batch and --slice" in run(tmp_path, "standing", "--benchmark", "d", "--batch", "mine", code=2)


def test_the_standing_beside_a_benchmark_is_printed(app: Workbench, tmp_path: Path) -> None:
    judged(app)
    shown = run(tmp_path, "standing", "--benchmark", "demo")
    assert "A is preferred to B" in shown
    assert "follow what the scorer measures" in shown


# Votes against scores


def test_agreement_of_votes_and_scores_is_counted_by_pair() -> None:
    votes = [ScoredVote(ballot("a", "b", "left", number=n), 1.0, 0.0) for n in range(9)]
    votes += [ScoredVote(ballot("a", "b", "right", number=9), 1.0, 0.0)]
    votes += [ScoredVote(ballot("b", "c", "left", number=20 + n), 0.0, 1.0) for n in range(2)]
    votes += [ScoredVote(ballot("c", "a", "tie", number=30), 1.0, 1.0)]
    votes += [ScoredVote(ballot("a", "a", "left", number=31), 1.0, 0.0)]
    found = vote_agreement(votes, {}, {})
    assert found.cases == 13
    by_pair = {(pair.first, pair.second): pair for pair in found.pairs}
    first = by_pair["model a", "model b"]
    assert first.prefers_right is not None
    assert (first.decided, first.prefers_right.value) == (10, 0.9)
    assert by_pair["model b", "model c"].prefers_right is not None
    assert by_pair["model a", "model c"].prefers_right is None
    assert found.together is not None
    assert found.together.agreement is not None
    assert found.together.agreement.share.value == pytest.approx(10 / 13)


def test_votes_against_the_scorer_are_called_that() -> None:
    votes = [ScoredVote(ballot("a", "b", "right", number=n), 1.0, 0.0) for n in range(12)]
    found = vote_agreement(votes, {"a": 0.2, "b": 0.8}, {"a": 0.9, "b": 0.5})
    assert "go against what the scorer measures" in found.conclusions[0]
    assert "order these the other way round, by their values alone: a and b" in found.conclusions[-1]
    mixed = [vote for n in range(4) for vote in (votes[n], votes[n]._replace(left=0.0, right=1.0))]
    assert "too few, or too mixed" in vote_agreement(mixed, {}, {}).conclusions[0]


def test_ranks_are_correlated_from_four_candidates_on() -> None:
    shares = {"a": 0.7, "b": 0.6, "c": 0.4, "d": 0.3}
    quality = {"a": 0.9, "b": 0.7, "c": 0.8, "d": 0.1}
    votes = [ScoredVote(ballot("a", "b", "left"), 1.0, 0.0)]
    correlation = vote_agreement(votes, shares, quality).rank_correlation
    assert correlation is not None
    assert (correlation.n, correlation.low) == (4, None)
    assert correlation.value == pytest.approx(0.8)
    assert vote_agreement(votes, {"a": 0.7, "b": 0.6, "c": 0.1}, quality).rank_correlation is None
    assert vote_agreement([], shares, quality).conclusions == (
        "No vote was cast on an example of this test set with answers that the scorer could judge.",
    )
