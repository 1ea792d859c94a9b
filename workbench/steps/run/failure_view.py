"""How a failure is shown: what happened, what to do, and the end of the log, folded."""

from collections.abc import Sequence

from results import numbers
from runners.records import Failure
from workbench.steps import render
from workbench.steps.render import Html, tag

_FAILURES_SHOWN = 3
_STAGES = {
    "prepare": "preparing",
    "start": "starting",
    "load": "loading",
    "request": "answering",
    "score": "scoring",
    "store": "storing",
}


def failure_group(name: str, found: Sequence[Failure], count: int | None = None) -> Html:
    """The last failures of one candidate; `count` where there were more than are given."""
    shown = found[-_FAILURES_SHOWN:]
    rest = (len(found) if count is None else count) - len(shown)
    more = tag("p", f"and {numbers.things(rest, 'earlier failure')}", class_="quiet") if rest > 0 else None
    return render.join([failure_notice(name, failure) for failure in shown], more)


def failure_notice(name: str, failure: Failure) -> Html:
    """What happened, what to do, and the end of the log, folded."""
    log = None
    if failure.log_tail:
        lines = numbers.things(len(failure.log_tail.splitlines()), "line")
        log = tag(
            "details",
            tag("summary", f"The log's last {lines}"),
            tag("pre", failure.log_tail, class_="log", tabindex=0, aria_label=f"Log of {name}"),
            tag("p", f"Whole log: {failure.log_path}", class_="quiet") if failure.log_path else None,
        )
    return render.notice(
        "failure",
        tag("p", tag("b", name), f", while {_STAGES[failure.stage]}: {failure.message}"),
        tag("p", failure.hint) if failure.hint else None,
        log,
    )
