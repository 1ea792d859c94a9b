"""The process that a function of the user's own runs in: `python -P -m runners.scorers.python_child`.

Reads JSON lines from standard input, the first says which function, each further one is a call; answers each with one
line on what was standard output. What the function prints goes to standard error instead. A call that outlasts its
limit is ended by the parent; where that is gone too, by an alarm that needs no Python to ring.
"""

import importlib
import importlib.util
import json
import math
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

_GRACE_SECONDS = 2.0
"""The parent comes first."""
_WANTED = "Return True or False, a number from 0 to 1, None for an answer that cannot be read, or a dict with `value`."

Function = Callable[[str, Mapping[str, object]], object]


def main() -> int:
    """Load the function, then answer calls until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    function: Function | None = None
    for line in sys.stdin:
        order = json.loads(line)
        _ring_after(float(order["seconds"]))
        try:
            if function is None:
                function, reply = _load(order["path"], order["module"], order["function"]), {}
            else:
                reply = _reply(function(order["answer"], order["example"]))
        except Exception as error:  # noqa: BLE001  whatever a function of the user's raises is told to the user
            reply = {"error": _described(error)}
        _ring_after(0)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
    return 0


def _ring_after(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS if seconds else 0)


def _load(path: str, module: str, name: str) -> Function:
    if module:
        found = importlib.import_module(module)
    else:
        # Its neighbours can be imported, as if it had been started itself.
        sys.path.insert(0, str(Path(path).parent))
        spec = importlib.util.spec_from_file_location(Path(path).stem, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        found = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found
        spec.loader.exec_module(found)
    function = getattr(found, name, None)
    if not callable(function):
        raise AttributeError(f"there is no function {name!r} in {path}")
    loaded: Function = function
    return loaded


def _reply(returned: object) -> dict[str, object]:
    """What a function returned, as the parent wants it. Raises TypeError or ValueError."""
    if returned is None:
        return {"value": None}
    if not isinstance(returned, Mapping):
        return {"value": _share(returned)}
    unknown = set(returned) - {"value", "predicted", "counts"}
    if unknown or "value" not in returned:
        raise ValueError(
            f"it returned a dict with {', '.join(map(repr, returned))}; the keys are value, predicted, counts"
        )
    predicted, counts = returned.get("predicted"), returned.get("counts") or {}
    value = returned["value"]
    return {
        "value": None if value is None else _share(value),
        "predicted": None if predicted is None else str(predicted),
        "counts": {str(key): _finite(number) for key, number in dict(counts).items()},
    }


def _share(value: object) -> float:
    share = _finite(value)
    if not 0 <= share <= 1:
        raise ValueError(f"it returned {value!r}. {_WANTED}")
    return share


def _finite(value: object) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"it returned {value!r}. {_WANTED}")
    number = float(value)  # numpy's numbers are no float, but can become one
    if not math.isfinite(number):
        raise ValueError(f"it returned {value!r}. {_WANTED}")
    return number


def _described(error: Exception) -> str:
    """The error, and the line of the user's file where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    where = f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"[:1000]


if __name__ == "__main__":
    sys.exit(main())
