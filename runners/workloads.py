"""What a loaded candidate is asked, workload by workload (definitions: Workload in runners/records.py).

Decides which requests are sent, in which order and at which load, and what an earlier start has finished already.
Sending, judging and writing is window.py's.
"""

import sys
from collections.abc import Sequence
from itertools import cycle

from runners.asking_order import shuffled
from runners.engine_options import renders_prompts
from runners.errors import EngineFailed
from runners.levels import (
    LevelOutcome,
    arrival_times,
    goes_on,
    levels_of,
    outcome_of,
    planned_requests,
    requests_at,
)
from runners.prompts import conversation_requests, example_request, neutral_requests
from runners.records import (
    TIMED_KINDS,
    Completion,
    CompletionDone,
    PromptRendered,
    Request,
    RunEvent,
    Workload,
    WorkloadStarted,
)
from runners.session import Session
from runners.stopwatch import Pace, time_stream
from runners.synthetic_prompts import SyntheticPrompts
from runners.variations import variations
from runners.window import Part, Shown, Window


class WorkloadRunner:
    """Sends the requests of each workload and writes what came back."""

    def __init__(self, session: Session, past: Sequence[RunEvent] = ()) -> None:
        self._session = session
        self._spec = session.spec
        self._test_set = session.spec.asked
        self._engine = session.engine
        self._stopwatch = session.stopwatch
        self._past = tuple(past)
        """Events of earlier starts: what they finished is not done again."""
        self._window = Window(session)

    def run(self, workload: Workload) -> None:
        """Do what is missing. Raises EngineFailed when the engine is broken."""
        if workload.kind == "load":
            self._load_again(workload)
            return
        if workload.kind in {"load_sweep", "arrivals"}:
            self._run_levels(workload)
            return
        if workload.kind == "robustness":
            self._vary(workload)
            return
        requests = self._requests(workload)
        done = self._done(workload)
        missing = tuple(request for request in requests if request.id not in done)
        self._begin(workload, len(requests), len(missing))
        if not missing:
            return
        if workload.kind == "accuracy" and self._spec.keeps_prompts:
            self._keep_prompts(missing)
        # Head-to-head has one conversation; many are a judge's, and nobody times them.
        at_once = workload.kind == "accuracy" or len(workload.conversations) > 1
        concurrency = self._engine.concurrency if at_once else 1
        part = Part(workload, missing, Pace(concurrency, sharing=requests if at_once else ()))
        if workload.kind == "latency":
            self._warm_up(part)
        self._window.measure(part)

    def time_first_request(self, repeat: int = 0) -> None:
        """Time one neutral request apart: the first after a load pays for what the load left for later."""
        workload = Workload(kind="load", max_output_tokens=8)
        (request,) = neutral_requests(self._test_set, workload, 1)
        request = request.model_copy(update={"id": f"first-{self._session.segment}-{repeat}"})
        try:
            for _, outcome in time_stream(self._engine, (request,), self._stopwatch, on_chunk=self._window.note_retry):
                if isinstance(outcome, Completion):
                    self._window.write(Part(workload, (request,), Pace()), outcome)
        except EngineFailed as error:
            # The measured requests will say the same, and count it.
            sys.stderr.write(f"The first request after the load failed: {error}\n")

    @property
    def has_timed_work(self) -> bool:
        """Whether a workload that is timed request by request has anything left to do."""
        examples = len(self._test_set.examples)
        return any(
            workload.kind == "load"
            or (workload.kind in TIMED_KINDS and len(self._done(workload)) < planned_requests(workload, examples))
            for workload in self._spec.workloads
        )

    def _done(self, workload: Workload) -> set[str]:
        """Requests of a workload that an earlier start has finished."""
        done = (event.completion for event in self._past if isinstance(event, CompletionDone))
        return {completion.request_id for completion in done if completion.workload == workload.kind}

    def _load_again(self, workload: Workload) -> None:
        for repeat in range(1, workload.repeats + 1):
            self._engine.close()
            self._session.load(repeat)
            self.time_first_request(repeat)

    def _vary(self, workload: Workload) -> None:
        """One variation after the other, in one window; each shares a beginning of its own."""
        asked = variations(self._test_set, workload, self._spec.seed)
        done = self._done(workload)
        parts = []
        for variation in asked:
            requests = tuple(each.request for each in variation.asked)
            missing = tuple(request for request in requests if request.id not in done)
            shown = {each.request.id: Shown(variation.name, each.example) for each in variation.asked}
            self._window.shown |= shown
            if missing:
                parts.append(Part(variation.workload, missing, Pace(self._engine.concurrency, sharing=requests)))
        total, remaining = (sum(map(len, each)) for each in ([v.asked for v in asked], [p.requests for p in parts]))
        self._begin(workload, total, remaining)
        if parts:
            self._window.measure(*parts)

    def _run_levels(self, workload: Workload) -> None:
        """One level after the other; a level that an earlier start did not finish is done anew as a whole."""
        self._begin(workload, planned_requests(workload, 0), planned_requests(workload, 0))
        prompts = self._synthetic(workload) if workload.synthetic is not None else None
        before: LevelOutcome | None = None
        for level in levels_of(workload):
            outcome = outcome_of(self._past, workload.kind, level)
            if outcome is None:
                outcome = self._run_level(workload, level, prompts)
            if workload.kind == "load_sweep" and not goes_on(workload, before, outcome):
                return
            before = outcome

    def _run_level(self, workload: Workload, level: float, prompts: SyntheticPrompts | None) -> LevelOutcome:
        is_sweep = workload.kind == "load_sweep"
        count = requests_at(workload, level)
        ids = [f"{'c' if is_sweep else 'r'}{level:g}-s{self._session.segment}-n{number}" for number in range(count)]
        requests = prompts.requests(ids) if prompts is not None else self._examples_as(workload, ids)
        if is_sweep:
            pace = Pace(int(level))
        else:
            pace = Pace(workload.max_concurrency, arrival_times(level, count, self._spec.seed))
        part = Part(workload, requests, pace, level)
        self._warm_up(part, prompts)
        seen = self._window.measure(part)
        outcome = outcome_of(seen, workload.kind, level)
        if outcome is None:
            raise AssertionError("a level that was measured has a window")
        return outcome

    def _warm_up(self, part: Part, prompts: SyntheticPrompts | None = None) -> None:
        """Send a few prompts that are left out, at the pace that will be measured."""
        count = part.workload.warmup_prompts
        if prompts is None:
            requests = neutral_requests(self._test_set, part.workload, count)
        else:
            requests = prompts.requests([f"warm-up-{number}" for number in range(count)])
        pace = Pace(part.pace.max_concurrency)
        for _ in time_stream(self._engine, requests, self._stopwatch, pace, on_chunk=self._window.note_retry):
            pass

    def _begin(self, workload: Workload, total: int, remaining: int) -> None:
        self._session.events.write(
            WorkloadStarted(
                segment=self._session.segment,
                workload=workload.kind,
                total=total,
                remaining=remaining,
                at_seconds=self._stopwatch.now(),
            )
        )

    def _requests(self, workload: Workload) -> tuple[Request, ...]:
        if workload.kind == "prompts":
            return tuple(conversation_requests(workload, self._spec.seed))
        examples = self._test_set.examples
        count = planned_requests(workload, len(examples))
        if workload.kind == "latency" and workload.synthetic is not None:
            return self._synthetic(workload).requests([f"synthetic-{number}" for number in range(count)])
        if workload.shuffle:
            examples = tuple(example for unit in shuffled(examples, self._spec.seed) for example in unit)
        return tuple(
            example_request(self._test_set, example, workload, self._spec.seed) for example in examples[:count]
        )

    def _examples_as(self, workload: Workload, ids: Sequence[str]) -> tuple[Request, ...]:
        """One request for each id, over the test set's examples again and again."""
        examples = self._test_set.examples
        requests = []
        for identity, example in zip(ids, cycle(examples), strict=False):
            self._window.example_of[identity] = example.id
            request = example_request(self._test_set, example, workload, self._spec.seed)
            requests.append(request.model_copy(update={"id": identity}))
        return tuple(requests)

    def _synthetic(self, workload: Workload) -> SyntheticPrompts:
        if workload.synthetic is None:
            raise AssertionError("only workloads with synthetic prompts get here")
        prompts = SyntheticPrompts(
            self._engine, workload.synthetic, temperature=workload.temperature, seed=self._spec.seed
        )
        prompts.calibrate()
        if not prompts.is_exact:
            asked = workload.synthetic.input_tokens
            sys.stderr.write(f"Synthetic prompts do not come to {asked} tokens exactly; the real counts are stored.\n")
        return prompts

    def _keep_prompts(self, requests: Sequence[Request]) -> None:
        if renders_prompts(self._spec.options):
            for request in requests:
                text = self._engine.prompt_text(request)
                self._session.events.write(PromptRendered(request_id=request.id, text=text))
