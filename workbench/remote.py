"""What a run takes from and gives to the world outside: the key it needs, and what leaves this machine, in sentences.

Sends nothing; the engine refuses by itself what the options do not allow.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from results import numbers
from runners.engine_options import EndpointOptions, EngineOptions, is_remote
from runners.test_set_records import TestSet
from workbench.records import BenchmarkDefinition, CandidateDefinition
from workbench.settings import read_secrets


def secrets_of(options: EngineOptions) -> dict[str, str]:
    """Values of the environment variables that a candidate's options name, where they are set."""
    return read_secrets((options.api_key_variable,)) if isinstance(options, EndpointOptions) else {}


def notes_on_leaving(definition: BenchmarkDefinition, test_set: TestSet) -> tuple[str, ...]:
    """For each other machine that may be asked: how many examples it will see."""
    sent = numbers.things(_examples_sent(definition, test_set), "example")
    shown = numbers.things(len(test_set.few_shot), "example")
    with_shots = f" and the {shown} shown in the prompt" if test_set.few_shot else ""
    return tuple(
        f"{sent} of {test_set.name}{with_shots} will leave this machine for {host} (for {', '.join(models)})."
        for host, models in _asked_hosts(definition.candidates).items()
    )


def notes_on_prompts_leaving(candidates: Sequence[CandidateDefinition]) -> tuple[str, ...]:
    """For each other machine that would be asked in a head-to-head: that prompts go there."""
    return tuple(
        f"Every prompt will leave this machine for {host} (for {', '.join(models)}), with its system prompt and the "
        "earlier messages of the conversation."
        for host, models in _asked_hosts(candidates).items()
    )


def notes_on_judging(candidates: Sequence[CandidateDefinition]) -> tuple[str, ...]:
    """For each other machine that may judge: what goes there if it does."""
    return tuple(
        f"If {' or '.join(models)} judges, examples, right answers and the answers of all candidates will leave this "
        f"machine for {host}."
        for host, models in _asked_hosts(candidates).items()
    )


def _asked_hosts(candidates: Sequence[CandidateDefinition]) -> dict[str, list[str]]:
    """Models by the other machine that may be asked for them."""
    hosts: dict[str, list[str]] = {}
    for candidate in candidates:
        options = candidate.options
        if isinstance(options, EndpointOptions) and options.allow_remote and is_remote(options):
            host = urlsplit(options.base_url).hostname or options.base_url
            hosts.setdefault(host, []).append(options.model or candidate.model)
    return hosts


def _examples_sent(definition: BenchmarkDefinition, test_set: TestSet) -> int:
    """Different examples that some workload sends."""
    everything = len(test_set.examples)
    counts = (
        min((workload.prompts if workload.kind == "latency" else workload.examples) or everything, everything)
        for workload in definition.workloads
        if workload.kind not in {"prompts", "load"} and workload.synthetic is None
    )
    return max(counts, default=0)
