"""What a report tells strangers of the machine it was made on: file names instead of paths, no logs."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from catalog.records import Candidate
from results.recommendation_records import Recommendation
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
    definition = _nameless(comparison.benchmark.definition)
    changes = {"source": named, "definition": definition, "funnel": _funnel(comparison.benchmark.funnel)}
    benchmark = comparison.benchmark.model_copy(update=changes)
    commands = content.commands
    if source:
        commands = tuple(each.replace(shlex.quote(source), shlex.quote(file_name(source))) for each in commands)
    shared = comparison.model_copy(
        update={"benchmark": benchmark, "candidates": tuple(_summary(summary) for summary in comparison.candidates)}
    )
    weights = [summary.candidate.weights_path for summary in comparison.candidates]
    judgings = tuple(
        report.model_copy(update={"model_id": _model_name(report.model_id)}) for report in content.judgings
    )
    return content.model_copy(
        update={
            "comparison": shared,
            "commands": commands,
            "judgings": judgings,
            "votes": _votes(content.votes),
            "recommendation": _recommendation(content.recommendation, weights),
        }
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


_PATHS = frozenset({"file", "few_shot", "model", "function", "path"})
"""Keys of a benchmark file whose values may be paths."""
_PLAIN = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)+(?::\w+)?")
"""Names of files that need no quotes in YAML."""
_WHOLE = re.compile(r"(?<![\w:/\\.])(?!/v\d+/)(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\"`]+[/\\])+([^\s/\\'\"`]+)")
"""A whole path in a sentence; no address, and no path of a server's interface such as /v1/models."""


def _nameless(text: str) -> str:
    """A benchmark file as it was written, with the file's name in place of every whole path."""
    # An alias is its anchor's own node: replaced once.
    found = {each.start_mark.index: each for each in _values(YAML(pure=True).compose(text)) if _is_path(each.value)}
    for start, value in sorted(found.items(), reverse=True):
        text = f"{text[:start]}{_written(value)}{text[value.end_mark.index :]}"
    return text


def _written(value: ScalarNode) -> str:
    """The file's name as YAML that is read as this text, in the quotes that the path had."""
    name = file_name(value.value)
    anchor = f"&{value.anchor} " if value.anchor else ""
    if value.style == "'":
        doubled = name.replace("'", "''")
        return f"{anchor}'{doubled}'"
    is_block = value.style in {"|", ">"}
    plain = not value.style and _PLAIN.fullmatch(name)
    return f"{anchor}{name if plain else json.dumps(name, ensure_ascii=False)}{chr(10) if is_block else ''}"


def _values(node: Node | None) -> Iterator[ScalarNode]:
    """What stands under those keys, wherever they are."""
    if isinstance(node, SequenceNode):
        for each in node.value:
            yield from _values(each)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(value, ScalarNode):
                yield from [value] if key.value in _PATHS else []
            else:
                yield from _values(value)


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


def _without(text: str, *paths: str) -> str:
    """A sentence with file names in place of these paths, which may hold blanks, and of any other."""
    for path in filter(None, paths):
        text = text.replace(path, file_name(path))
    return _WHOLE.sub(r"\1", text)


def _recommendation(found: Recommendation, weights: Sequence[str]) -> Recommendation:
    """Without the paths in what went wrong with candidates that are out."""
    excluded = tuple(
        each.model_copy(
            update={
                "broken": tuple(
                    broken.model_copy(update={"message": _without(broken.message, *weights)}) for broken in each.broken
                )
            }
        )
        for each in found.excluded
    )
    return found.model_copy(update={"excluded": excluded})


def _candidate(candidate: Candidate) -> Candidate:
    return candidate.model_copy(
        update={
            "weights_path": file_name(candidate.weights_path),
            "model_id": _model_name(candidate.model_id),
        }
    )


def _model_name(model: str) -> str:
    """A Hub id as it is, of a path the file's name."""
    return file_name(model) if _is_path(model) else model


def _is_path(text: str) -> bool:
    return text.startswith(("/", "~", ".", "\\")) or text[1:3] in {":\\", ":/"}
