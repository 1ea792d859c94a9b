"""The report's section on votes says what the votes say, and other votes make it say something else."""

import json

from results.head_to_head_records import Ballot
from results.standing import standing
from results.vote_agreement import ScoredVote, vote_agreement
from tests.report_samples import GEMMA, SMOL, content
from tests.test_standing import ballot
from workbench.report.document import Cell, Items, Section, Table
from workbench.report.head_to_head import head_to_head_section
from workbench.report.report import render_html, render_json, render_markdown
from workbench.vote_records import BenchmarkVotes


def votes(wins: int, losses: int, **more: object) -> list[Ballot]:
    """So many votes for Gemma over SmolLM2, and against it."""
    return [
        ballot(
            "g",
            "s",
            "left" if number < wins else "right",
            number=number,
            left_name=GEMMA,
            right_name=SMOL,
            slices={"length": "long" if number % 2 else "short"},
            **more,
        )
        for number in range(wins + losses)
    ]


def beside(ballots: list[Ballot], score: float = 1.0) -> BenchmarkVotes:
    scored = [ScoredVote(each, score, 1 - score) for each in ballots if each.left != each.right]
    return BenchmarkVotes(
        benchmark="demo",
        standing=standing(ballots, resamples=500),
        agreement=vote_agreement(scored, {}, {}),
        without_votes=("Nobody's <b>model</b>",),
    )


def section(found: BenchmarkVotes) -> Section:
    built = head_to_head_section(content(votes=found))
    assert built is not None
    return built


def tables(built: Section) -> dict[str, list[list[Cell]]]:
    return {block.caption: [list(row) for row in block.rows] for block in built.blocks if isinstance(block, Table)}


def points(built: Section) -> str:
    return " ".join(item.text for block in built.blocks if isinstance(block, Items) for item in block.items)


def test_a_report_without_votes_has_no_section_on_them() -> None:
    assert head_to_head_section(content()) is None


def test_the_section_follows_the_votes() -> None:
    clear = section(beside(votes(26, 4)))
    found = tables(clear)
    first, second = found["Standing by votes"]
    assert (first[0].text, first[1].text, first[5].text) == (GEMMA, "1", "26 / 4")
    assert (second[0].text, second[1].text, second[0].detail) == (SMOL, "2", "")
    assert found["Pairs by votes"][0][5].text == f"{GEMMA} is preferred"
    assert [row[0].text for row in found["Standing per slice"]] == ["length = long"] * 2 + ["length = short"] * 2
    assert "the votes follow what the scorer measures" in points(clear)

    turned = tables(section(beside(votes(4, 26))))
    assert turned["Standing by votes"][0][0].text == SMOL
    assert turned["Pairs by votes"][0][5].text == f"{SMOL} is preferred"

    even = section(beside(votes(15, 15)))
    assert tables(even)["Pairs by votes"][0][5].text == "no difference shown"
    assert tables(even)["Standing by votes"][0][0].detail.startswith("not told apart from")
    assert "is preferred" not in points(even)

    against = section(beside(votes(26, 4), score=0.0))
    assert "the votes go against what the scorer measures" in points(against)


def test_few_votes_are_not_tested_and_give_no_interval() -> None:
    found = tables(section(beside(votes(4, 1))))
    assert found["Standing by votes"][0][2].detail == ""
    assert (found["Pairs by votes"][0][4].text, found["Pairs by votes"][0][5].text) == ("not tested", "too few prompts")


def test_votes_on_one_candidate_twice_speak_of_the_judge() -> None:
    same = [ballot("g", "g", "left", number=100 + n, left_name=GEMMA, right_name=GEMMA) for n in range(12)]
    text = points(section(beside(votes(20, 5) + same)))
    assert "Of 12 votes on two answers of the same candidate, 100.0 %" in text
    assert "place counts, not content" in text


def test_every_format_carries_the_votes_and_none_the_names_of_voters() -> None:
    found = content(votes=beside(votes(26, 4, voter="Ada Lovelace")))
    html, markdown, data = render_html(found), render_markdown(found), render_json(found)
    for text in (html, markdown):
        assert "What people preferred" in text
        assert "by 1 named person" in text
    assert "Nobody's <b>" not in html
    assert not any("Lovelace" in text for text in (html, markdown, data))
    assert json.loads(data)["content"]["votes"]["standing"]["votes"] == 30
