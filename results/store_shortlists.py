"""The results file's part on kept shortlists. Reached as `Store.shortlists`."""

from results import rows
from results.shortlist_records import Shortlist
from results.store_file import Connection, Do, now


class ShortlistShelf:
    """Reads and writes versions of shortlists. What versions hold never changes; their name and `archived` can."""

    def __init__(self, do: Do) -> None:
        self._do = do

    def keep(self, shortlist: Shortlist) -> Shortlist:
        """Keep a shortlist under its name; a name that exists gets its next version, and earlier ones stay.

        Version and time of the record given are replaced by those it is kept under. An archived name comes back.
        """

        def save(db: Connection) -> Shortlist:
            name = rows.clean(shortlist.name)
            versions = db.execute("SELECT max(version) FROM shortlists WHERE name = ?", [name]).fetchall()
            kept = shortlist.model_copy(update={"version": (versions[0][0] or 0) + 1, "created_at": now()})
            _change(db, shortlist.name, {"archived": False})
            row = [name, kept.version, kept.created_at, rows.to_json(kept)]
            db.execute("INSERT INTO shortlists VALUES (?, ?, ?, ?)", row)
            return kept

        return self._do(save)

    def all(self) -> tuple[Shortlist, ...]:
        """All versions of all shortlists, by name, newest version first."""
        query = "SELECT definition FROM shortlists ORDER BY name, version DESC"

        def read(db: Connection) -> tuple[Shortlist, ...]:
            return tuple(Shortlist.model_validate_json(text) for (text,) in db.execute(query).fetchall())

        return self._do(read)

    def rename(self, name: str, new_name: str) -> None:
        """Give all versions another name, which the caller knows to be free."""
        self._do(lambda db: _change(db, name, {"name": new_name}))

    def archive(self, name: str, *, archived: bool) -> None:
        """Put all versions away, or take them back."""
        self._do(lambda db: _change(db, name, {"archived": archived}))


def _change(db: Connection, name: str, changes: dict[str, str | bool]) -> None:
    """Change every version of a name."""
    query = "SELECT definition FROM shortlists WHERE name = ?"
    for (text,) in db.execute(query, [rows.clean(name)]).fetchall():
        changed = Shortlist.model_validate_json(text).model_copy(update=changes)
        db.execute(
            "UPDATE shortlists SET name = ?, definition = ? WHERE name = ? AND version = ?",
            [rows.clean(changed.name), rows.to_json(changed), rows.clean(name), changed.version],
        )
