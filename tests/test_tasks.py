"""What is asked of a model by task: choices of each example, letters, few-shot examples, several prompts."""

from pathlib import Path

import pytest

from runners.few_shot import choose_few_shot
from runners.process import RunFolder, run_in_worker
from runners.prompts import example_request, neutral_request
from runners.records import ChoiceScore, Completion, RunResult, RunSpec, Workload
from runners.scorer_options import ChoiceMatchOptions, ExactMatchOptions
from runners.test_set_records import Example, PromptTemplate, TestSet
from tests.making import make_spec, make_test_set, small_llama_options
from tests.test_cli import TEST_SET, printed, workbench
from workbench.benchmark_file import read_benchmark_file
from workbench.errors import BadBenchmarkFile
from workbench.task_defaults import usual_prompt, usual_workload
from workbench.test_sets import prepare_benchmark

ACCURACY = Workload(kind="accuracy")
CAPITALS = TestSet(
    name="capitals",
    task="multiple_choice",
    labels=(),
    examples=tuple(
        Example(id=place, inputs={"text": f"The capital of {place} is"}, target=right, choices=choices)
        for place, right, choices in (
            ("France", "Paris", ("London", "Paris", "Rome")),
            ("Italy", "Rome", ("Berlin", "Madrid", "Rome", "Vienna")),
            ("Japan", "Tokyo", ("Tokyo", "Beijing")),
        )
    ),
    prompt=PromptTemplate(user="{{ text }}"),
    scorers=(),
)
DEMO = Path(__file__).parents[1] / "workbench" / "demo" / "demo.yaml"


def run(spec: RunSpec, path: Path) -> RunResult:
    return run_in_worker(spec, RunFolder(path), on_event=lambda _: None, is_cancelled=lambda: False)


def answers(result: RunResult) -> dict[str, Completion]:
    return {event.completion.request_id: event.completion for event in result.completions}


def test_the_hash_of_a_test_set_is_what_it_was_before_there_were_other_tasks() -> None:
    definition, _ = read_benchmark_file(DEMO)
    assert prepare_benchmark(definition, DEMO.parent).test_set.content_hash == "861f0bab74280725fcdee4e1007a122a"


def test_each_example_has_its_own_choices() -> None:
    requests = [example_request(CAPITALS, example, ACCURACY) for example in CAPITALS.examples]
    assert [request.choices for request in requests] == [example.choices for example in CAPITALS.examples]
    free = ACCURACY.model_copy(update={"answers": "free"})
    assert example_request(CAPITALS, CAPITALS.examples[0], free).choices == ()
    assert example_request(CAPITALS, CAPITALS.examples[0], Workload(kind="latency")).choices == ()


def test_choices_can_be_letters_and_few_shot_examples_answer_with_them() -> None:
    shot, *others = CAPITALS.examples
    prompt = usual_prompt("multiple_choice", "text", others)
    asked = CAPITALS.model_copy(update={"prompt": prompt, "few_shot": (shot,)})
    request = example_request(asked, others[0], ACCURACY)
    assert request.choices == ("A", "B", "C", "D")
    assert [message.content for message in request.messages] == [
        "The capital of France is\nA. London\nB. Paris\nC. Rome\nAnswer:",
        "B",
        "The capital of Italy is\nA. Berlin\nB. Madrid\nC. Rome\nD. Vienna\nAnswer:",
    ]


def test_a_question_on_a_context_shows_its_passages_by_number() -> None:
    example = Example(id="q", inputs={"text": "Who?"}, target="Ann", passages=("Ann sang.", "Bob left."), relevant=(1,))
    asked = TestSet(
        name="q",
        task="context_question",
        labels=(),
        examples=(example,),
        prompt=usual_prompt("context_question", "text", (example,)),
        scorers=(ExactMatchOptions(),),
    )
    request = example_request(asked, example, ACCURACY)
    assert request.choices == ()
    assert request.messages[-1].content == "[1] Ann sang.\n[2] Bob left.\n\nQuestion: Who?\nAnswer:"
    neutral = neutral_request(asked, example, ACCURACY).messages[-1].content
    assert "Ann" not in neutral
    assert neutral.startswith("[1] The office is closed")


def test_the_plain_prompt_of_an_extraction_names_the_keys_of_the_targets() -> None:
    examples = [
        Example(id="a", inputs={"mail": "x"}, target=target) for target in ('{"name": "A"}', '{"date": 1}', "no")
    ]
    prompt = usual_prompt("extraction", "mail", examples)
    assert "Keys: name, date." in prompt.system
    assert prompt.user == "Text: {{ mail }}\nJSON:"


def test_answers_of_a_task_have_room_unless_the_workload_says_how_much() -> None:
    assert usual_workload(ACCURACY, "classification").max_output_tokens == 32
    assert usual_workload(ACCURACY, "free_text").max_output_tokens == 512
    assert usual_workload(Workload(kind="accuracy", max_output_tokens=32), "free_text").max_output_tokens == 32


@pytest.mark.engine
def test_a_real_model_chooses_among_the_choices_of_each_example(tmp_path: Path, smollm2: Path) -> None:
    result = run(make_spec(small_llama_options(threads=2), test_set=CAPITALS, weights=smollm2), tmp_path)
    found = answers(result)
    assert result.status == "finished"
    for example in CAPITALS.examples:
        assert [score.choice for score in found[example.id].choice_scores] == list(example.choices)
    assert {name: completion.text for name, completion in found.items()} == {
        "France": "Paris",
        "Italy": "Rome",
        "Japan": "Tokyo",
    }


@pytest.mark.engine
def test_choices_are_calibrated_each_against_a_text_that_says_nothing(tmp_path: Path, smollm2: Path) -> None:
    """The baseline of a choice is its score after the same prompt about another text, measured here by hand."""
    calibrated = ACCURACY.model_copy(update={"calibration": "contextual"})
    options = small_llama_options(threads=2)
    result = run(make_spec(options, test_set=CAPITALS, weights=smollm2, workloads=(calibrated,)), tmp_path / "with")
    neutral_texts = tuple(
        example.model_copy(
            update={"inputs": {"text": neutral_request(CAPITALS, example, ACCURACY).messages[-1].content}}
        )
        for example in CAPITALS.examples
    )
    by_hand = run(
        make_spec(options, test_set=CAPITALS.model_copy(update={"examples": neutral_texts}), weights=smollm2),
        tmp_path / "by hand",
    )
    for name, completion in answers(result).items():
        expected = [score.logprob for score in answers(by_hand)[name].choice_scores]
        assert [score.baseline_logprob for score in completion.choice_scores] == pytest.approx(expected, abs=1e-4)
        assert completion.text == max(completion.choice_scores, key=lambda score: score.evidence).choice


def test_log_probabilities_are_divided_by_what_is_asked() -> None:
    score = ChoiceScore(choice="größer", logprob=-6.0, tokens=3, baseline_logprob=-2.0)
    assert score.evidence_per("none") == -4.0
    assert score.evidence_per("tokens") == pytest.approx(-4 / 3)
    assert score.evidence_per("bytes") == pytest.approx(-4 / 8)


@pytest.mark.engine
def test_normalised_by_length_a_longer_answer_can_win(tmp_path: Path, smollm2: Path) -> None:
    example = Example(
        id="sky",
        inputs={"text": "What colour is the sky on a clear day?"},
        target="blue",
        choices=("The sky is blue on a clear day because of scattering.", "Gr"),
    )
    asked = CAPITALS.model_copy(update={"examples": (example,)})
    chosen = {}
    for unit in ("none", "bytes"):
        workload = Workload.model_validate({"kind": "accuracy", "length_normalisation": unit})
        spec = make_spec(small_llama_options(threads=2), test_set=asked, weights=smollm2, workloads=(workload,))
        completion = answers(run(spec, tmp_path / unit))["sky"]
        chosen[unit] = completion.text
        scores = {score.choice: score.logprob for score in completion.choice_scores}
        lengths = {choice: len(choice.encode()) if unit == "bytes" else 1 for choice in scores}
        assert completion.text == max(scores, key=lambda choice: scores[choice] / lengths[choice])
    assert chosen["none"] != chosen["bytes"]


@pytest.mark.parametrize("count", [0, 2, 4, 6, None])
def test_balanced_few_shot_examples_take_turns_by_target(count: int | None) -> None:
    shots = [Example(id=str(n), inputs={"text": str(n)}, target="ab"[n > 3]) for n in range(6)]
    chosen = choose_few_shot(shots, count, "balanced", seed=3)
    assert len(chosen) == (6 if count is None else count)
    assert {shot.target for shot in chosen[:2]} == ({"a", "b"} if chosen else set())
    assert abs(sum(1 if shot.target == "a" else -1 for shot in chosen[:4])) == 0
    assert chosen == choose_few_shot(shots, count, "balanced", seed=3)


def test_random_few_shot_examples_follow_the_seed_and_the_first_ones_the_file() -> None:
    shots = [Example(id=str(n), inputs={"text": str(n)}, target="a") for n in range(30)]
    assert choose_few_shot(shots, 3, "first", seed=1) == tuple(shots[:3])
    picked = {tuple(shot.id for shot in choose_few_shot(shots, 3, "random", seed=seed)) for seed in range(5)}
    assert len(picked) == 5
    assert all(len(set(chosen)) == 3 for chosen in picked)


def test_a_prompt_of_its_own_makes_another_run_on_the_same_test_set() -> None:
    plain = make_spec()
    other = plain.model_copy(update={"prompt": PromptTemplate(user="Say it: {{ text }}"), "prompt_name": "said"})
    renamed = other.model_copy(update={"prompt_name": "another name"})
    assert plain.key != other.key == renamed.key
    assert plain.test_set.content_hash == other.test_set.content_hash
    assert other.asked.prompt.user == "Say it: {{ text }}"


def test_prompts_are_compared_on_the_same_examples(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(TEST_SET)
    (tmp_path / "mine.yaml").write_text(
        "name: prompts\n"
        "test_set: {file: mine.csv}\n"
        "prompts:\n"
        "  - {name: terse, user: '{{ text }}'}\n"
        "  - {name: long, system: 'One of {{ labels }}', user: 'Text: {{ text }}'}\n"
        "candidates:\n"
        "  - {name: a, model: m, engine: scripted}\n"
        "  - {name: b, model: m, engine: scripted}\n"
        "workloads: [{kind: accuracy}]\n"
    )
    home = tmp_path / "home"
    workbench(home, "bench", str(tmp_path / "mine.yaml"))
    compared = printed(workbench(home, "compare", "prompts", "--json"))
    assert [each["candidate"]["name"] for each in compared["candidates"]] == [
        *("a · terse", "a · long", "b · terse", "b · long"),
    ]
    assert len(compared["pairs"]) == 6


def test_held_labels_and_a_schema_of_ones_own_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("text,label\na,x\nb,y\n")
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ntest_set: {file: mine.csv}\ncandidates: [{model: m, engine: scripted}]\n"
        "workloads: [{kind: accuracy, json_schema: {type: object}}]\n"
    )
    definition, _ = read_benchmark_file(tmp_path / "mine.yaml")
    with pytest.raises(BadBenchmarkFile, match="Set answers: free"):
        prepare_benchmark(definition, tmp_path)


def test_an_unknown_scorer_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ntest_set: {file: mine.csv}\ncandidates: [{model: m}]\nscorers:\n  - exact_mach\n"
    )
    with pytest.raises(BadBenchmarkFile, match=r"line 5: the scorer 'exact_mach' is not known\. Did you mean"):
        read_benchmark_file(tmp_path / "mine.yaml")


def test_a_scorer_may_be_used_twice_under_two_names() -> None:
    twice = (ChoiceMatchOptions(), ChoiceMatchOptions(name="again"))
    assert make_test_set().model_copy(update={"scorers": twice}).content_hash
    with pytest.raises(ValueError, match="two scorers are called"):
        TestSet(name="x", labels=(), examples=(), scorers=(ChoiceMatchOptions(), ChoiceMatchOptions()))


@pytest.mark.engine
def test_a_prompt_is_shown_as_the_model_receives_it(tmp_path: Path, smollm2: Path) -> None:
    (tmp_path / "mine.csv").write_text(TEST_SET)
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ntest_set: {file: mine.csv}\n"
        "prompts: [{name: terse, user: '{{ text }}'}, {name: long, user: 'Text: {{ text }}'}]\n"
        f"candidates: [{{name: a, model: {smollm2}}}]\n"
    )
    home, file = tmp_path / "home", str(tmp_path / "mine.yaml")
    shown = printed(workbench(home, "prompt", file, "--example", "m1", "--prompt", "long", "--json"))
    assert shown["text"].endswith("<|im_start|>user\nText: message 1 about returns<|im_end|>\n<|im_start|>assistant\n")
    assert shown["tokens"] > 10
    assert "message 0 about delivery" in workbench(home, "prompt", file).stdout
    for option, words in (("--prompt", "Did you mean 'long'?"), ("--example", "There are: m0, m1")):
        refused = workbench(home, "prompt", file, option, "lon", code=1)
        assert words in " ".join(refused.stderr.split())
