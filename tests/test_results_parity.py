"""Parity worked out by hand: agreement, flips, margins, distances, and whether two runs were asked the same."""

import math

import pytest

from results.parity import compare_runs
from results.parity_prompts import check_prompts
from results.parity_records import PromptCheck
from runners.records import CompletionDone, Failure, FailureHappened, PromptRendered, RunResult, Validity
from tests.results_samples import LABELS, judged, spec

HALF = math.log(0.5)


def side(
    name: str,
    answers: tuple[str | None, ...],
    logprobs: tuple[tuple[float, float], ...] = (),
    prompts: tuple[str, ...] = (),
) -> RunResult:
    """A run over e1, e2 … whose targets are yes, no, yes, no …; None is an example without an answer."""
    asked = spec(name, examples=len(answers))
    done = [
        judged(f"e{number}", answer, target=LABELS[(number + 1) % 2], logprobs=logprobs[number - 1] if logprobs else ())
        for number, answer in enumerate(answers, start=1)
        if answer is not None
    ]
    texts = [PromptRendered(request_id=f"e{number}", text=text) for number, text in enumerate(prompts, start=1)]
    return RunResult(spec=asked, status="finished", completions=tuple(done), prompts=tuple(texts))


def test_agreement_flips_and_who_is_right_are_counted_by_hand() -> None:
    """Targets yes, no, yes, no, yes. They part on e2 (second right) and e5 (first right)."""
    report = compare_runs(
        side("A", ("yes", "yes", "yes", "yes", "yes")), side("B", ("yes", "no", "yes", "yes", "no")), at_least=0.6
    )
    assert report.compared == 5
    assert report.agreement is not None
    # Wilson for 3 of 5: (0.6 + 1.9208/5 ± 1.96·√(0.24/5 + 0.9604/25)) / (1 + 3.8416/5)
    assert report.agreement.value == pytest.approx(0.6)
    assert report.agreement.low == pytest.approx(0.2307, abs=1e-4)
    assert report.agreement.high == pytest.approx(0.8824, abs=1e-4)
    assert [(flip.example_id, flip.who_is_right) for flip in report.flips] == [("e2", "second"), ("e5", "first")]
    assert (report.both_right, report.only_first_right, report.only_second_right, report.both_wrong) == (2, 1, 1, 1)
    assert report.p_value == 1.0
    assert report.passes
    assert "same answer on 3 of 5 examples" in report.conclusion[0]
    assert not compare_runs(side("A", ("yes", "yes")), side("B", ("yes", "no")), at_least=0.6).passes


def test_a_flip_is_a_near_tie_only_where_both_margins_are_small() -> None:
    """e1: margins 0.4 and 0.1, near; e2: 0.4 and 2, far, though one side hardly knows."""
    first = side("A", ("yes", "yes"), ((-1.0, -1.4), (-1.0, -1.4)))
    second = side("B", ("no", "no"), ((-1.2, -1.1), (-3.0, -1.0)))
    report = compare_runs(first, second)
    assert [flip.near_tie for flip in report.flips] == [True, False]
    assert report.flips[0].first.margin_nats == pytest.approx(0.4)
    assert report.flips[0].second.margin_nats == pytest.approx(0.1)
    assert report.near_ties == 1
    assert "1 of 2 flips is a near tie" in report.conclusion[1]


def test_the_largest_distance_of_label_scores_is_found_with_its_place() -> None:
    first = side("A", ("yes", "yes"), ((HALF, HALF), (-1.0, -2.0)))
    second = side("B", ("yes", "yes"), ((HALF, HALF - 0.25), (-1.0, -3.5)))
    gap = compare_runs(first, second).logprobs
    assert gap is not None
    # Differences: 0, 0.25, 0, 1.5; their median is halfway between 0 and 0.25.
    assert (gap.labels, gap.largest_nats) == (4, 1.5)
    assert gap.median_nats == pytest.approx(0.125)
    assert (gap.example_id, gap.label, gap.first_logprob, gap.second_logprob) == ("e2", "no", -2.0, -3.5)
    assert compare_runs(side("A", ("yes",)), second).logprobs is None


def test_what_one_side_did_not_answer_is_left_out_and_said() -> None:
    report = compare_runs(side("A", ("yes", None, "yes")), side("B", ("yes", "no", "no")))
    assert (report.examples, report.compared, len(report.flips)) == (3, 2, 1)
    assert any("1 example of 3 left out" in note for note in report.notes)
    nothing = compare_runs(side("A", (None, None)), side("B", ("yes", "no")))
    assert nothing.agreement is None
    assert not nothing.passes
    assert "Nothing can be compared" in nothing.conclusion[0]


def test_two_sides_without_a_label_agree_and_the_report_says_how_often() -> None:
    mumble = judged("e1", "hm", target="yes", validity=Validity.UNPARSEABLE)
    runs = [side(name, ("yes", "no")).model_copy(update={"completions": (mumble,)}) for name in "AB"]
    report = compare_runs(runs[0], runs[1])
    assert report.without_label == 1
    assert report.flips == ()
    assert any("Neither side gave a label on 1 example" in note for note in report.notes)


def test_a_side_that_is_not_finished_does_not_pass() -> None:
    failure = Failure(stage="request", kind="crash", message="It broke.", hint="Mend it.")
    half = side("B", ("yes", "no")).model_copy(
        update={"status": "failed", "failures": (FailureHappened(failure=failure),)}
    )
    report = compare_runs(side("A", ("yes", "no")), half)
    assert not report.passes
    assert report.notes[0] == "B is not finished (failed): It broke."


def test_models_of_other_names_are_compared_and_it_is_said() -> None:
    report = compare_runs(side("A", ("yes",)), side("B", ("yes",)))
    assert report.notes == (
        "The candidates name their models 'owner/A' and 'owner/B'; they are taken to be the same model.",
    )


def prompts_of(first: tuple[str, ...], second: tuple[str, ...], tokens: tuple[int, int] = (20, 20)) -> PromptCheck:
    runs = []
    for name, prompts, count in (("A", first, tokens[0]), ("B", second, tokens[1])):
        run = side(name, ("yes", "no"), prompts=prompts)
        done = tuple(_with_tokens(event, count) for event in run.completions)
        runs.append(run.model_copy(update={"completions": done}))
    return check_prompts(*runs)


def _with_tokens(event: CompletionDone, count: int) -> CompletionDone:
    # A server that counts no tokens leaves pieces of its stream counted, and 0 for the prompt.
    changes = {"prompt_tokens": count, "tokens_from": "engine" if count else "chunks"}
    return event.model_copy(update={"completion": event.completion.model_copy(update=changes)})


def test_prompts_that_differ_are_shown_from_the_character_at_which_they_part() -> None:
    check = prompts_of(("same", "<user>\nhello\n"), ("same", "<user>\nhullo\n"))
    assert (check.state, check.texts, check.different_texts) == ("different", 2, 1)
    assert (check.example_id, check.differs_at) == ("e2", 8)
    assert check.diff[:2] == ("--- A", "+++ B")
    assert {"-hello", "+hullo"} <= set(check.diff)
    assert "differ on 1 of 2 examples, first on e2" in check.sentence


def test_a_line_feed_at_the_end_is_a_difference_that_can_be_seen() -> None:
    check = prompts_of(("a\n", "b"), ("a", "b"))
    assert check.state == "different"
    assert "-" in check.diff


def test_equal_texts_with_other_token_counts_are_different() -> None:
    check = prompts_of(("a", "b"), ("a", "b"), tokens=(20, 21))
    assert check.state == "different"
    assert "start token" in check.sentence
    assert (check.first_tokens, check.second_tokens, check.diff) == (20, 21, ())


@pytest.mark.parametrize(
    ("second", "tokens", "state"),
    [
        (("a", "b"), (20, 20), "same"),
        (("a", "b"), (20, 0), "same"),
        ((), (20, 20), "same_length"),
        ((), (20, 25), "different"),
        ((), (20, 0), "not_known"),
    ],
)
def test_a_prompt_that_is_not_seen_is_judged_by_its_tokens_or_not_at_all(
    second: tuple[str, ...], tokens: tuple[int, int], state: str
) -> None:
    check = prompts_of(("a", "b"), second, tokens)
    assert check.state == state
    assert state in {"same", "not_known"} or "B" in check.sentence
