"""What the step Compare says, without a browser: who leads, pairs in words, differences, hostile text, address."""

import json
import re
from html.parser import HTMLParser

import pytest

from results.comparison import shows_difference
from results.conclusions import decision
from results.example_records import BrowsedAnswer, BrowsedExample, ExamplePage
from results.records import BenchmarkComparison, Comparison, Estimate, NotWorse
from results.standings import seen_in, standings, without
from runners.records import Validity
from tests.report_samples import BROKEN, GEMMA, SMOL, comparison, gemma, pair, share, smol
from workbench.steps.compare import choices, examples_view, pairs_view, view
from workbench.steps.compare.examples_view import Shown
from workbench.steps.compare.marking import marked
from workbench.steps.render import join

HOSTILE = "<script>alert(1)</script>\x00\u202e<img src=x onerror=alert(1)> 🙂 مرحبا"
SHOWN = Shown(("A", "B"), "A", "B", "other", 20, is_graded=False)
ALLOWED_TAGS = {
    *("div", "span", "b", "button", "table", "thead", "tbody", "tr", "th", "td", "mark", "details", "summary", "p"),
    "h3",
}


class _Reader(HTMLParser):
    """Tags and text of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def answer(
    text: str, *, right: bool | None = True, validity: Validity = Validity.SCORED, whole: int = 0
) -> BrowsedAnswer:
    return BrowsedAnswer(
        text=text,
        characters=whole or len(text),
        predicted=None,
        validity=validity,
        right=right,
        value=None if right is None else float(right),
        probability=None,
        output_tokens=None,
        e2e_seconds=None,
    )


def one_page(**answers: BrowsedAnswer) -> str:
    example = BrowsedExample(
        example_id="e1", inputs={"text": "hello"}, characters=5, target="yes", slices={}, answers=answers
    )
    return examples_view.page(ExamplePage(examples=(example,), total=1, offset=0), SHOWN)


def third(name: str = "third") -> BenchmarkComparison:
    """Smol and third are tied, Gemma is better than Smol alone."""
    return comparison([smol(), gemma(), smol(name)], [pair(0.001), pair(0.4, SMOL, name), pair(0.3, name, GEMMA)])


def test_standings_say_who_leads_and_who_cannot_be_told_apart() -> None:
    found = standings(third())
    assert (found[GEMMA].place, found[GEMMA].tied_with) == ("tied", ("third",))
    assert (found[SMOL].place, found[SMOL].behind, found[SMOL].tied_with) == ("behind", (GEMMA,), ("third",))
    assert found["third"].place == "tied"
    assert standings(comparison())[BROKEN].place == "unknown"
    assert standings(comparison())[GEMMA].place == "best"
    assert standings(comparison([smol()], []))[SMOL].place == "alone"


def test_the_summary_marks_ties_with_a_sign_and_words() -> None:
    text = _Reader(view.summary(third())).text
    assert "≈ tied for best" in text
    assert f"≈ {GEMMA} and third lead, and the data cannot tell them apart." in text
    assert f"{GEMMA} is shown to be better than every other candidate." in _Reader(view.summary(comparison())).text


def test_columns_and_candidates_can_be_left_out() -> None:
    found = comparison()
    names = [name for _, name in view.columns_of(found)]
    html = view.summary(found, [name for name in names if name != "memory"])
    assert "Peak memory" not in html
    hidden = without(found, {SMOL})
    assert [summary.candidate.name for summary in hidden.candidates] == [GEMMA, BROKEN]
    assert hidden.pairs == ()
    assert without(found, {SMOL, GEMMA, BROKEN}) == found


def test_another_metric_stands_for_quality_with_its_own_pairs() -> None:
    f1 = (
        gemma()
        .metrics[0]
        .model_copy(update={"name": "macro_f1", "title": "Macro F1", "estimate": share(0.7, 0.6, 0.8)})
    )
    both = [each.model_copy(update={"metrics": (*each.metrics, f1)}) for each in (smol(), gemma())]
    other = pair(0.3).model_copy(update={"metric": "macro_f1", "title": "Macro F1"})
    found = comparison(both).model_copy(update={"metric_pairs": (other,)})
    seen = seen_in(found, "macro_f1")
    assert [summary.quality.name for summary in seen.candidates if summary.quality] == ["macro_f1"] * 2
    assert seen.pairs == (other,)
    assert seen.metric_pairs == found.pairs
    assert seen_in(found, "nonsense") == found
    assert "Macro F1" in pairs_view.pairs(seen)


def concluded(found: Comparison) -> str:
    return decision(found, shows_difference(found))


def test_figures_of_a_pair_stand_in_the_order_in_which_its_conclusion_names_the_two() -> None:
    shown = _Reader(str(pairs_view.pairs(comparison([smol(), gemma()]).model_copy(update={"pairs": (pair(0.001),)}))))
    found = shown.text
    assert f"{GEMMA} is better than {SMOL} by 17.2 points" in found
    assert "+17.2 points (+9.4 to +25.0)" in found
    assert found.index("+17.2 points") < found.index("43") < found.index("12", found.index("43"))


def test_pairs_are_decided_in_words() -> None:
    assert concluded(pair(0.001)) == f"{GEMMA} is better than {SMOL} by 17.2 points (9.4 to 25.0)"
    assert concluded(pair(0.4)) == f"{SMOL} and {GEMMA} cannot be told apart"
    few = pair(1.0).model_copy(update={"test": "none", "difference": Estimate(value=0, n=5, method="no interval: 5")})
    assert "cannot be compared" in concluded(few)


@pytest.mark.parametrize(("low", "high", "is_equivalent"), [(-0.02, 0.01, True), (-0.02, 0.031, False)])
def test_equivalent_is_said_only_where_the_whole_interval_lies_within_the_margin(
    low: float, high: float, is_equivalent: bool
) -> None:
    margin = NotWorse(candidate=SMOL, than=GEMMA, margin=0.03, p_value=0.001, p_adjusted=0.001, shown=True)
    close = pair(0.6).model_copy(
        update={"difference": Estimate(value=-0.005, low=low, high=high, n=180, method="paired"), "not_worse": margin}
    )
    assert ("equivalent within 3.0 points" in concluded(close)) == is_equivalent


def test_what_differs_is_marked_and_said() -> None:
    html = join(marked("the cat sat on a mat", "the dog sat on a mat", "only in A"))
    assert re.findall(r"<mark>(.*?)</mark>", html) == [
        '<span class="for-readers">[only in A: </span>cat<span class="for-readers">]</span>'
    ]
    assert "<mark>" not in join(marked("same words", "same words", "only in A"))


def test_a_hundred_thousand_words_are_compared_at_their_beginning_only() -> None:
    html = join(marked("word " * 100_000, "other " * 100_000, "only in A"))
    assert html.count("word") == 100_000


def test_answers_of_a_and_b_are_held_against_each_other() -> None:
    page = one_page(A=answer("billing question"), B=answer("billing complaint", right=False))
    assert "[only in A: " in page
    assert "[only in B: " in page
    assert _Reader(page).text.count("✓ right") == 1
    assert _Reader(page).text.count("✕ wrong") == 1


def test_hostile_answers_stay_text() -> None:
    found = _Reader(one_page(A=answer(HOSTILE), B=answer("plain", right=None, validity=Validity.FAILED)))
    assert found.tags <= ALLOWED_TAGS
    assert not any(name.startswith("on") for name in found.attributes)
    assert "<script>alert(1)</script>" in found.text.replace("[only in A: ", "").replace("]", "")
    assert "⟨U+0000⟩" in found.text
    assert "⟨U+202E⟩" in found.text
    assert "🙂 مرحبا" in found.text


def test_long_answers_are_folded_with_what_is_missing() -> None:
    text = _Reader(one_page(A=answer("x" * 4_000, whole=1_000_000))).text
    assert "… 999,300 more characters" in text
    assert "996,000 more stand in the opened example and the export." in text


def test_no_example_is_a_designed_state() -> None:
    assert "No such example" in examples_view.page(ExamplePage(examples=(), total=0, offset=0), SHOWN)


def test_the_address_reopens_the_same_view() -> None:
    found = comparison()
    columns = [name for _, name in view.columns_of(found)]
    chosen = choices.View("accuracy", (GEMMA, BROKEN), tuple(columns[1:]), BROKEN)
    address = choices.view_address(found, chosen, columns)
    assert choices.asked_view(found, columns, address) == chosen
    place = json.dumps(["channel", "chat"])
    looked = choices.Browsing(GEMMA, SMOL, "first_right", place, "billing", "a & b?", "slowest", 50, "target")
    address = choices.browsing_address(found, looked, 100, "m1/2")
    assert choices.asked_browsing(found, choices.names_of(found), address) == looked
    assert (choices.asked_offset(address), address["c-example"]) == (100, "m1/2")
    usual = choices.asked_browsing(found, choices.names_of(found), {})
    assert not any(choices.browsing_address(found, usual, 0, None).values())


@pytest.mark.parametrize("nonsense", ["", "0", "99", "-1", "x", "1.2.3", "9" * 30, "²"])
def test_an_address_that_makes_no_sense_is_left_out(nonsense: str) -> None:
    names = ("hide", "columns", "metric", "in", "a", "b", "show", "slice", "label", "order", "per", "marks", "from")
    asked = {f"c-{name}": nonsense for name in names}
    found = comparison()
    chosen = choices.asked_view(found, ["license"], asked)
    assert chosen.shown
    assert chosen.candidate in chosen.shown
    looked = choices.asked_browsing(found, chosen.shown, asked)
    assert looked.query(chosen.shown, choices.asked_offset(asked)).limit == 20
