"""Whether candidates fit into memory side by side: predicted need of all against what is free."""

import os
from collections.abc import Sequence

from catalog.errors import WorkbenchError
from catalog.records import FitSettings
from results import numbers
from runners.engine_options import EndpointOptions, LlamaCppOptions, ScriptedOptions, VllmOptions
from workbench.head_to_head.records import RoomPlan
from workbench.model_catalog import ModelCatalog
from workbench.records import CandidateDefinition
from workbench.settings import Settings

SPARE_SHARE = 0.1
"""Part of the free memory that is left alone."""
_PROCESS_BYTES = 200_000_000
"""A worker without its model."""


class Room:
    """Predicts what candidates need, and what there is."""

    def __init__(self, settings: Settings, models: ModelCatalog) -> None:
        self._settings = settings
        self._models = models

    def plan(
        self, definitions: Sequence[CandidateDefinition], *, at_once: bool = True, held_bytes: int = 0
    ) -> RoomPlan:
        """Whether these fit side by side, with what loaded ones of them hold already, and how they share the cores."""
        different = {definition.model_dump_json(exclude={"name"}): definition for definition in definitions}
        if len(different) == 1:
            return RoomPlan(together=True, sentence="")
        plan = self._fit(list(different.values()), held_bytes)
        computing = sum(isinstance(each.options, LlamaCppOptions) for each in different.values())
        if plan.together and at_once and computing > 1:
            return plan.model_copy(update={"threads": threads_each(computing)})
        return plan

    def _fit(self, different: Sequence[CandidateDefinition], held_bytes: int) -> RoomPlan:
        if sum(isinstance(each.options, VllmOptions) for each in different) > 1:
            sentence = "Each vLLM server takes nearly the whole GPU, so they are asked one after the other, and each "
            return RoomPlan(together=False, sentence=f"{sentence}prompt starts them again.")
        needs = [self.needed_bytes(each) for each in different]
        if None in needs:
            unknown = f"What {numbers.things(needs.count(None), 'candidate')} will need is not known"
            return RoomPlan(together=False, sentence=f"{unknown}: they are loaded and asked one after the other.")
        need, free = sum(each or 0 for each in needs), self.free_bytes() + held_bytes
        words = f"{numbers.bytes_(need)} for all, {numbers.bytes_(free)} free"
        if need <= free:
            return RoomPlan(together=True, sentence=f"All fit side by side ({words}).")
        sentence = f"They do not fit side by side ({words}): they are loaded and asked one after the other."
        return RoomPlan(together=False, sentence=sentence)

    def free_bytes(self) -> int:
        """Memory that candidates may take."""
        limit = self._settings.live_memory_bytes
        free = int(self._models.machine().memory_available_bytes * (1 - SPARE_SHARE))
        return free if limit is None else min(limit, free)

    def needed_bytes(self, definition: CandidateDefinition) -> int | None:
        """Predicted memory on this machine; None where nobody knows."""
        options = definition.options
        match options:
            case EndpointOptions():
                return 0
            case ScriptedOptions():
                return options.memory_bytes
            case LlamaCppOptions():
                return self._predicted(definition, options.context_tokens)
            case VllmOptions():
                return self._predicted(definition, options.context_tokens)
        return None

    def _predicted(self, definition: CandidateDefinition, context_tokens: int) -> int | None:
        weights = self._weights_bytes(definition)
        try:
            model = self._models.find(definition.model)
            settings = FitSettings(quantization=definition.quantization or "Q4_K_M", context_tokens=context_tokens)
            found = self._models.predict(model, settings, weights).total_bytes
        except WorkbenchError:
            found = None
        if found is None and weights is not None:
            return int(weights * 1.1) + _PROCESS_BYTES
        return found

    def _weights_bytes(self, definition: CandidateDefinition) -> int | None:
        try:
            files = self._models.local_weights(definition.model)
        except WorkbenchError:
            return None
        sizes = [file.size_bytes for file in files if definition.quantization in {None, file.quantization}]
        return sizes[0] if len(sizes) == 1 and sizes[0] else None


def threads_each(candidates: int) -> int:
    """Compute threads for each of so many that write at the same time: more than cores would stall them all."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable // candidates)
