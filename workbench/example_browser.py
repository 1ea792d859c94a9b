"""Single examples for the app: pages by filter, and one example whole with the prompt that each candidate was sent.

A part of the service. The prompt is put together again from the run's spec, which holds everything that it was made of;
what the model's own chat template makes of it is shown by the step Test set, because that needs the model.
"""

from catalog.records import Record
from results.example_records import ExampleDetail, ExamplePage, ExamplePlace, ExampleQuery
from results.store import Store
from runners.errors import BadTemplate
from runners.prompts import example_request
from runners.records import Message, RunSpec


class SentPrompt(Record):
    """What some candidates were sent for an example."""

    candidates: tuple[str, ...]
    """Those who were sent exactly this."""
    messages: tuple[Message, ...]
    """System, few-shot examples and the question."""
    answer_prefix: str
    """What the answer was made to begin with; empty where nothing."""
    choices: tuple[str, ...]
    """Answers that could be chosen; empty where the answer was free."""


class OpenedExample(Record):
    """One example as the app shows it."""

    detail: ExampleDetail
    """Everything stored."""
    prompts: tuple[SentPrompt, ...]
    """What was sent: one entry where all candidates got the same."""
    place: ExamplePlace | None
    """Where it stands among the examples of the filter; None where it is not one of them."""


class ExampleBrowser:
    """Reads single examples."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, benchmark: str, query: ExampleQuery) -> ExamplePage:
        """Part of the examples that a query finds. Raises UnknownBenchmark."""
        return self._store.examples.page(benchmark, query)

    def open(self, benchmark: str, example_id: str, query: ExampleQuery) -> OpenedExample:
        """One example whole. Raises UnknownBenchmark, UnknownExample."""
        detail = self._store.examples.detail(benchmark, example_id)
        return OpenedExample(
            detail=detail,
            prompts=_prompts(detail.specs),
            place=self._store.examples.place(benchmark, query, example_id),
        )


def _prompts(specs: dict[str, RunSpec]) -> tuple[SentPrompt, ...]:
    found: dict[SentPrompt, list[str]] = {}
    for name, spec in specs.items():
        prompt = _prompt(spec)
        if prompt is not None:
            found.setdefault(prompt, []).append(name)
    return tuple(prompt.model_copy(update={"candidates": tuple(names)}) for prompt, names in found.items())


def _prompt(spec: RunSpec) -> SentPrompt | None:
    """None where answers were imported, or a template of an earlier version does not render any more."""
    asked = next((workload for workload in spec.workloads if workload.kind == "accuracy"), None)
    if asked is None or spec.candidate.engine == "imported":
        return None
    try:
        request = example_request(spec.asked, spec.test_set.examples[0], asked)
    except BadTemplate:
        return None
    return SentPrompt(
        candidates=(), messages=request.messages, answer_prefix=request.answer_prefix, choices=request.choices
    )
