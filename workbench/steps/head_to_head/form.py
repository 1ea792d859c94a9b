"""The controls of a head-to-head as one value, and the candidates that can be chosen.

One order of the controls, used by the page, the handlers and the desk.
"""

from pathlib import Path
from typing import Any, NamedTuple

from workbench.benchmark_file import parse_benchmark
from workbench.candidates import candidate_name
from workbench.errors import CannotAsk
from workbench.head_to_head.records import FEWEST, MOST, Contender, Setting
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import candidates_at_hand

AT_ONCE, IN_TURN = "at the same time", "one after the other"
_MOST_TEMPERATURE = 5.0
_BENCHMARKS = 5
"""So many of the newest benchmarks lend their candidates."""


class Form(NamedTuple):
    """What the controls hold, in their order on the page."""

    chosen: list[str]
    system: str
    temperature: float | None
    tokens: float | None
    blind: bool
    writes: str
    apart: bool
    own: tuple[Any, ...]
    """System prompt and temperature of each place, in turn."""

    @staticmethod
    def of(values: tuple[Any, ...]) -> "Form":
        """The controls' values."""
        chosen, system, temperature, tokens, blind, writes, apart, *own = values
        return Form(chosen, system, temperature, tokens, blind, writes, apart, tuple(own))

    def setting(self, candidates: list[CandidateDefinition]) -> Setting:
        """Who answers, and how. Raises CannotAsk."""
        contenders = [
            Contender(
                definition=definition,
                system=(self.own[2 * place] if self.apart else self.system) or "",
                temperature=_temperature(self.own[2 * place + 1] if self.apart else self.temperature),
            )
            for place, definition in enumerate(candidates[:MOST])
        ]
        if len(candidates) > MOST:
            raise CannotAsk(f"Choose two to four candidates, or one that answers twice, not {len(candidates)}.")
        tokens = int(self.tokens or 256)
        if not 1 <= tokens <= 100_000:
            raise CannotAsk(f"Most tokens must be between 1 and 100,000, not {tokens:,}.")
        return Setting(
            contenders=tuple(contenders),
            max_output_tokens=tokens,
            blind=bool(self.blind),
            at_once=self.writes != IN_TURN,
        )


def chosen_candidates(workbench: Workbench, desk: Desk, chosen: list[str]) -> list[CandidateDefinition]:
    """The candidates of these names, in the order of the list."""
    return [each for each in candidates(workbench, desk) if candidate_name(each) in chosen]


def candidates(workbench: Workbench, desk: Desk) -> list[CandidateDefinition]:
    """Those on the shortlist, then those of the newest benchmarks; names are unique."""
    found = {candidate_name(item): item for item in candidates_at_hand(workbench, desk)}
    for benchmark in workbench.benchmarks()[:_BENCHMARKS]:
        if benchmark.definition:
            folder = Path(benchmark.source or "").parent
            for item in parse_benchmark(benchmark.definition, benchmark.name).candidates:
                found.setdefault(candidate_name(item), _absolute(item, folder))
    return list(found.values())


def first_choice(names: list[str], asked: list[str]) -> list[str]:
    """Those that were asked for and exist, else the first two."""
    return [name for name in names if name in asked] or names[:FEWEST]


def _absolute(definition: CandidateDefinition, folder: Path) -> CandidateDefinition:
    """With a weights file of the benchmark's folder named in full."""
    path = folder / Path(definition.model).expanduser()
    return definition.model_copy(update={"model": str(path)}) if path.is_file() else definition


def _temperature(value: float | None) -> float:
    found = float(value or 0)
    if not 0 <= found <= _MOST_TEMPERATURE:
        raise CannotAsk(f"The temperature must be between 0 and {_MOST_TEMPERATURE:g}, not {found:g}.")
    return found
