"""Votes into a standing: reference values, known strengths found again, and honesty where votes say little."""

import math
from collections.abc import Mapping, Sequence
from typing import get_args

import choix
import numpy as np
import pytest

from results.bradley_terry import against_average, fit, points, strongly_connected
from results.errors import NothingToCompare
from results.head_to_head_records import Ballot, Outcome
from results.leanings import left_leaning, longer_leaning
from results.standing import in_slice, standing
from results.standing_records import CandidateStanding, StandingGroup

# Wins of row against column, American League East 1987 (Agresti 2013, Categorical Data Analysis, table 11.10).
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    dtype=np.float64,
)
# Strengths against Baltimore as published with these data (Turner & Firth 2012, J. Stat. Softw. 48(9), §2.1).
PUBLISHED = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)


def ballot(left: str, right: str, outcome: Outcome, **more: object) -> Ballot:
    number = more.pop("number", 0)
    facts: dict[str, object] = {
        "id": f"v{number}",
        "created_at": "2026-03-01T12:00:00Z",
        "batch_id": "b",
        "round_id": f"r{number}",
        "prompt": f"p{number}",
        "left": left,
        "right": right,
        "left_name": f"model {left}",
        "right_name": f"model {right}",
        "outcome": outcome,
        "blind": True,
        "left_characters": 10,
        "right_characters": 10,
    }
    return Ballot.model_validate(facts | more)


def votes(strengths: Mapping[str, float], n: int, *, tie: float = 0.4, seed: int = 3) -> list[Ballot]:
    """Votes drawn after Davidson's model, one prompt each."""
    rng = np.random.default_rng(seed)
    keys = list(strengths)
    found = []
    for number in range(n):
        left, right = (keys[int(place)] for place in rng.permutation(len(keys))[:2])
        half = math.exp((strengths[left] - strengths[right]) / 2)
        chances = np.array([half, 1 / half, tie])
        kinds: Sequence[Outcome] = ("left", "right", "tie")
        drawn = kinds[int(rng.choice(3, p=chances / chances.sum()))]
        found.append(ballot(left, right, drawn, number=number))
    return found


def outcomes(**counts: int) -> list[Outcome]:
    """So many of each."""
    return [outcome for outcome in get_args(Outcome) for _ in range(counts.get(outcome, 0))]


def by_key(group: StandingGroup) -> dict[str, CandidateStanding]:
    return {each.key: each for each in group.candidates}


# The model


def test_strengths_are_those_published_of_the_baseball_league() -> None:
    strengths = fit(BASEBALL[None]).strengths[0]
    assert strengths - strengths[-1] == pytest.approx(PUBLISHED, abs=5e-5)


def test_strengths_are_those_of_the_library_choix() -> None:
    rng = np.random.default_rng(0)
    for k in (2, 3, 5, 9):
        wins = (rng.integers(1, 9, size=(k, k)) / 2 * (1 - np.eye(k))).astype(np.float64)
        assert fit(wins[None]).strengths[0] == pytest.approx(choix.ilsr_pairwise_dense(wins, tol=1e-12), abs=1e-6)


def test_many_tables_at_once_give_what_each_gives_alone() -> None:
    rng = np.random.default_rng(1)
    wins = rng.integers(0, 3, size=(200, 4, 4)) * (1.0 - np.eye(4))
    met = ~np.eye(4, dtype=np.bool_)
    together = fit(wins, met)
    alone = [fit(table[None], met) for table in wins]
    assert together.strengths == pytest.approx(np.vstack([each.strengths for each in alone]), abs=1e-8)
    assert 0 < together.separated.sum() < 200


def test_two_candidates_share_points_as_they_won_them() -> None:
    strengths = fit(np.array([[[0, 7.5], [2.5, 0]]])).strengths
    assert points(strengths)[0, 0, 1] == pytest.approx(0.75)
    assert against_average(strengths)[0] == pytest.approx([0.75, 0.25])


def test_wins_without_a_loss_get_half_a_win_each_on_top() -> None:
    fitted = fit(np.array([[[0, 9.0], [0, 0]]]))
    assert fitted.separated[0]
    assert points(fitted.strengths)[0, 0, 1] == pytest.approx(9.5 / 10)


def test_a_group_that_won_everything_is_found() -> None:
    wins = np.zeros((1, 4, 4))
    for winner, loser in ((0, 1), (1, 0), (2, 3), (3, 2), (0, 2)):
        wins[0, winner, loser] = 1
    assert not strongly_connected(wins > 0)[0]
    wins[0, 3, 1] = 1
    assert strongly_connected(wins > 0)[0]


# The standing


def test_known_strengths_are_found_again() -> None:
    truth = {"a": -1.0, "b": 0.0, "c": 1.0}
    found = standing(votes(truth, 3_000, tie=0.0), resamples=1_000)
    (group,) = found.groups
    assert [each.key for each in group.candidates] == ["c", "b", "a"]
    assert [each.rank for each in group.candidates] == [1, 2, 3]
    expected = against_average(np.array([list(truth.values())]))[0]
    for key, share in zip(truth, expected, strict=True):
        each = by_key(group)[key]
        assert each.share.low is not None
        assert each.share.high is not None
        assert each.share.low < share < each.share.high
        assert each.log_odds.value == pytest.approx(truth[key], abs=0.12)
        assert each.elo.value == pytest.approx(each.log_odds.value * 400 / math.log(10))
    assert [round(each.best_probability, 2) for each in group.candidates] == [1.0, 0.0, 0.0]
    assert {pair.better for pair in group.pairs} == {"model c", "model b"}
    assert not group.separated


def test_equal_candidates_share_the_first_rank_and_are_named_beside_each_other() -> None:
    (group,) = standing(votes({"a": 0.0, "b": 0.0}, 60), resamples=2_000).groups
    assert [each.rank for each in group.candidates] == [1, 1]
    assert group.candidates[0].not_separated == (group.candidates[1].name,)
    assert "no difference shown" in group.pairs[0].conclusion
    assert sum(each.best_probability for each in group.candidates) == pytest.approx(1)


def test_votes_on_one_prompt_count_as_one_observation() -> None:
    one_each = [ballot("a", "b", "left" if n % 4 else "right", number=n) for n in range(40)]
    together = [each.model_copy(update={"prompt": f"p{n // 4}"}) for n, each in enumerate(one_each)]
    alike = [each.model_copy(update={"outcome": "left" if n // 4 % 4 else "right"}) for n, each in enumerate(together)]
    wide, narrow = (standing(each, resamples=2_000).groups[0].pairs[0].expected for each in (alike, one_each))
    assert wide.low is not None and wide.high is not None and narrow.low is not None and narrow.high is not None  # noqa: PT018
    assert wide.high - wide.low > 1.4 * (narrow.high - narrow.low)


def test_examples_of_one_group_hang_together() -> None:
    grouped = [
        ballot("a", "b", "left" if n % 3 else "right", number=n, slices={"group": f"g{n // 5}"}) for n in range(60)
    ]
    assert standing(grouped, resamples=500).prompts == 12


def test_few_prompts_give_no_interval_and_no_test() -> None:
    found = standing([ballot("a", "b", "left", number=n) for n in range(9)], resamples=500)
    (group,) = found.groups
    assert (group.candidates[0].share.low, group.pairs[0].p_value, group.pairs[0].better) == (None, None, None)
    assert "too few prompts" in group.pairs[0].conclusion
    assert any("fewer than 10 prompts" in note for note in found.notes)


def test_a_candidate_that_never_lost_has_no_infinite_strength_and_an_honest_interval() -> None:
    never = [ballot("a", "b", "left", number=n) for n in range(20)]
    mixed = [ballot("b", "c", "left" if n % 2 else "right", number=100 + n) for n in range(20)]
    found = standing(never + mixed, resamples=1_000)
    (group,) = found.groups
    first = by_key(group)["a"]
    assert group.separated
    assert first.share.high == 1
    assert first.share.low is not None
    # At most 14 % of prompts would bring a loss, with 95 % confidence: 1 - 0.05^(1/20).
    pair = next(each for each in group.pairs if {each.first, each.second} == {"model a", "model b"})
    assert pair.expected.low == pytest.approx(0.05 ** (1 / 20))
    assert (first.log_odds.low, first.elo.high) == (None, None)
    assert any("2 ties" in note for note in found.notes)


def test_candidates_that_never_met_through_anybody_stand_apart() -> None:
    apart = [ballot("a", "b", "left" if n % 3 else "right", number=n) for n in range(30)]
    apart += [ballot("c", "d", "left" if n % 3 else "right", number=50 + n) for n in range(15)]
    found = standing(apart, resamples=500)
    assert [[each.key for each in group.candidates] for group in found.groups] == [["a", "b"], ["c", "d"]]
    assert any("no common scale" in note for note in found.notes)


def test_both_bad_counts_as_a_tie_and_is_reported_apart() -> None:
    cast = outcomes(left=8, right=4, tie=3, both_bad=5)
    found = standing([ballot("a", "b", outcome, number=n) for n, outcome in enumerate(cast)], resamples=500)
    first = by_key(found.groups[0])["a"]
    assert (first.wins, first.losses, first.ties, first.both_bad) == (8, 4, 3, 5)
    assert first.share.value == pytest.approx(12 / 20)
    assert (found.ties, found.both_bad) == (3, 5)
    assert any(note.startswith("5 votes of 20 said that both answers are bad") for note in found.notes)


def test_slices_are_corrected_together_and_small_ones_left_out() -> None:
    cast = votes({"a": 0.0, "b": 0.6}, 80)
    places = ("short", "long", "rare")
    sliced = [
        each.model_copy(update={"slices": {"length": places[2 if n < 5 else n % 2]}}) for n, each in enumerate(cast)
    ]
    found = standing(sliced, resamples=1_000)
    assert [each.value for each in found.slices] == ["long", "short"]
    long = found.slices[0]
    assert long.votes == len(in_slice(sliced, "length", "long"))
    pairs = [each.groups[0].pairs[0] for each in found.slices]
    assert min(pair.p_adjusted or 0 for pair in pairs) >= 2 * min(pair.p_value or 0 for pair in pairs) - 1e-12
    assert any("2 slices were looked at" in note for note in found.notes)


def test_old_votes_are_counted_for_the_candidate_that_carries_their_name() -> None:
    new = [ballot("k1", "k2", "left", number=n) for n in range(3)]
    old = ballot("model k1", "somebody", "left", number=9, round_id=None, batch_id=None)
    old = old.model_copy(update={"left_name": "model k1", "right_name": "somebody"})
    (group,) = standing([*new, old], resamples=200).groups
    assert by_key(group)["k1"].votes == 4
    assert by_key(group)["somebody"].votes == 1


def test_two_candidates_of_one_name_are_told_apart() -> None:
    same = [ballot("k1", "k2", "left", number=n, left_name="m", right_name="m") for n in range(3)]
    (group,) = standing(same, resamples=200).groups
    assert [each.name for each in group.candidates] == ["m", "m (2)"]


def test_without_votes_there_is_nothing_to_say() -> None:
    with pytest.raises(NothingToCompare, match="no votes yet"):
        standing([])


# Where votes lean


def test_a_lean_to_the_left_and_to_the_longer_answer_is_said() -> None:
    cast = outcomes(left=18, right=4, tie=10)
    ballots = [ballot("a", "b", outcome, number=n, left_characters=99) for n, outcome in enumerate(cast)]
    left, longer = left_leaning(ballots), longer_leaning(ballots)
    assert left is not None
    assert longer is not None
    assert (left.share.value, left.share.n, left.leans) == (18 / 22, 22, True)
    assert "its place on the page speaks for" in left.conclusion
    assert (longer.share.value, longer.leans) == (18 / 22, True)
    balanced = left_leaning([ballot("a", "b", "left" if n % 2 else "right", number=n) for n in range(20)])
    assert balanced is not None
    assert "no lean shown" in balanced.conclusion
    assert longer_leaning([ballot("a", "b", "left")]) is None


def test_votes_on_one_candidate_twice_test_the_judge_and_not_the_candidate() -> None:
    different = [ballot("a", "b", "left" if n % 8 else "tie", number=n) for n in range(40)]
    same = [ballot("a", "a", "left" if n < 6 else "tie", number=50 + n, same_text=n < 2) for n in range(30)]
    found = standing(different + same, resamples=200)
    assert found.votes == 40
    tested = found.self_test
    assert tested is not None
    assert (tested.votes, tested.preferred.value, tested.same_text, tested.same_text_preferred) == (30, 0.2, 2, 2)
    assert tested.left is not None
    assert tested.left.value == 1
    text = " ".join(tested.conclusions)
    assert "Of 30 votes on two answers of the same candidate" in text
    assert "place counts, not content" in text
    assert "more than those within one" in text
    only = standing(same, resamples=200)
    assert (only.votes, only.groups) == (0, ())


def test_a_judge_who_prefers_as_often_within_one_candidate_is_told_so() -> None:
    different = [ballot("a", "b", "left" if n % 2 else "tie", number=n) for n in range(20)]
    same = [ballot("a", "a", ("left", "right", "tie", "tie")[n % 4], number=50 + n) for n in range(12)]
    tested = standing(different + same, resamples=200).self_test
    assert tested is not None
    text = " ".join(tested.conclusions)
    assert "may be of the same kind" in text
    assert "no lean to one side shown" in text
    assert "12 votes are few" in text
