"""What is chosen in the step Run, apart from candidates and test set: kept on the desk, turned into a benchmark.

A benchmark file that was opened stays below the choices: what no control shows of it is kept as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError, field_serializer

from catalog.records import Record
from results.requirement_records import Requirements, TokenPrices
from runners.records import Perturbation, Synthetic, Workload, WorkloadKind
from runners.scorer_options import ScorerOptions
from runners.test_set_records import Task
from workbench.errors import BadBenchmarkFile
from workbench.records import BenchmarkDefinition, EarlyStopping, NamedPrompt
from workbench.task_defaults import USUAL_SCORERS

KINDS: tuple[WorkloadKind, ...] = ("accuracy", "latency", "load_sweep", "arrivals", "load", "robustness")
"""Workloads that can be chosen, in the order they are asked."""

_ALSO: dict[Task, tuple[str, ...]] = {
    "short_answer": ("contains", "numeric", "chrf"),
    "extraction": ("exact_match",),
    "free_text": ("bleu", "token_f1", "contains", "exact_match"),
    "context_question": ("contains", "rouge"),
}
"""Scorers that suit a task beside its usual ones and need no options."""
_SCORER: TypeAdapter[ScorerOptions] = TypeAdapter(ScorerOptions)


class RunChoices(Record):
    """Everything that the form holds, in the units that people type."""

    name: str = ""
    """Name of the benchmark; empty until one was typed."""
    left_out: tuple[str, ...] = ()
    """Candidates of the shortlist that are not measured."""
    accuracy: bool = True
    """Ask every example, batched."""
    latency: bool = True
    """Ask one at a time."""
    latency_prompts: int = 30
    """So many of them."""
    load_sweep: bool = False
    """Ask 1, 2, 4 … at once."""
    sweep_most: int = 16
    """At most so many."""
    sweep_ttft: float | None = None
    """The sweep ends where the first token, p95, takes longer; seconds."""
    arrivals: bool = False
    """Let requests arrive at random."""
    arrival_rates: str = "1, 2"
    """Requests per second, with commas."""
    load: bool = False
    """Load the model again and again."""
    load_repeats: int = 2
    """So often with its file in memory."""
    robustness: bool = False
    """Ask changed examples."""
    changes: tuple[Perturbation, ...] = ("typos", "case")
    """In which ways."""
    robustness_examples: int = 50
    """So many of them."""
    robustness_repeats: int = 0
    """How often each is asked again at a temperature of 0.7."""
    answers: Literal["scored", "held", "free"] = "scored"
    """How labels and choices are answered."""
    calibrate: bool = False
    """Correct scored labels for what the model favours whatever is asked."""
    output_tokens: int | None = None
    """Longest answer; None takes what is usual for the task."""
    synthetic_input: int | None = None
    """Tokens of made prompts for latency, load sweep and arrivals; None takes the test set's."""
    synthetic_output: int = 64
    """Tokens of their answers."""
    seed: int = 7
    """Seed of everything random."""
    early_stopping: bool = False
    """Stop candidates that can no longer win."""
    scorers: tuple[str, ...] = ()
    """Names of the scorers, the first stands for quality; none takes those of the step Test set."""
    margin_points: float | None = None
    """How much worse is fine, in points."""
    machine_per_hour: float | None = None
    """Hourly price of this machine."""
    currency: str = "EUR"
    """Of all prices."""
    endpoint_prices: str = ""
    """One line per endpoint: its name, a colon, the price of a million input and of a million output tokens."""
    endpoint_requests: int | None = None
    """Spending limit: most requests to each endpoint in one start."""
    prompts: tuple[NamedPrompt, ...] = ()
    """Prompts that are compared; none takes those of the step Test set."""
    base: BenchmarkDefinition | None = None
    """The benchmark file that was opened."""

    @field_serializer("base")
    def _keep_what_is_left_out(self, base: BenchmarkDefinition | None) -> dict[str, Any] | None:
        """What a file does not say takes what is usual for the task, also after a restart."""
        return None if base is None else base.model_dump(mode="json", exclude_unset=True)

    @classmethod
    def of(cls, definition: BenchmarkDefinition) -> "RunChoices":
        """The choices that a benchmark file makes."""
        kinds = {workload.kind: workload for workload in definition.workloads}
        found: dict[str, Any] = {kind: kind in kinds for kind in KINDS}
        for kind, workload in kinds.items():
            found |= _READ.get(kind, dict)(workload)
        timed = next((kinds[kind].synthetic for kind in kinds if kinds[kind].synthetic is not None), None)
        prices = definition.requirements.prices
        margin = definition.requirements.margin
        return cls(
            **found,
            name=definition.name,
            synthetic_input=timed.input_tokens if timed is not None else None,
            synthetic_output=timed.output_tokens if timed is not None else 64,
            seed=definition.seed,
            early_stopping=definition.early_stopping is not None,
            scorers=tuple(options.scorer for options in definition.scorers or ()),
            margin_points=None if margin is None else margin * 100,
            machine_per_hour=prices.machine_per_hour,
            currency=prices.currency,
            endpoint_prices="\n".join(
                f"{name}: {price.input_per_million:g} {price.output_per_million:g}"
                for name, price in prices.endpoints.items()
            ),
            prompts=definition.prompts,
            base=definition,
        )

    def workloads(self, usual: Mapping[str, Workload]) -> tuple[Workload, ...]:
        """The workloads that are chosen. `usual` gives by kind what is changed. Raises BadBenchmarkFile."""
        known = {workload.kind: workload for workload in self.base.workloads} if self.base is not None else usual
        return tuple(self._workload(kind, known.get(kind)) for kind in KINDS if getattr(self, kind))

    def scorer_options(self, task: Task) -> tuple[ScorerOptions, ...] | None:
        """The scorers with their options; None takes the task's usual ones."""
        chosen = tuple(name for name in self.scorers if name in offered_scorers(task, self))
        usual = tuple(options.scorer for options in USUAL_SCORERS[task])
        if not chosen or (chosen == usual and (self.base is None or self.base.scorers is None)):
            return None
        kept: dict[str, ScorerOptions] = {}
        for options in (self.base.scorers if self.base is not None else None) or ():
            kept[options.scorer] = options
        return tuple(kept.get(name) or _SCORER.validate_python({"scorer": name}) for name in chosen)

    def requirements(self, usual: Requirements) -> Requirements:
        """Limits, weights and prices: those of the file that was opened, else the usual, with what is typed here."""
        before = self.base.requirements if self.base is not None else usual
        prices = before.prices.model_copy(
            update={
                "machine_per_hour": self.machine_per_hour or None,
                "currency": self.currency.strip() or "EUR",
                "endpoints": _prices(self.endpoint_prices),
            }
        )
        margin = self.margin_points / 100 if self.margin_points else None
        return before.model_copy(update={"prices": prices, "margin": margin})

    def stopping(self) -> EarlyStopping | None:
        """Early stopping as it was in the file that was opened, else with its usual numbers."""
        if not self.early_stopping:
            return None
        before = self.base.early_stopping if self.base is not None else None
        return before or EarlyStopping()

    def _workload(self, kind: WorkloadKind, before: Workload | None) -> Workload:
        changes = self._changes(kind)
        if self.output_tokens and kind != "load":
            changes["max_output_tokens"] = self.output_tokens
        if kind in {"latency", "load_sweep", "arrivals"}:
            made = self.synthetic_input
            changes["synthetic"] = (
                Synthetic(input_tokens=made, output_tokens=self.synthetic_output) if made is not None else None
            )
        set_before = {} if before is None else {name: getattr(before, name) for name in before.model_fields_set}
        try:
            return Workload(**{**set_before, **changes, "kind": kind})
        except ValidationError as error:
            raise BadBenchmarkFile(_sentence(kind, error)) from error

    def _changes(self, kind: WorkloadKind) -> dict[str, Any]:
        match kind:
            case "accuracy":
                return {"answers": self.answers, "calibration": "contextual" if self.calibrate else "none"}
            case "latency":
                return {"prompts": self.latency_prompts}
            case "load_sweep":
                return {"max_concurrency": self.sweep_most, "max_ttft_p95_seconds": self.sweep_ttft}
            case "arrivals":
                return {"rates_per_second": _rates(self.arrival_rates)}
            case "load":
                return {"repeats": self.load_repeats}
            case _:
                again = {"repeats": self.robustness_repeats, "temperature": 0.7} if self.robustness_repeats else {}
                return {"perturbations": self.changes, "examples": self.robustness_examples, **again}


CONTROLS = tuple(name for name in RunChoices.model_fields if name not in {"name", "left_out", "prompts", "base"})
"""Choices that one control of the form holds each, in the order in which handlers are given their values."""


def offered_scorers(task: Task, choices: RunChoices) -> tuple[str, ...]:
    """Scorers that can be chosen for a task: its usual ones, others that suit it, those of the file."""
    usual = tuple(options.scorer for options in USUAL_SCORERS[task])
    same_task = choices.base is not None and choices.base.task == task
    kept = tuple(options.scorer for options in (choices.base.scorers or ())) if choices.base and same_task else ()
    return tuple(dict.fromkeys((*usual, *_ALSO.get(task, ()), *kept)))


def taken(before: RunChoices, values: Sequence[Any]) -> RunChoices:
    """The choices with what the controls hold (CONTROLS); an emptied number takes its usual value."""
    typed = dict(zip(CONTROLS, values, strict=True))
    for name, value in typed.items():
        if value is None:
            typed[name] = RunChoices.model_fields[name].default
        elif isinstance(value, list):
            typed[name] = tuple(value)
        elif isinstance(value, float) and value.is_integer():
            typed[name] = int(value)
    return before.model_copy(update=typed)


def _rates(text: str) -> tuple[float, ...]:
    try:
        rates = tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        rates = ()
    if not rates or min(rates) <= 0:
        raise BadBenchmarkFile(
            f"Requests per second are numbers above 0 with commas between them, such as 1, 2; this is {text!r}."
        )
    return rates


def _prices(text: str) -> dict[str, TokenPrices]:
    found = {}
    for line in filter(str.strip, text.splitlines()):
        name, _, amounts = line.rpartition(":")
        try:
            each, other = (float(amount) for amount in amounts.split())
            found[name.strip()] = TokenPrices(input_per_million=each, output_per_million=other)
        except ValueError as error:
            raise BadBenchmarkFile(
                f"The price {line.strip()!r} is not understood. Write the endpoint's name, a colon and two prices, of "
                "a million input and of a million output tokens: my-model at localhost: 0.15 0.60"
            ) from error
    return found


def _sentence(kind: str, error: ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    reason = wrong["msg"].removeprefix("Value error, ")
    field = str(wrong["loc"][0]).replace("_", " ") if wrong["loc"] else ""
    what = f"{field} is {wrong['input']!r}: " if field else ""
    return f"{kind.replace('_', ' ').capitalize()}: {what}{reason}."


def _of_accuracy(workload: Workload) -> dict[str, Any]:
    return {"answers": workload.answers, "calibrate": workload.calibration == "contextual"}


def _of_latency(workload: Workload) -> dict[str, Any]:
    return {"latency_prompts": workload.prompts or 30}


def _of_sweep(workload: Workload) -> dict[str, Any]:
    return {"sweep_most": workload.max_concurrency, "sweep_ttft": workload.max_ttft_p95_seconds}


def _of_arrivals(workload: Workload) -> dict[str, Any]:
    return {"arrival_rates": ", ".join(f"{rate:g}" for rate in workload.rates_per_second)}


def _of_load(workload: Workload) -> dict[str, Any]:
    return {"load_repeats": workload.repeats}


def _of_robustness(workload: Workload) -> dict[str, Any]:
    return {
        "changes": workload.perturbations,
        "robustness_examples": workload.examples or 50,
        "robustness_repeats": workload.repeats if workload.temperature else 0,
    }


_READ: dict[str, Any] = {
    "accuracy": _of_accuracy,
    "latency": _of_latency,
    "load_sweep": _of_sweep,
    "arrivals": _of_arrivals,
    "load": _of_load,
    "robustness": _of_robustness,
}
"""What the controls show of each workload of a file."""
