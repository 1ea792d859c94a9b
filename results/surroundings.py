"""How the machine was when a benchmark began: what else it computed then can have cost time."""

from results.records import RunStart
from results.store import Store
from results.store_file import Connection


def first_start(store: Store, benchmark: str) -> RunStart | None:
    """The earliest start of a worker with its load; None where the system gives no load. Raises UnknownBenchmark.

    Only the earliest: before each later one the load is that of our own run.
    """
    query = """
        SELECT candidate, load_average FROM segments WHERE benchmark = ?
        ORDER BY try_cast(started_at AS TIMESTAMPTZ), candidate LIMIT 1
    """

    def read(db: Connection) -> RunStart | None:
        found = db.execute(query, [benchmark]).fetchone()
        return None if found is None or found[1] is None else RunStart(candidate=found[0], load_average=found[1])

    return store.reading(benchmark, read)
