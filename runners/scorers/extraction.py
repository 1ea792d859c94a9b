"""Extraction: the fields of a JSON answer against those of the right record, and against a schema."""

import json

import jsonschema
from jsonschema.protocols import Validator
from referencing import Registry

from runners.errors import ScoringFailed
from runners.records import Completion, Validity
from runners.scorer_options import JsonFieldsOptions
from runners.scorers.field_matches import Matches, Rules, compare
from runners.scorers.json_answer import Json, json_in, parse_json
from runners.scorers.judgement import Judgement, trouble, unread
from runners.test_set_records import Example, TestSet
from runners.text_scorer_options import JsonSchemaOptions


class JsonFields:
    """Share of fields that are right: F1 of the answer's fields against those of the right record.

    JSON is found in prose and code fences; an answer without complete JSON is unparseable, and all its fields are
    missing. Fields are compared as field_matches.py says. Value of an example: F1 = 2·true ÷ (predicted + expected),
    so that 1 is the whole record; over the test set fields are summed first (micro average). With several right
    records the one counts that agrees best.
    """

    version = "1"

    def __init__(self, options: JsonFieldsOptions) -> None:
        self._rules = Rules(options.types, options.day_first, options.absolute_tolerance, options.relative_tolerance)
        self._validator = validator_of(options.json_schema)

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        rights = [_record_of(target, example) for target in example.targets]
        found = trouble(completion)
        said = None if found is not None else json_in(completion.text, tuple({type(right) for right in rights}))
        if said is None:
            missing = compare(None, rights[0], self._rules)
            return Judgement(found or unread(completion), counts=self._counts(missing, None))
        matches = max((compare(said, right, self._rules) for right in rights), key=lambda each: each.f1)
        understood = json.dumps(said, ensure_ascii=False, sort_keys=True)
        return Judgement(Validity.SCORED, matches.f1, understood, self._counts(matches, said))

    def _counts(self, matches: Matches, said: Json) -> dict[str, float]:
        counts = {
            "true": float(matches.true),
            "predicted": float(matches.predicted),
            "expected": float(matches.expected),
            "record": float(said is not None and matches.f1 == 1),
        }
        if self._validator is not None:
            counts["valid"] = float(said is not None and self._validator.is_valid(said))
        return counts

    def close(self) -> None:
        """Nothing is held."""


class JsonSchema:
    """1 where the answer holds JSON that is valid under the schema (the draft that `$schema` names, else 2020-12).

    As the package jsonschema says; `format` is a remark and no check, which is the standard's default.

    JSON is found in prose and code fences, unless `only_json` wants it alone. No complete JSON: unparseable.
    """

    version = "1"

    def __init__(self, options: JsonSchemaOptions) -> None:
        self._validator = validator_of(options.json_schema)
        self._only_json = options.only_json

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        if self._validator is None:
            raise ScoringFailed(
                f"There is no schema to check the answer to {example.id!r} by. Write json_schema into the scorer's "
                "options or into the workload."
            )
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        said = parse_json(completion.text) if self._only_json else json_in(completion.text)
        if said is None:
            return Judgement(unread(completion))
        error = next(self._validator.iter_errors(said), None)
        return Judgement(Validity.SCORED, float(error is None), None if error is None else error.message[:300])

    def close(self) -> None:
        """Nothing is held."""


def validator_of(schema: str | None) -> Validator | None:
    """A validator for a schema; None without one. Raises ScoringFailed where the schema itself is wrong."""
    if schema is None:
        return None
    content = json.loads(schema)
    kind = jsonschema.validators.validator_for(content, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(content)
    except jsonschema.SchemaError as error:
        raise ScoringFailed(f"The JSON schema of a scorer is not valid: {error.message}.") from error
    # An empty registry: nothing is fetched from the network because a schema says `$ref`.
    return kind(content, registry=Registry())


def _record_of(target: str, example: Example) -> Json:
    record = parse_json(target)
    if not isinstance(record, dict | list):
        raise ScoringFailed(
            f"The target of the example {example.id!r} is no JSON object or list: {target[:80]!r}. Mend it in the file."
        )
    return record
