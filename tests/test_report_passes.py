"""Robustness and judges in the report and the terminal: what is said, and that nothing is said where nobody asked."""

import io

from rich.console import Console

from results.judge_records import JudgeAgreement, JudgedCandidate, JudgedPair, JudgeReport
from results.records import Estimate, Robustness, RobustnessResult, SelfAgreement
from tests.report_samples import comparison, content, gemma, pair, smol
from workbench.cli_judge_tables import print_judging
from workbench.cli_pass_tables import print_robustness
from workbench.report.records import ReportContent
from workbench.report.report import render_html, render_json, render_markdown

CONCLUSION = "typos: accuracy falls at n = 90 (−12.0 points (−19.0–−5.0); p = 0.002 after Holm's correction)."


def estimate(value: float, spread: float = 0.05, n: int = 90) -> Estimate:
    return Estimate(value=value, low=value - spread, high=value + spread, n=n, method="made")


ROBUST = Robustness(
    metric="Accuracy",
    unit="share",
    results=(
        RobustnessResult(
            perturbation="typos",
            n=90,
            unperturbed=estimate(0.8),
            perturbed=estimate(0.68),
            difference=estimate(-0.12, 0.07),
            same_answer=estimate(0.77),
            broken=14,
            mended=3,
            p_adjusted=0.002,
            conclusion=CONCLUSION,
        ),
    ),
    without_effect=("shot_order",),
    repeats=SelfAgreement(
        temperature=0.7,
        repeats=5,
        n=90,
        quality=estimate(0.74),
        identical=estimate(0.5),
        pairwise=estimate(0.81),
        kappa=estimate(0.62),
    ),
)
JUDGED = JudgeReport(
    benchmark="support-intents",
    name="judge",
    judge="<b>the judge</b>",
    model_id="/home/someone/judge.gguf",
    mode="rubric",
    lowest=1,
    highest=5,
    made_at="2026-11-20T10:00:00+01:00",
    questions=180,
    unread=4,
    agreements=(
        JudgeAgreement(held_against="right and wrong by the first scorer", n=170, same=estimate(0.7),
                       kappa=estimate(0.31)),
    ),
    min_kappa=0.6,
    warning="Do not decide by these grades: kappa is low.",
    candidates=(JudgedCandidate(name="smol", graded=88, ungraded=2, grade=estimate(0.55)),),
    pairs=(
        JudgedPair(first="smol", second="gemma", n=88, wins=30, losses=40, ties=18, disagreements=15, identical=2,
                   unread=2, win_rate=estimate(0.44)),
    ),
    position_bias=estimate(0.17),
)  # fmt: skip


def measured() -> ReportContent:
    robust = smol().model_copy(update={"robustness": ROBUST})
    return content(comparison=comparison([robust, gemma()], [pair()]), judgings=(JUDGED,))


def test_the_report_has_a_section_on_each_only_where_somebody_asked() -> None:
    asked, not_asked = render_markdown(measured()), render_markdown(content())
    for title in ("## Robustness", "## Judged by a model"):
        assert title in asked
        assert title not in not_asked


def test_the_report_says_what_a_perturbation_did_and_how_far_a_candidate_agrees_with_itself() -> None:
    text = render_markdown(measured())
    assert "falls at n = 90" in text
    assert "shot\\_order changed no prompt" in text or "shot_order changed no prompt" in text
    assert "0.62" in text
    assert "5 at temperature 0.7" in text
    assert "−12.0 points" in text
    assert "14 / 3" in text


def test_agreement_and_warning_stand_before_the_grades_and_names_are_escaped() -> None:
    html = render_html(measured())
    section = html[html.index('id="judging"') :]
    assert (
        section.index("Do not decide by these grades") < section.index("Agreement") < section.index("Grades</caption>")
    )
    assert "<b>the judge</b>" not in html
    assert "30 / 18 / 40" in html


def test_a_shared_report_names_no_path_of_the_judge() -> None:
    for text in (render_html(measured()), render_markdown(measured()), render_json(measured())):
        assert "/home/someone" not in text
    assert "judge.gguf" in render_json(measured())


def shown(draw: object, *arguments: object) -> str:
    stream = io.StringIO()
    assert callable(draw)
    draw(Console(file=stream, width=200), *arguments)
    return stream.getvalue()


def test_the_terminal_says_the_same() -> None:
    robust = shown(print_robustness, [smol().model_copy(update={"robustness": ROBUST}), gemma()])
    assert CONCLUSION in robust
    assert "asked 5 times at temperature 0.7" in robust
    assert "Fleiss' kappa 0.62" in robust
    assert shown(print_robustness, [gemma()]) == ""
    judged = shown(print_judging, JUDGED)
    assert judged.index("kappa 0.31 (0.26 to 0.36)") < judged.index("0.55 (0.50 to 0.60)")
    pairwise = shown(print_judging, JUDGED.model_copy(update={"mode": "pairwise"}))
    assert "The other order gave another verdict on 17.0 % (12.0–22.0) of 90." in pairwise
