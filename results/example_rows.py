"""Between rows and the records of the example browser. Knows no database."""

import math
from collections.abc import Mapping, Sequence

from results.example_records import (
    BrowsedAnswer,
    BrowsedExample,
    ExampleDetail,
    LabelProbability,
    ScorerSays,
    WholeAnswer,
)
from results.rows import Row, example_from, spec_from, texts_from

_OF_ANSWER = ("text", "characters", "predicted", "validity", "probability", "output_tokens", "e2e_seconds")


def browsed(
    examples: Sequence[Row], answers: Sequence[Row], candidates: Sequence[str], most_characters: int
) -> tuple[BrowsedExample, ...]:
    """One record per example, in the order given; answers in the order of the candidates."""
    by_place = {(row["id"], row["candidate"]): row for row in answers}
    found = []
    for row in examples:
        inputs = texts_from(row["inputs"])
        found.append(
            BrowsedExample(
                example_id=str(row["id"]),
                inputs={name: text[:most_characters] for name, text in inputs.items()},
                characters=sum(map(len, inputs.values())),
                target=str(row["target"]),
                slices=texts_from(row["slices"]),
                answers={
                    name: _answer(by_place[row["id"], name]) for name in candidates if (row["id"], name) in by_place
                },
            )
        )
    return tuple(found)


def detail(
    example: Row,
    *,
    specs: Sequence[Row],
    answers: Sequence[Row],
    completions: Sequence[Row],
    scores: Sequence[Row],
    failures: Sequence[Row],
) -> ExampleDetail:
    """One example whole, from the rows of each of its parts."""
    whole = {str(row["candidate"]): row for row in completions}
    said: dict[object, list[ScorerSays]] = {}
    for row in scores:
        fields = {name: value for name, value in row.items() if name != "candidate"}
        said.setdefault(row["candidate"], []).append(ScorerSays.model_validate(fields))
    return ExampleDetail(
        example=example_from(example),
        specs={str(row["candidate"]): spec_from(str(row["spec"]), [example]) for row in specs},
        answers={
            str(row["candidate"]): _whole(row, whole[str(row["candidate"])], said.get(row["candidate"], []))
            for row in answers
            if str(row["candidate"]) in whole
        },
        failures={str(row["candidate"]): str(row["message"]) for row in failures},
    )


def _answer(row: Row) -> BrowsedAnswer:
    is_judged = bool(row["is_judged"])
    return BrowsedAnswer.model_validate(
        {name: row[name] for name in _OF_ANSWER}
        | {"value": row["value"] if is_judged else None, "right": row["value"] == 1 if is_judged else None}
    )


def _whole(answer: Row, done: Row, scores: Sequence[ScorerSays]) -> WholeAnswer:
    plain = ("finish_reason", "method", "prompt_tokens", "cached_tokens", "tokens_from", "ttft_seconds")
    return WholeAnswer.model_validate(
        {name: done[name] for name in plain}
        | {
            "answer": _answer(answer),
            "thinking_tokens": _thinking_tokens(done["chunk_tokens"], done["thinking_chunks"]),
            "scores": tuple(scores),
            "probabilities": _probabilities(done),
        }
    )


def _thinking_tokens(chunk_tokens: object, thinking_chunks: object) -> int | None:
    if not isinstance(chunk_tokens, list) or not isinstance(thinking_chunks, int):
        return None
    return sum(chunk_tokens[:thinking_chunks])


def _probabilities(done: Mapping[str, object]) -> tuple[LabelProbability, ...]:
    """Of every answer that was scored, by what decided (log-probability less its baseline), most likely first.

    Probabilities only where the chosen one has one (view `choice_probabilities`): the others follow from their distance
    to it.
    """
    lists = [done[name] for name in ("choices", "choice_logprobs", "choice_tokens", "choice_baselines")]
    columns = [column for column in lists if isinstance(column, list)]
    if len(columns) != len(lists) or not columns[0]:
        return ()
    answers = zip(*columns, strict=True)
    scored = [(label, logprob, tokens, logprob - (base or 0.0)) for label, logprob, tokens, base in answers]
    chosen = done["chosen_probability"]
    at = next((evidence for label, _, _, evidence in scored if label == done["text"]), None)
    found = [
        LabelProbability(
            label=label,
            logprob=logprob,
            tokens=tokens,
            probability=min(1.0, chosen * math.exp(evidence - at))
            if isinstance(chosen, float) and at is not None
            else None,
        )
        for label, logprob, tokens, evidence in scored
    ]
    return tuple(sorted(found, key=lambda each: -(each.probability or each.logprob)))
