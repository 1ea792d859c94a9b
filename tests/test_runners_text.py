"""Text on its way: prompts, chat templates, stop strings, characters over several tokens, labels in answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.chat_template import render_conversation
from runners.errors import BadTemplate
from runners.prompts import example_request, neutral_requests
from runners.records import Completion, Message, Validity, Workload
from runners.scorer_options import LabelMatchOptions
from runners.scorers.registry import open_scorer
from runners.stop_strings import StopStrings
from runners.test_set_records import Example, PromptTemplate
from runners.utf8_pieces import Utf8Pieces
from tests.making import make_examples, make_test_set

CHATML = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
TURNS = (Message(role="system", content="Be brief."), Message(role="user", content="Hello"))


def test_a_chat_template_renders_turns_and_leaves_the_answer_open() -> None:
    assert render_conversation(TURNS, CHATML).text == "<|system|>Be brief.<|user|>Hello<|assistant|>"


def test_a_template_that_refuses_system_turns_gets_the_text_in_the_first_user_turn() -> None:
    assert render_conversation(TURNS, NO_SYSTEM).text == "<|user|>Be brief.\n\nHello<|assistant|>"


def test_a_template_is_told_whether_the_model_may_think_only_where_somebody_says_so() -> None:
    template = "{% if enable_thinking is defined %}{{ enable_thinking }}{{ thinking }}{% else %}as it likes{% endif %}"
    turns = (Message(role="user", content="hi"),)
    said = [render_conversation(turns, template, enable_thinking=choice).text for choice in (None, True, False)]
    assert said == ["as it likes", "TrueTrue", "FalseFalse"]


def test_a_base_model_gets_plain_text_with_answers_after_their_questions() -> None:
    turns = (*TURNS, Message(role="assistant", content="Hi"), Message(role="user", content="And?"))
    rendered = render_conversation(turns, None)
    assert rendered.text == "Be brief.\n\nHello Hi\n\nAnd?"
    assert rendered.separator == " "


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__.__base__ }}",
        "{{ messages.append(1) }}",
        "{% for m in messages %}",
        "{{ messages[9].content }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    ],
)
def test_a_hostile_or_broken_chat_template_is_refused_or_harmless(template: str) -> None:
    try:
        text = render_conversation(TURNS, template).text
    except BadTemplate:
        return
    assert "class" not in text
    assert "uid=" not in text


def test_a_prompt_template_sees_columns_and_labels_and_few_shot_stands_before_the_example() -> None:
    test_set = make_test_set(3, few_shot=(Example(id="s", inputs={"text": "shot"}, target="billing"),))
    request = example_request(test_set, test_set.examples[0], Workload(kind="accuracy"))
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "user"]
    assert request.messages[0].content == "Answer with one of: delivery, returns, billing."
    assert request.messages[2].content == "billing"
    assert request.choices == test_set.labels


def test_an_unknown_column_in_a_prompt_template_names_the_columns() -> None:
    test_set = make_test_set().model_copy(update={"prompt": PromptTemplate(user="{{ texxt }}")})
    with pytest.raises(BadTemplate, match="text, labels"):
        example_request(test_set, test_set.examples[0], Workload(kind="accuracy"))


def test_text_of_an_example_is_never_rendered_as_a_template() -> None:
    example = Example(id="x", inputs={"text": "{{ 7 * 7 }}"}, target="billing")
    request = example_request(make_test_set(), example, Workload(kind="accuracy"))
    assert request.messages[-1].content == "{{ 7 * 7 }}"


def test_neutral_prompts_look_like_the_measured_ones_but_are_not_from_the_test_set() -> None:
    test_set = make_test_set()
    texts = {example.inputs["text"] for example in test_set.examples}
    neutral = neutral_requests(test_set, Workload(kind="latency"), 5)
    assert len({request.id for request in neutral}) == 5
    assert not texts & {request.messages[-1].content for request in neutral}
    assert {request.messages[0].content for request in neutral} == {"Answer with one of: delivery, returns, billing."}


@given(st.text(), st.lists(st.text(min_size=1, max_size=4), max_size=3), st.integers(1, 5))
def test_a_text_in_pieces_ends_at_the_first_stop_string(text: str, stops: list[str], size: int) -> None:
    stopper = StopStrings(stops)
    seen = ""
    for start in range(0, len(text), size):
        seen += stopper.add(text[start : start + size])
        if stopper.reached:
            break
    if not stopper.reached:
        seen += stopper.flush()
    if stopper.reached:
        assert any(text[len(seen) :].startswith(stop) for stop in stops)
        assert not any(stop in seen for stop in stops)
    else:
        assert seen == text


@given(st.binary(), st.integers(1, 4))
def test_bytes_in_pieces_give_the_text_of_the_whole(data: bytes, size: int) -> None:
    pieces = Utf8Pieces()
    text = "".join(pieces.add(data[start : start + size]) for start in range(0, len(data), size)) + pieces.flush()
    assert text == data.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("text", "finish", "validity", "predicted"),
    [
        ("billing", "stop", Validity.SCORED, "billing"),
        ("  Billing.\n", "stop", Validity.SCORED, "billing"),
        ('"returns"', "stop", Validity.SCORED, "returns"),
        ("delivery\nbecause the billing is fine", "length", Validity.SCORED, "delivery"),
        ("The intent is: returns", "stop", Validity.SCORED, "returns"),
        ("returns or billing? I say both", "stop", Validity.UNPARSEABLE, None),
        ("maybe returns, maybe billing", "stop", Validity.UNPARSEABLE, None),
        ("I cannot say", "stop", Validity.UNPARSEABLE, None),
        ("I think that the", "length", Validity.TRUNCATED, None),
        ("", "stop", Validity.EMPTY, None),
        (" \n", "stop", Validity.EMPTY, None),
        ("", "overflow", Validity.OVERFLOW, None),
    ],
)
def test_a_generated_answer_is_read_as_a_label_or_counted_apart(
    text: str, finish: str, validity: Validity, predicted: str | None
) -> None:
    test_set = make_test_set()
    completion = Completion.model_validate(
        {
            "request_id": "e0",
            "workload": "accuracy",
            "text": text,
            "finish_reason": finish,
            "method": "generated",
            "prompt_tokens": 1,
        }
    )
    score = open_scorer(LabelMatchOptions())(completion, make_examples(1)[0], test_set)
    assert (score.validity, score.predicted) == (validity, predicted)
    assert score.value == (1.0 if predicted == "delivery" else 0.0)
