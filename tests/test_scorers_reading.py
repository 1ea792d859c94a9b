"""What is read out of an answer: labels, choices, refusals. Each table is the rule, spelled out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.records import Validity
from runners.scorers.refusal import refuses
from tests.scoring import answered, example, judge_one, metrics_of, options_of

LABELS = ("billing", "returns", "delivery", "refund", "refund request", "order_status")


def read(text: str, labels: tuple[str, ...] = LABELS, finish: str = "stop") -> tuple[str, str | None]:
    score = judge_one(options_of("label_match"), answered(text, finish=finish), example("x"), labels=labels)
    return score.validity.value, score.predicted


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("billing", "billing"),
        ("  Billing.\n", "billing"),
        ('"returns"', "returns"),
        ("**Delivery**", "delivery"),
        ("「billing」", "billing"),
        ("The label is billing", "billing"),
        ("Label: billing", "billing"),
        ("**Label:** billing", "billing"),
        ("Category = Returns", "returns"),
        ("I thought about returns first. Answer: delivery", "delivery"),
        ("answer: returns\nanswer: delivery", "delivery"),
        ('{"label": "billing"}', "billing"),
        ('```json\n{"category": "Returns"}\n```', "returns"),
        ('["delivery"]', "delivery"),
        ('{"label": "billing", "confidence": "high"}', "billing"),
        ("billing\nbecause the returns are fine", "billing"),
        ("Billing. The customer also speaks of returns.", "billing"),
        ("billing - the returns come later", "billing"),
        ("billing (not a question about returns)", "billing"),
        ("billing\nText: where is it?\nCategory: returns", "returns"),
        ("billing billing billing", "billing"),
        ("This is about billing", "billing"),
        ("It is a refund", "refund"),
        ("refund request", "refund request"),
        ("It is a refund request", "refund request"),
        ("Refund-Request", "refund request"),
        ("order status", "order_status"),
        ("ORDER_STATUS", "order_status"),
        ("ｂｉｌｌｉｎｇ", "billing"),
    ],
)
def test_a_label_is_read_out_of_an_answer(text: str, label: str) -> None:
    assert read(text) == ("scored", label)


@pytest.mark.parametrize(
    "text",
    [
        "returns or billing? I say both",
        "billing and returns",
        "billing, returns",
        "billing/returns",
        "billing\nreturns",
        "billing; returns",
        "maybe returns, maybe billing",
        '{"first": "billing", "second": "returns"}',
        '["billing", "returns"]',
        '{"label": "something"}',
        "I do not know",
        "billings",
        "rebilling",
        "Label: none of them",
    ],
)
def test_several_labels_and_none_are_unparseable(text: str) -> None:
    assert read(text) == ("unparseable", None)


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("答案是退款", ("退款", "配送"), "退款"),
        ("退款。", ("退款", "配送"), "退款"),
        ("답은 환불입니다", ("환불", "배송"), "환불"),
        ("Ответ: ВОЗВРАТ", ("возврат", "доставка"), "возврат"),
        ("Größe", ("GRÖSSE", "farbe"), "GRÖSSE"),
        (unicodedata.normalize("NFD", "réclamation"), ("réclamation", "autre"), "réclamation"),
        ("4", ("4", "5"), "4"),
        ("Rating: 4.", ("4", "5"), "4"),
        ("c++", ("c", "c++"), "c++"),
        ("It is C++ code", ("c", "c++"), "c++"),
        ("US", ("US", "us"), "US"),
        ("non-toxic", ("toxic", "non-toxic"), "non-toxic"),
    ],
)
def test_labels_of_other_scripts_and_labels_inside_labels(text: str, labels: tuple[str, ...], label: str) -> None:
    assert read(text, labels) == ("scored", label)


@pytest.mark.parametrize(
    ("text", "labels"),
    [("4.5", ("4", "5")), ("14", ("4", "5")), ("Us", ("US", "us")), ("退款还是配送", ("退款", "配送"))],
)
def test_what_could_be_two_labels_or_a_part_of_a_word_is_unparseable(text: str, labels: tuple[str, ...]) -> None:
    assert read(text, labels) == ("unparseable", None)


@given(
    st.sampled_from(LABELS), st.sampled_from(["{}", "{}.", '"{}"', "Label: {}", "**{}**", " {}\n", "The answer is {}."])
)
def test_a_label_is_read_in_any_case_and_form(label: str, frame: str) -> None:
    for spelled in (label, label.upper(), label.title(), unicodedata.normalize("NFD", label)):
        assert read(frame.format(spelled)) == ("scored", label)


@pytest.mark.parametrize(
    ("text", "finish", "validity"),
    [
        ("I'm sorry, but I can't help with that.", "stop", "refused"),
        ("I'm sorry, but I can't help with", "length", "refused"),
        ("As an AI language model, I cannot classify this. It may be billing", "stop", "scored"),
        ("I think that the", "length", "truncated"),
        ("", "stop", "empty"),
        ("", "overflow", "overflow"),
        ("", "refused", "refused"),
    ],
)
def test_what_cannot_be_read_is_called_what_it_is(text: str, finish: str, validity: str) -> None:
    assert read(text, finish=finish)[0] == validity


@pytest.mark.parametrize(
    "text",
    [
        "I can't help with that.",
        "I’m sorry, but I can’t assist with that request.",
        "I cannot provide that information.",
        "Sorry, I am unable to answer that.",
        "I apologize, but I cannot fulfill this request.",
        "As an AI language model, I don't have personal opinions.",
        "As an AI, I cannot do that.",
        "I'm just an AI model, I can't say.",
        "Unfortunately, I can't provide legal advice.",
        "I must decline.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Ich kann diese Frage leider nicht beantworten.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Lo siento, pero no puedo ayudar con eso.",
        "Mi dispiace, ma non posso aiutarti.",
        "Desculpe, mas não posso ajudar com isso.",
        "Извините, но я не могу помочь с этим.",
        "很抱歉，我无法提供这方面的帮助。",
        "抱歉，作为一个AI语言模型，我无法回答。",
        "申し訳ありませんが、その質問にはお答えできません。",
    ],
)
def test_these_are_refusals(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "The customer cannot help with that.",
        "Paris. I can't help with more than that.",
        "I cannot recommend this hotel: the room was cold.",
        "Sorry for the delay, your parcel arrives tomorrow.",
        "AI language models cannot think.",
        "The answer is: I can't help with that.",
        "Unfortunately, it rained.",
        "I won't be there on Monday.",
        "",
    ],
)
def test_these_are_none(text: str) -> None:
    assert not refuses(text)


CHOICES = ("Paris", "Rome", "New York", "York")


def chosen(text: str, choices: tuple[str, ...] = CHOICES) -> str | None:
    return judge_one(options_of("choice_match"), text, example(choices[0], choices=choices)).predicted


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("A", "Paris"),
        ("b", "Rome"),
        ("(B)", "Rome"),
        ("B.", "Rome"),
        ("**C**", "New York"),
        ("B) Rome", "Rome"),
        ("B. I think so", "Rome"),
        ("B. A city in Italy", "Rome"),
        ("B. Rome", "Rome"),
        ("Answer: C", "New York"),
        ("The answer is (D).", "York"),
        ("The correct answer is **B**.", "Rome"),
        ("Let me think. A is wrong.\nAnswer: B", "Rome"),
        ("2", "Rome"),
        ("Option 2", "Rome"),
        ("Rome", "Rome"),
        ("rome.", "Rome"),
        ("It is New York.", "New York"),
        ("York", "York"),
        ("I think it must be D", "York"),
        ("I believe (A) is right", "Paris"),
        ("A\nBecause it is in France, not Italy like Rome.", "Paris"),
    ],
)
def test_a_choice_is_read_by_letter_number_or_text(text: str, choice: str) -> None:
    assert chosen(text) == choice


@pytest.mark.parametrize(
    "text", ["Rome or Paris", "B) Paris", "E", "7", "A or B", "A. B.", "neither", "I think so", "(A) or (B)"]
)
def test_two_choices_a_contradiction_and_none_are_unparseable(text: str) -> None:
    score = judge_one(options_of("choice_match"), text, example("Paris", choices=CHOICES))
    assert (score.validity, score.predicted) == (Validity.UNPARSEABLE, None)


def test_a_number_that_is_a_choice_is_that_choice_and_not_its_place() -> None:
    assert chosen("2", ("4", "3", "2", "1")) == "2"
    assert chosen("Answer: 3", ("10", "20", "30")) == "30"


def test_scored_choices_count_raw_and_per_byte_and_the_option_decides() -> None:
    # Worked by hand: -4.0 > -6.0 in all, but -6.0 ÷ 12 = -0.5 > -4.0 ÷ 4 = -1.0 per byte ("Köln" has five).
    row = example("Gelsenkirche", choices=("Bonn", "Gelsenkirche"))
    completion = answered("Bonn", logprobs=[("Bonn", -4.0), ("Gelsenkirche", -6.0)])
    raw = judge_one(options_of("choice_match"), completion, row)
    normalised = judge_one(options_of("choice_match", decides="normalised"), completion, row)
    assert (raw.value, raw.predicted) == (0, "Bonn")
    assert (normalised.value, normalised.predicted) == (1, "Gelsenkirche")
    assert raw.counts == normalised.counts == {"raw": 0, "normalised": 1}
    assert metrics_of(options_of("choice_match"), [raw, raw]) == {
        "accuracy": 0,
        "accuracy_raw": 0,
        "accuracy_normalised": 1,
    }


def test_bytes_and_not_characters_normalise_and_a_baseline_is_taken_off_first() -> None:
    row = example("ÄÖÜ", choices=("ÄÖÜ", "abc"))
    scores = [
        {"choice": "ÄÖÜ", "logprob": -5.0, "tokens": 1},
        {"choice": "abc", "logprob": -4.0, "tokens": 1},
    ]
    plain = judge_one(options_of("choice_match"), answered("abc", method="scored_choices", choice_scores=scores), row)
    assert plain.counts == {"raw": 0, "normalised": 1}
    with_baseline = [scores[0] | {"baseline_logprob": -4.9}, scores[1] | {"baseline_logprob": -1.0}]
    completion = answered("abc", method="scored_choices", choice_scores=with_baseline)
    assert judge_one(options_of("choice_match"), completion, row).counts == {"raw": 1, "normalised": 1}


def test_choices_that_were_scored_as_letters_are_those_at_their_places() -> None:
    row = example("Rome", choices=CHOICES)
    completion = answered("B", logprobs=[("A", -3.0), ("B", -1.0), ("C", -2.0), ("D", -4.0)])
    assert judge_one(options_of("choice_match"), completion, row).predicted == "Rome"


def test_a_prompt_that_did_not_fit_is_wrong_by_both_rules() -> None:
    completion = answered("", finish="overflow", method="scored_choices")
    score = judge_one(options_of("choice_match"), completion, example("Rome", choices=CHOICES))
    assert (score.validity, score.counts) == (Validity.OVERFLOW, {"raw": 0, "normalised": 0})
