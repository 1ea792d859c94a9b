"""Which questions a judge is asked about stored answers, and what its replies say of each. Runs and stores nothing."""

import random
from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

from results.judging import Compared, Graded, Preference, verdict
from results.metrics import METRICS
from runners.grading import grade_in, grading_conversation, pair_conversation, preference_in
from runners.records import Completion, Conversation, RunResult, Score, Validity
from runners.scorers.judgement import trouble
from runners.test_set_records import Example, TestSet
from workbench.judge_records import JudgeDefinition

VERSION = "1"
"""Version of both scorers: changes whenever the same reply could give another score."""
_WORTH = {"first": 1.0, "tie": 0.5, "second": 0.0}


class Answered(NamedTuple):
    """One candidate's stored answer to one example."""

    completion: Completion
    known_right: bool | None
    """What the first scorer says, where it says right or wrong."""


Answers = dict[str, dict[str, Answered]]
"""Candidate → example id → answer."""


class _Question(NamedTuple):
    """What is asked about one answer, or about two."""

    candidates: tuple[str, ...]
    example_id: str
    ids: tuple[str, ...]
    """Conversations; none where there is nothing to ask."""


class JudgeQuestions:
    """All questions about one benchmark's answers. Equal questions are asked once."""

    def __init__(self, definition: JudgeDefinition, test_set: TestSet, answers: Answers) -> None:
        """Raises BadTemplate."""
        self._definition = definition
        self._rules = definition.rules
        self._test_set = test_set
        self._answers = answers
        self._examples = _drawn(test_set.examples, definition.examples, definition.seed)
        self._asked: dict[str, Conversation] = {}
        self._questions = tuple(self._pairs() if definition.mode == "pairwise" else self._singles())

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """What the judge is sent."""
        return tuple(self._asked.values())

    def graded(self, replies: Mapping[str, str]) -> tuple[Graded, ...]:
        """Every answer with its grade; replies by conversation."""
        return tuple(self._graded(question, replies) for question in self._questions)

    def compared(self, replies: Mapping[str, str]) -> tuple[Compared, ...]:
        """Every comparison with its verdicts; replies by conversation."""
        return tuple(self._compared(question, replies) for question in self._questions)

    def unread(self, replies: Mapping[str, str]) -> int:
        """Questions without a reply that could be read."""
        rules = self._rules
        if rules.mode == "pairwise":
            return sum(preference_in(replies.get(asked, "")) is None for asked in self._asked)
        return sum(grade_in(replies.get(asked, ""), rules) is None for asked in self._asked)

    def _singles(self) -> list[_Question]:
        found = []
        for name, answers in self._answers.items():
            for example in self._examples:
                if example.id not in answers:
                    continue
                completion = answers[example.id].completion
                ids: tuple[str, ...] = ()
                if trouble(completion) is None:
                    ids = (self._ask(grading_conversation(self._rules, self._test_set, example, completion.text)),)
                found.append(_Question((name,), example.id, ids))
        return found

    def _pairs(self) -> list[_Question]:
        found = []
        for first, second in combinations(self._answers, 2):
            for example in self._examples:
                if example.id not in self._answers[first] or example.id not in self._answers[second]:
                    continue
                ours, theirs = (self._answers[name][example.id].completion.text for name in (first, second))
                ids: tuple[str, ...] = ()
                if ours.strip() != theirs.strip():
                    ids = tuple(
                        self._ask(pair_conversation(self._rules, self._test_set, example, order))
                        for order in ((ours, theirs), (theirs, ours))
                    )
                found.append(_Question((first, second), example.id, ids))
        return found

    def _ask(self, conversation: Conversation) -> str:
        self._asked[conversation.id] = conversation
        return conversation.id

    def _graded(self, question: _Question, replies: Mapping[str, str]) -> Graded:
        (name,) = question.candidates
        answered = self._answers[name][question.example_id]
        grade = grade_in(replies.get(question.ids[0], ""), self._rules) if question.ids else None
        return Graded(
            candidate=name,
            example_id=question.example_id,
            value=(None if grade is None else self._rules.share(grade)) if question.ids else 0.0,
            grade=None if grade is None else str(grade),
            is_right=None if grade is None else grade >= self._rules.first_right,
            characters=len(answered.completion.text),
            known_right=answered.known_right,
            human_grade=self._human_grade(name, question.example_id),
        )

    def _compared(self, question: _Question, replies: Mapping[str, str]) -> Compared:
        first, second = (self._answers[name][question.example_id] for name in question.candidates)
        verdicts: tuple[Preference | None, Preference | None] | None = None
        if question.ids:
            straight, turned = (preference_in(replies.get(asked, "")) for asked in question.ids)
            verdicts = (straight, turned)
        return Compared(
            first=question.candidates[0],
            second=question.candidates[1],
            example_id=question.example_id,
            verdicts=verdicts,
            characters=(len(first.completion.text), len(second.completion.text)),
            known_right=(first.known_right, second.known_right),
        )

    def _human_grade(self, candidate: str, example_id: str) -> str | None:
        column = self._definition.human_grades.get(candidate)
        example = next(each for each in self._examples if each.id == example_id)
        given = _column(example, column) if column is not None else None
        try:
            return str(int(float(given))) if given and given.strip() else None
        except ValueError:
            return None


def answers_of(result: RunResult) -> dict[str, Answered]:
    """A run's answers to the accuracy workload by example, the last where there are several."""
    scorer = result.spec.test_set.scorers[0] if result.spec.test_set.scorers else None
    # A share of examples says right or wrong of each; other scorers say how much of an answer is right.
    metrics = METRICS.get(scorer.scorer, ()) if scorer is not None else ()
    judges = bool(metrics) and metrics[0].is_proportion
    found = {}
    for event in result.completions:
        completion = event.completion
        if completion.workload == "accuracy" and completion.example_id is not None:
            score = next((s for s in event.scores if judges and scorer is not None and s.scorer == scorer.name), None)
            known = None if score is None or score.value is None else score.value == 1
            found[completion.example_id] = Answered(completion, known)
    return found


def grade_scores(graded: tuple[Graded, ...], answers: Answers, name: str) -> dict[str, list[Score]]:
    """Scores of every candidate. A grade that could not be read says nothing of the answer."""
    scores: dict[str, list[Score]] = {candidate: [] for candidate in answers}
    for each in graded:
        completion = answers[each.candidate][each.example_id].completion
        happened = trouble(completion) or (Validity.SCORED if each.grade is not None else Validity.FAILED)
        scores[each.candidate].append(
            Score(
                request_id=completion.request_id,
                example_id=each.example_id,
                scorer=name,
                version=VERSION,
                validity=happened,
                value=each.value,
                predicted=each.grade,
            )
        )
    return scores


def pair_scores(compared: tuple[Compared, ...], answers: Answers, name: str) -> dict[str, list[Score]]:
    """Scores of every candidate: on each example its mean over all others, 1 a win, 0.5 a tie, 0 a loss."""
    worth: dict[tuple[str, str], list[float]] = {}
    for each in compared:
        decided = verdict(each)
        if decided is not None:
            value = _WORTH[decided]
            worth.setdefault((each.first, each.example_id), []).append(value)
            worth.setdefault((each.second, each.example_id), []).append(1 - value)
    scores: dict[str, list[Score]] = {candidate: [] for candidate in answers}
    for (candidate, example_id), values in worth.items():
        scores[candidate].append(
            Score(
                request_id=answers[candidate][example_id].completion.request_id,
                example_id=example_id,
                scorer=name,
                version=VERSION,
                validity=Validity.SCORED,
                value=sum(values) / len(values),
            )
        )
    return scores


def has_column(test_set: TestSet, column: str) -> bool:
    """Whether the examples have a column, as an input or a slice."""
    return any(_column(example, column) is not None for example in test_set.examples)


def _column(example: Example, column: str) -> str | None:
    return example.slices.get(column, example.inputs.get(column))


def _drawn(examples: tuple[Example, ...], count: int | None, seed: int) -> tuple[Example, ...]:
    if count is None or count >= len(examples):
        return examples
    return tuple(
        examples[place] for place in sorted(random.Random(f"{seed} judge").sample(range(len(examples)), count))
    )
