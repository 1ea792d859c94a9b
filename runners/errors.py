"""What can go wrong while preparing or running a candidate.

RunnerError (a WorkbenchError)
├── EngineUnavailable   the engine is not installed or does not work here
├── EngineFailed        loading or generating failed inside the engine
├── LimitReached        going on would spend more than the options allow
├── BadTestSet          a test-set file that cannot be used
├── BadCompletions      answers made before or elsewhere that cannot be used
├── BadTemplate         a prompt or chat template that does not render
└── ScoringFailed       a scorer could not judge an answer
"""

from catalog.errors import WorkbenchError


class RunnerError(WorkbenchError):
    """Base of the runners' errors."""


class EngineUnavailable(RunnerError):
    """The engine is not installed or does not work on this machine."""


class EngineFailed(RunnerError):
    """Loading or generating failed inside the engine."""


class LimitReached(RunnerError):
    """Going on would spend more than the options allow; what was finished is kept."""


class BadTestSet(RunnerError):
    """A test-set file that cannot be used."""


class BadCompletions(RunnerError):
    """Answers that were made before, or elsewhere, and cannot be used."""


class BadTemplate(RunnerError):
    """A prompt or chat template that does not render."""


class ScoringFailed(RunnerError):
    """A scorer could not judge an answer: its example has failed, the others go on."""
