"""Says which runs are not compared because they used another version of the test set."""

from collections.abc import Sequence

from results.errors import NothingToCompare


def other_version_notes(benchmark: str, otherwise: Sequence[str], compared: int) -> tuple[str, ...]:
    """A note on runs that were left out; `compared` runs are left. Raises NothingToCompare where none is."""
    if not otherwise:
        return ()
    one = len(otherwise) == 1
    text = (
        f"{', '.join(otherwise)} {'was' if one else 'were'} measured on another version of the test set or with "
        f"another prompt, which is not comparable. Measure {'it' if one else 'them'} again: workbench bench FILE."
    )
    if not compared:
        raise NothingToCompare(f"Benchmark {benchmark!r} has no run on its test set as it is now. {text}")
    return (f"Left out: {text}",)
