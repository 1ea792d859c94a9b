"""What a report tells strangers of the machine it was made on: file names instead of paths, no logs."""

import re

from catalog.records import Candidate
from results.records import CandidateSummary
from results.shortlist_records import Funnel
from workbench.report.records import ReportContent
from workbench.report.text import file_name
from workbench.vote_records import BenchmarkVotes


def for_sharing(content: ReportContent) -> ReportContent:
    """The same content without absolute paths of weights, benchmark file and logs, log lines, and names of voters."""
    comparison = content.comparison
    source = comparison.benchmark.source
    named = file_name(source) if source else None
    definition = _ABSOLUTE.sub(_named_alone, comparison.benchmark.definition)
    changes = {"source": named, "definition": definition, "funnel": _funnel(comparison.benchmark.funnel)}
    benchmark = comparison.benchmark.model_copy(update=changes)
    commands = tuple(_without(command, source) for command in content.commands)
    shared = comparison.model_copy(
        update={"benchmark": benchmark, "candidates": tuple(_summary(summary) for summary in comparison.candidates)}
    )
    judgings = tuple(
        report.model_copy(update={"model_id": _model_name(report.model_id)}) for report in content.judgings
    )
    return content.model_copy(
        update={"comparison": shared, "commands": commands, "judgings": judgings, "votes": _votes(content.votes)}
    )


def _votes(found: BenchmarkVotes | None) -> BenchmarkVotes | None:
    """Without the names of those who voted; how many they were is told."""
    if found is None:
        return None
    nameless = tuple(f"person {number}" for number in range(1, len(found.standing.voters) + 1))
    return found.model_copy(update={"standing": found.standing.model_copy(update={"voters": nameless})})


def _funnel(found: Funnel | None) -> Funnel | None:
    """With the file's name of every model that was picked as a file of this machine."""
    if found is None:
        return None
    return found.model_copy(update={"chosen": tuple(_model_name(model) for model in found.chosen)})


_ABSOLUTE = re.compile(
    r"^(?P<key>[ -]*(?:file|few_shot|model): *[\"']?)(?P<path>(?:[/~]|[A-Za-z]:[\\/])[^\"'\n]*)", re.M
)
"""Lines of a benchmark file that name a file by its whole path."""


def _named_alone(line: re.Match[str]) -> str:
    return line["key"] + file_name(line["path"])


def _summary(summary: CandidateSummary) -> CandidateSummary:
    weights = summary.candidate.weights_path
    failures = tuple(
        failure.model_copy(
            update={
                "message": _without(failure.message, weights),
                "hint": _without(failure.hint, weights),
                "log_path": None,
                "log_tail": "",
            }
        )
        for failure in summary.failures
    )
    return summary.model_copy(update={"candidate": _candidate(summary.candidate), "failures": failures})


def _without(text: str, path: str | None) -> str:
    """The text with the path's last part in place of the whole path."""
    return text.replace(path, file_name(path)) if path else text


def _candidate(candidate: Candidate) -> Candidate:
    return candidate.model_copy(
        update={
            "weights_path": file_name(candidate.weights_path),
            "model_id": _model_name(candidate.model_id),
        }
    )


def _model_name(model: str) -> str:
    """A Hub id as it is, of a path the file's name."""
    is_path = model.startswith(("/", "~", ".", "\\")) or model[1:3] in {":\\", ":/"}
    return file_name(model) if is_path else model
