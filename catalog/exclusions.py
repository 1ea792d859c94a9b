"""Files of exclusions: every model that a search left out, kept so that 'why is X not here?' is answered later too.

One Parquet file with the columns model_id, rule and reason, in the order of the ids. The reasons are shorter than those
of the index, because millions are written at once; numbers and facts are those of the day.
"""

from pathlib import Path

from catalog.database import connect, in_words, quoted
from catalog.errors import BadCatalogData
from catalog.index.filters import FILTERS
from catalog.records import Exclusion, ModelQuery


def exclusions_query(query: ModelQuery, source: str | None) -> str:
    """SQL that makes the file from tables `arrays` (row, rule) and `texts`; `source` is the file of models."""
    later = (
        "SELECT later_id AS model_id, later_rule AS rule, later_reason AS reason FROM texts WHERE later_id IS NOT NULL"
    )
    if source is None:
        return later
    names = "".join(f"WHEN {number} THEN '{rule}' " for number, rule in enumerate(FILTERS, 1))
    reasons = "".join(f"WHEN {number} THEN {rule.sentence(query)} " for number, rule in enumerate(FILTERS.values(), 1))
    return f"""
        SELECT id AS model_id, CASE rule {names} END AS rule, CASE rule {reasons} END AS reason
        FROM {source} JOIN arrays ON row = file_row_number
        LEFT JOIN (SELECT license_case, verdict FROM texts WHERE license_case IS NOT NULL) USING (license_case)
        UNION ALL {later}
    """


def read_exclusion(path: Path, model_id: str) -> Exclusion | None:
    """Why a model is not on the list; None where it was not left out. Raises BadCatalogData where there is no file."""
    if not path.exists():
        raise BadCatalogData(f"There is no file of exclusions {path}. Save the shortlist again to make one.")
    with in_words(path, "read"):
        query = f"SELECT model_id, rule, reason FROM {quoted(path)} WHERE lower(model_id) = lower(?) LIMIT 1"
        rows = connect().execute(query, [model_id.strip()]).fetchall()
    return Exclusion(model_id=rows[0][0], rule=rows[0][1], reason=rows[0][2]) if rows else None
