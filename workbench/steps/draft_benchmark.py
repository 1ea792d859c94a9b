"""Makes a benchmark of what lies on the desk; the demo's parts stand in for what was not chosen yet."""

from pydantic import ValidationError

from workbench.benchmark_book import BAD_NAME
from workbench.records import BenchmarkDefinition, CandidateDefinition, TestSetDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.desk import Desk


def candidates_at_hand(workbench: Workbench, desk: Desk) -> tuple[CandidateDefinition, ...]:
    """The shortlist, else the demo's candidates."""
    return desk.draft.candidates or workbench.demo_definition()[0].candidates


def kept_shortlist(workbench: Workbench, desk: Desk) -> str | None:
    """NAME@VERSION of the candidates on the desk, kept now where they are not yet; None where the demo's stand in.

    That way the report of every benchmark can say how its candidates were chosen.
    """
    draft = desk.draft
    if not draft.candidates:
        return None
    for kept in workbench.shortlists.all():
        if kept.reference == draft.kept and workbench.shortlists.candidates(kept) == draft.candidates:
            return draft.kept
    made = workbench.shortlists.keep(draft.shortlist_name, draft.candidates, draft.query)
    desk.change(kept=made.reference)
    return made.reference


def demo_test_set(workbench: Workbench) -> TestSetDefinition:
    """The demo's test set with absolute paths."""
    definition, folder = workbench.demo_definition()
    test_set = definition.test_set
    few_shot = None if test_set.few_shot is None else str(folder / test_set.few_shot)
    return test_set.model_copy(update={"file": str(folder / (test_set.file or "")), "few_shot": few_shot})


def benchmark_definition(
    workbench: Workbench, desk: Desk, name: str, candidates: tuple[CandidateDefinition, ...]
) -> BenchmarkDefinition:
    """A benchmark of these candidates on the desk's test set, else on the demo's.

    Raises gr.Error on a bad name, and on parts that do not fit together.
    """
    draft = desk.draft
    demo, _ = workbench.demo_definition()
    own = draft.test_set is not None
    try:
        return BenchmarkDefinition(
            name=name,
            test_set=draft.test_set or demo_test_set(workbench),
            task=draft.task if own else demo.task,
            labels=draft.labels if own else demo.labels,
            scorers=draft.scorers if own else demo.scorers,
            prompt=(None if draft.prompts else draft.prompt) if own else demo.prompt,
            prompts=draft.prompts if own else demo.prompts,
            candidates=candidates,
            requirements=demo.requirements,
            seed=demo.seed,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = f"{first['msg'].removeprefix('Value error, ')}."
        raise refusal(BAD_NAME.format(name=name) if first["loc"] == ("name",) else said) from error
