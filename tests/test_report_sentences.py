"""Every sentence of the decision and of the risks follows the records: change one fact, and it changes or goes.

Each case of the table names the fact, how it is changed, what must go and what must come. Everything else on the first
page that does not speak of that fact must stay as it is.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.records import Ancestor, ModelQuery, Profile, RuleCount, VerdictValue
from results import numbers
from results.judge_records import JudgeReport
from results.recommendation import recommend
from results.recommendation_records import SliceWinner, Stability, WeightChange, WinShare
from results.records import BenchmarkComparison, CandidateSummary, RunStart, ValidityCount
from results.requirement_records import CandidateCost, Limits, Prices, Requirements
from results.shortlist_records import Funnel
from runners.records import EarlyStop, Validity
from runners.test_set_records import Problem
from tests.report_samples import (
    BROKEN,
    GEMMA,
    REQUIREMENTS,
    SMOL,
    accuracy,
    broken,
    comparison,
    content,
    gemma,
    middle,
    pair,
    share,
    smol,
)
from workbench.report.decision import decision_section
from workbench.report.document import Cards, Facts, Headline, Paragraph, Section, Table
from workbench.report.funnel import funnel_section
from workbench.report.records import ReportContent
from workbench.report.risks import find_risks


def made(
    candidates: tuple[CandidateSummary, ...] | None = None,
    requirements: Requirements = REQUIREMENTS,
    p_adjusted: float = 0.0004,
) -> ReportContent:
    """A report whose recommendation follows from its comparison."""
    found = comparison(candidates or (smol(), gemma(), broken()), [pair(p_adjusted)])
    return content(comparison=found, recommendation=recommend(found, requirements), test_set_problems=())


def statements(section: Section) -> list[str]:
    """Everything that a section says, one statement each."""
    said: list[str] = []
    for block in section.blocks:
        match block:
            case Headline():
                said += block.lines
            case Facts():
                said += [f"{fact.name}: {fact.value} ({fact.detail})" for fact in block.facts]
            case Cards():
                # Of risks the first page shows the gravest few; all of them are held to their rules below.
                for card in (card for card in block.cards if card.title != "What could be wrong"):
                    badge = card.badge.word if card.badge else ""
                    said += [f"{card.title} {badge} {card.text}".strip(), *(item.text for item in card.items)]
            case Table():
                said += [" | ".join(f"{cell.text} {cell.detail}".strip() for cell in row) for row in block.rows]
            case Paragraph():
                said.append(block.text)
    return said


def everything(report: ReportContent) -> list[str]:
    """The first page, the risks with their advice, and the way to the choice."""
    risks = [f"{risk.grade}: {risk.text} {risk.advice}" for risk in find_risks(report)]
    return [*statements(decision_section(report)), *risks, *statements(funnel_section(report))]


Change = Callable[[], ReportContent]


def with_gemma(**changes: object) -> ReportContent:
    return made((smol(), gemma().model_copy(update=changes), broken()))


def with_verdict(**changes: object) -> ReportContent:
    return with_gemma(verdict=gemma().verdict.model_copy(update=changes))


def with_candidate(**changes: object) -> ReportContent:
    return with_gemma(candidate=gemma().candidate.model_copy(update=changes))


def with_made(**changes: object) -> ReportContent:
    report = made()
    return report.model_copy(update={"recommendation": report.recommendation.model_copy(update=changes)})


def with_content(**changes: object) -> ReportContent:
    return made().model_copy(update=changes)


def with_comparison(**changes: object) -> ReportContent:
    report = made()
    return report.model_copy(update={"comparison": report.comparison.model_copy(update=changes)})


def quality(value: float, low: float, high: float, n: int = 180) -> dict[str, object]:
    return {"metrics": (accuracy(share(value, low, high, n)),)}


def stability(first: float) -> Stability:
    shares = (WinShare(name=GEMMA, share=first), WinShare(name=SMOL, share=round(1 - first, 3)))
    return Stability(resamples=2_000, seed=0, shares=shares, nobody=0, method="resampled")


FUNNEL = Funnel(
    shortlist="mail",
    version=2,
    kept_at="2026-11-19T10:00:00+01:00",
    source_date="2026-11-15",
    profile=Profile(),
    query=ModelQuery(),
    considered=5_000,
    excluded=(RuleCount(rule="verdict", count=900), RuleCount(rule="fits", count=3_100)),
    chosen=("google/gemma-3-270m", "HuggingFaceTB/SmolLM2-135M-Instruct"),
)


def with_funnel() -> ReportContent:
    benchmark = made().comparison.benchmark.model_copy(update={"funnel": FUNNEL})
    return with_comparison(benchmark=benchmark)


def judge(warning: str | None) -> JudgeReport:
    return JudgeReport(
        benchmark="b",
        name="judge",
        judge="big",
        model_id="m",
        mode="rubric",
        lowest=1,
        highest=5,
        made_at="2026-11-20T10:00:00+01:00",
        questions=10,
        unread=0,
        min_kappa=0.6,
        warning=warning,
    )


STOPPED = EarlyStop(against=GEMMA, examples=60, value=0.4, against_value=0.7, e_value=70.0, threshold=60.0, alpha=0.05)
LOST = Ancestor(model_id="someone/gone", relation="merge", source="card")


class Case(NamedTuple):
    """One fact of the records, changed."""

    name: str
    change: Change
    gone: tuple[str, ...]
    """What the report said before and must not say now."""
    come: tuple[str, ...]
    """What it must say now and did not before."""
    about: str
    """Pattern of the statements that may differ; all others must stay as they are."""


BEFORE = made
CASES = [
    Case("winner", lambda: with_gemma(**quality(0.45, 0.38, 0.52)), (f"Use {GEMMA}",), (f"Use {SMOL}",), ".*"),
    Case(
        "value",
        lambda: with_gemma(**quality(0.8, 0.73, 0.85)),
        ("73.3 %",),
        ("80.0 %", "73.0–85.0"),
        "Accuracy|accuracy|right on|wins|rests on",
    ),
    Case(
        "interval overlap",
        lambda: made(p_adjusted=0.3),
        ("higher accuracy",),
        ("no difference in accuracy shown", "No difference in accuracy is shown"),
        ".*",
    ),
    Case(
        "n",
        lambda: with_gemma(**quality(0.7333, 0.664, 0.793, 60)),
        ("n = 180",),
        ("n = 60", "rests on 60 examples"),
        "n =|right on|rests on|risk",
    ),
    Case(
        "width",
        lambda: with_gemma(**quality(0.7333, 0.60, 0.83)),
        (),
        ("its 95 % interval spans 23.0 points", "n = 180 is small"),
        "Accuracy|right on|rests on|Mind|risk|Against",
    ),
    Case(
        "latency",
        lambda: with_gemma(e2e_p50_seconds=middle(0.5)),
        ("268 ms",),
        ("500 ms",),
        "End to end|end to end|Against|wins|would|time",
    ),
    Case(
        "memory", lambda: with_gemma(peak_memory_bytes=900 * 2**20), ("512 MiB",), ("900 MiB",), "memory|wins|MiB|would"
    ),
    Case(
        "memory beyond prediction",
        lambda: with_gemma(peak_memory_bytes=490 * 2**20),
        (f"{GEMMA} took 512 MiB, more than the 498 MiB predicted",),
        ("490 MiB",),
        "memory|MiB|wins|would",
    ),
    Case(
        "verdict forbidden",
        lambda: with_verdict(value=VerdictValue.FORBIDDEN),
        (f"Use {GEMMA}",),
        (f"Use {SMOL}", "license verdict is forbidden"),
        ".*",
    ),
    Case(
        "conditions",
        lambda: with_verdict(conditions=("Show the notice.",)),
        ("3 conditions",),
        ("1 condition", "Show the notice."),
        "condition|license|License|Follow|Pass|hosted|notice",
    ),
    Case(
        "license unread",
        lambda: with_verdict(verified=False),
        (),
        ("The license text was not read.", "The license text of"),
        "License|license text",
    ),
    Case(
        "lineage",
        lambda: with_verdict(declared_value=VerdictValue.ALLOWED),
        (),
        ("what the model was made from makes it conditional",),
        "declared license|risk|The license of|more",
    ),
    Case(
        "lineage unknown",
        lambda: with_verdict(lineage=(LOST,)),
        (),
        ("merged from someone/gone: not in the catalog",),
        "merged from|risk|more",
    ),
    Case(
        "revision",
        lambda: with_candidate(revision=None),
        (),
        (f"{GEMMA}: revision not recorded.", "revision not recorded"),
        "revision",
    ),
    Case("quantization", lambda: with_candidate(quantization="Q8_0"), ("Form: Q4_K_M",), ("Form: Q8_0",), "Form"),
    Case(
        "endpoint",
        lambda: with_candidate(engine="endpoint"),
        ("AMD EPYC",),
        ("the machine behind it is not known", "whoever runs it can change"),
        "Machine|Engine|endpoint|risk",
    ),
    Case(
        "status",
        lambda: with_gemma(status="incomplete"),
        (),
        (f"The run of {GEMMA} is incomplete.", "its run is incomplete"),
        "incomplete|Mind|risk",
    ),
    Case(
        "truncated",
        lambda: with_gemma(validity=(ValidityCount(validity=Validity.TRUNCATED, count=7),)),
        (),
        (f"7 answers of {GEMMA} were cut off",),
        "cut off|risk",
    ),
    Case(
        "not scored",
        lambda: with_gemma(validity_warning="9 of 180 examples were not scored."),
        (),
        ("serious: " + GEMMA + ": 9 of 180",),
        "not scored|Mind|risk|license",
    ),
    Case(
        "noise",
        lambda: with_gemma(e2e_p50_seconds=middle(0.268, 0.2)),
        (),
        (f"The end-to-end times of {GEMMA} spread widely",),
        "End to end|spread|risk",
    ),
    Case(
        "early stop",
        lambda: made((smol().model_copy(update={"stopped": STOPPED, "status": "stopped"}), gemma(), broken())),
        (f"Runner-up: {SMOL}",),
        ("Runner-up: none",),
        ".*",
    ),
    Case(
        "stability",
        lambda: with_made(stability=stability(0.61)),
        (),
        (f"{GEMMA} wins in only 61.0 % of 2,000 resamples",),
        "resamples|risk|license",
    ),
    Case(
        "near weight",
        lambda: with_made(sensitivity=(WeightChange(weight="quality", current=0.6, needed=0.55, new_winner=SMOL),)),
        (),
        ("share of quality falls from 60.0 % to 55.0 %",),
        "wins where|risk|if |more",
    ),
    Case(
        "ruled out",
        lambda: made(requirements=Requirements(limits=Limits(max_e2e_p95_seconds=0.3))),
        (f"Use {GEMMA}",),
        ("end-to-end time (p95) is 341 ms", f"Use {SMOL}"),
        ".*",
    ),
    Case(
        "nobody",
        lambda: made(requirements=Requirements(limits=Limits(max_e2e_p95_seconds=0.1))),
        ("Use ", "Runner-up"),
        ("No candidate meets every limit.",),
        ".*",
    ),
    Case(
        "price",
        lambda: made(requirements=REQUIREMENTS.model_copy(update={"prices": Prices(machine_per_hour=1.0)})),
        ("no price was given",),
        ("at 1.00 EUR an hour",),
        "cost|Against|EUR|wins|would|where",
    ),
    Case(
        "slice",
        lambda: with_made(
            slices=(
                SliceWinner(
                    column="channel", value="chat", n=57, best=SMOL, quality=0.8, not_separated=(), sentence="s"
                ),
            )
        ),
        (),
        ("for channel = chat, where it is shown better.",),
        "channel = chat|if ",
    ),
    Case(
        "test set",
        lambda: with_content(
            test_set_problems=(
                Problem(
                    severity="warning",
                    rule="near_duplicate",
                    message="Rows 3 and 9 are nearly the same",
                    fix="Keep one.",
                ),
            )
        ),
        (),
        ("Test set, near duplicate: Rows 3 and 9", "Keep one."),
        "Test set|risk",
    ),
    Case(
        "test set gone",
        lambda: with_content(test_set_problems=None),
        (),
        ("The test set was not checked again",),
        "not checked",
    ),
    Case(
        "busy machine",
        lambda: with_content(first_start=RunStart(candidate=SMOL, load_average=6.5)),
        (),
        ("6.5 processes on 8 cores",),
        "busy|risk",
    ),
    Case(
        "judge",
        lambda: with_content(judgings=(judge("agreement is below 0.60."),)),
        (),
        ("The judge big: agreement is below 0.60.",),
        "judge|risk",
    ),
    Case(
        "other version",
        lambda: with_comparison(notes=("One run used another version.",)),
        (),
        ("One run used another version.",),
        "version|risk",
    ),
    Case(
        "funnel",
        with_funnel,
        ("named by hand",),
        ("of 5,000 models in the catalog of 2026-11-15, 1,000 passed every filter", "Does not fit | 3,100 | 1,000"),
        "shortlist|named by hand|catalog|verdict|fit",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_changed_fact_changes_its_sentences_and_no_others(case: Case) -> None:
    before, after = everything(BEFORE()), everything(case.change())
    text_before, text_after = "\n".join(before), "\n".join(after)
    for gone in case.gone:
        assert gone in text_before, gone
        assert gone not in text_after, gone
    for come in case.come:
        assert come not in text_before, come
        assert come in text_after, come
    strangers = [said for said in set(before) ^ set(after) if not re.search(case.about, said)]
    assert strangers == []


def test_every_rule_of_risks_is_in_the_table() -> None:
    """A rule that no case sets off would be a sentence that nobody tests."""
    seen = {risk.rule for case in CASES for risk in find_risks(case.change())} | {
        risk.rule for risk in find_risks(BEFORE())
    }
    stopped = made((gemma(), smol().model_copy(update={"stopped": STOPPED, "status": "stopped"})))
    seen |= {risk.rule for risk in find_risks(stopped)}
    few = smol().slices[0].metrics[0].model_copy(update={"estimate": share(0.5, 0.3, 0.7, 12)})
    small = smol().model_copy(update={"slices": (smol().slices[0].model_copy(update={"metrics": (few,)}),)})
    seen |= {risk.rule for risk in find_risks(made((small, gemma())))}
    named = {
        "license",
        "sample",
        "stability",
        "tie",
        "near_weight",
        "early_stop",
        "status",
        "memory",
        "truncated",
        "not_scored",
        "lineage",
        "lineage_unknown",
        "unread_license",
        "endpoint",
        "unpinned",
        "noise",
        "busy",
        "test_set_gone",
        "test_set_near_duplicate",
        "judge",
        "small_slices",
        "other_version",
    }
    assert seen == named


NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
PLAIN_NUMBERS = {"95", "50", "1,000", "1", "0", "1,000,000"}
"""Of words: p95, 95 %, 1,000 examples."""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    value=st.floats(0.3, 0.95),
    half=st.floats(0.01, 0.1),
    n=st.integers(30, 3_000),
    seconds=st.floats(0.01, 9.0),
    mebibytes=st.integers(100, 1_800),
    price=st.floats(0.1, 20.0),
)
def test_every_number_on_the_first_page_stands_in_the_records(
    value: float, half: float, n: int, seconds: float, mebibytes: int, price: float
) -> None:
    winner = gemma().model_copy(
        update={
            **quality(value, max(0.0, value - half), min(1.0, value + half), n),
            "e2e_p50_seconds": middle(seconds),
            "peak_memory_bytes": mebibytes * 2**20,
        }
    )
    report = made((smol(), winner), Requirements(prices=Prices(machine_per_hour=price)))
    known = PLAIN_NUMBERS | set(NUMBER.findall(" ".join(formatted(report.comparison, report.recommendation.costs))))
    known |= set(NUMBER.findall(" ".join(sources(report))))
    for said in statements(decision_section(report)):
        strange = [number for number in NUMBER.findall(said) if number not in known]
        assert not strange, (said, strange)


def formatted(found: BenchmarkComparison, costs: tuple[CandidateCost, ...]) -> list[str]:
    """Every number of the records, as the one formatter shows it."""
    texts = [numbers.count(found.benchmark.examples)]
    for summary in found.candidates:
        for metric in summary.metrics:
            width = (metric.estimate.high or 0) - (metric.estimate.low or 0)
            texts += [numbers.estimate(metric.estimate, "percent"), numbers.count(metric.estimate.n)]
            texts.append(numbers.points(width))
        for estimate in (summary.e2e_p50_seconds, summary.e2e_p95_seconds, summary.ttft_p50_seconds):
            texts.append(numbers.estimate(estimate, "seconds"))
        for size in (summary.peak_memory_bytes, summary.predicted_memory_bytes, summary.candidate.weights_bytes):
            texts.append(numbers.bytes_(size))
        texts.append(numbers.count(summary.loaded.context_tokens if summary.loaded else None))
        counts = (numbers.count(line.count) for line in summary.validity)
        texts += [*counts, summary.validity_warning or "", str(len(summary.verdict.conditions))]
    for each in found.pairs:
        texts += [numbers.p_value(each.p_adjusted), numbers.count(each.n)]
    machine = found.benchmark.machine
    if machine is not None:
        texts += [str(machine.physical_cores), numbers.bytes_(machine.memory_total_bytes), machine.cpu]
    return [*texts, *(numbers.money(cost.per_1000_examples, cost.currency) for cost in costs)]


def sources(report: ReportContent) -> list[str]:
    """Names, versions and requirements: numbers in them are no measurements."""
    asked = report.recommendation.requirements
    texts = [numbers.money(asked.prices.machine_per_hour, asked.prices.currency)]
    for summary in report.comparison.candidates:
        candidate, loaded = summary.candidate, summary.loaded
        texts += [candidate.name, candidate.model_id, candidate.weights_path, candidate.revision or ""]
        texts += [loaded.engine_version if loaded else "", (candidate.revision or "")[:12]]
        texts += [summary.verdict.license or "", *summary.verdict.conditions]
        texts += [*(place.sentence for place in report.recommendation.limit_sensitivity)]
    for change in report.recommendation.sensitivity:
        texts += [numbers.percent(change.current), numbers.percent(change.needed)]
    return [*texts, str(BROKEN), *(str(number) for number in range(2, 10))]
