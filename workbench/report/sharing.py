"""What a report tells strangers of the machine it was made on: file names instead of paths, no logs."""

from catalog.records import Candidate
from results.records import BenchmarkComparison, CandidateSummary
from workbench.report.records import ReportContent
from workbench.report.text import file_name


def for_sharing(content: ReportContent) -> ReportContent:
    """The same content without absolute paths of weights, benchmark file and logs, and without log lines."""
    comparison = content.comparison
    source = comparison.benchmark.source
    named = file_name(source) if source else None
    benchmark = comparison.benchmark.model_copy(update={"source": named})
    commands = tuple(_without(command, source) for command in content.commands)
    shared = BenchmarkComparison(
        benchmark=benchmark,
        candidates=tuple(_summary(summary) for summary in comparison.candidates),
        pairs=comparison.pairs,
        ladder=comparison.ladder,
        costs=comparison.costs,
    )
    judgings = tuple(
        report.model_copy(update={"model_id": _model_name(report.model_id)}) for report in content.judgings
    )
    return content.model_copy(update={"comparison": shared, "commands": commands, "judgings": judgings})


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
