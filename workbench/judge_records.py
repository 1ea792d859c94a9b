"""A judge as people write it down, and the plan of its work."""

from pydantic import Field

from catalog.records import Record
from results.records import Benchmark
from runners.grading import GradingRules
from workbench.records import CandidateDefinition


class JudgeDefinition(GradingRules):
    """A judge file (docs/judging.md)."""

    judge: CandidateDefinition
    """Who judges: a candidate as in a benchmark file, so any engine or endpoint."""
    candidates: tuple[str, ...] = ()
    """Whose answers are judged, by name; empty: all that have any."""
    examples: int | None = Field(default=None, gt=0)
    """How many examples, drawn by the seed; None takes all."""
    human_grades: dict[str, str] = Field(default_factory=dict)
    """Rubric: candidate → column of the test set with a person's grades of its answers."""
    min_kappa: float = Field(default=0.6, ge=-1, le=1)
    """Below this agreement a sentence warns. Landis & Koch 1977 call 0.61 to 0.80 substantial."""
    seed: int = 0
    """Seed of drawing examples, and of the judge."""

    @property
    def rules(self) -> GradingRules:
        """The rules alone."""
        return GradingRules.model_validate({name: getattr(self, name) for name in GradingRules.model_fields})


class JudgePlan(Record):
    """Whose answers a judge will read, before it is loaded."""

    definition: JudgeDefinition
    """What the person wrote."""
    benchmark: Benchmark
    """Whose answers are judged."""
    candidates: tuple[str, ...]
    """Candidates with answers, in the benchmark's order."""
    folder: str
    """Where relative paths start."""
    notes: tuple[str, ...] = ()
    """What a person should know before it runs, such as answers that leave this machine."""
