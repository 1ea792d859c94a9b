"""Finds examples whose prompt is too long for a candidate, counted by that candidate's own tokenizer.

Only as much of the model is loaded as counting needs: a context of a few tokens. Nothing is generated.
"""

from collections.abc import Sequence
from pathlib import Path

from catalog.errors import WorkbenchError
from runners.engine import Engine, open_engine
from runners.engine_options import LlamaCppOptions
from runners.prompts import chooses, example_request
from runners.records import Loaded, Workload
from runners.test_set_records import Problem, TestSet
from workbench.candidates import candidate_name, resolve_candidate
from workbench.engine_environments import with_environment
from workbench.model_catalog import ModelCatalog
from workbench.records import CandidateDefinition, PreparedBenchmark
from workbench.remote import secrets_of
from workbench.settings import Settings

_SMALL_CONTEXT = 64


class PromptLengths:
    """Counts prompts with the candidates of a benchmark."""

    def __init__(self, settings: Settings, models: ModelCatalog) -> None:
        self._settings = settings
        self._models = models

    def problems(self, prepared: PreparedBenchmark, candidates: Sequence[CandidateDefinition]) -> tuple[Problem, ...]:
        """A warning for every example that is too long for one of them. Loads each model in turn."""
        return tuple(problem for candidate in candidates for problem in self._of_one(prepared, candidate))

    def _of_one(self, prepared: PreparedBenchmark, definition: CandidateDefinition) -> list[Problem]:
        folder = Path(prepared.source).parent if prepared.source else Path.cwd()
        options = with_environment(definition.options, self._settings)
        asked_tokens = getattr(options, "context_tokens", None)
        if isinstance(options, LlamaCppOptions):
            options = options.model_copy(update={"context_tokens": _SMALL_CONTEXT})
        candidate = resolve_candidate(definition, folder, self._settings, self._models.index())
        engine = open_engine(candidate, options, secrets_of(options))
        try:
            room = _room(asked_tokens, engine.load())
            if room is None:
                raise WorkbenchError(f"{candidate_name(definition)} does not say how long its context is.")
            return _too_long(prepared, engine, candidate_name(definition), room)
        finally:
            engine.close()


def _room(asked_tokens: int | None, loaded: Loaded) -> int | None:
    known = [tokens for tokens in (asked_tokens, loaded.trained_context_tokens) if tokens is not None]
    return min(known, default=loaded.context_tokens)


def _too_long(prepared: PreparedBenchmark, engine: Engine, name: str, room: int) -> list[Problem]:
    asked = [each for each in prepared.definition.workloads if each.kind == "accuracy"]
    workload = asked[0] if asked else Workload(kind="accuracy")
    test_set: TestSet = prepared.test_set
    prompts = [prompt.template for prompt in prepared.definition.prompts] or [test_set.prompt]
    versions = [test_set.model_copy(update={"prompt": prompt}) for prompt in prompts]
    # What is chosen among given answers needs room for the longest of them, which is a few tokens.
    answer = 0 if chooses(test_set, workload) else workload.max_output_tokens
    problems = []
    for example in test_set.examples:
        prompt = max(engine.count_tokens(example_request(version, example, workload)) for version in versions)
        if prompt + answer > room:
            with_answer = f" and {answer:,} for the answer" if answer else ""
            found = f"the prompt has {prompt:,} tokens{with_answer}; {name} has room for {room:,}"
            problems.append(
                Problem(
                    severity="warning",
                    rule="too_long_for_context",
                    row=example.row,
                    message=f"{example.id}: {found}",
                    fix="Shorten the text, show fewer examples, or raise context_tokens if the model allows it.",
                )
            )
    return problems
