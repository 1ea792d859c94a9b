"""Updates: pages are merged with what is there, an interruption loses nothing, trouble is told in sentences."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog.added import add_model, read_added
from catalog.catalog_folder import models_path, pending_path
from catalog.errors import BadCatalogData, Cancelled, CatalogError, HubUnavailable
from catalog.exclusions import read_exclusion
from catalog.index import Index
from catalog.records import Machine, Model, ModelQuery, Profile, VerdictValue
from catalog.snapshot import load_starter_models
from catalog.snapshots import list_snapshots, trends
from catalog.update import UpdateSummary, update_catalog

DESK = Machine(name="desk", cpu="test", logical_cores=8, memory_total_bytes=2**35, memory_available_bytes=2**34)
STARTER = len(load_starter_models())


class FakePage(NamedTuple):
    """A page as the Hub gives it."""

    models: tuple[Model, ...]
    next_cursor: str | None


def _model(name: str, **facts: object) -> Model:
    return Model.model_validate({"id": name, "task": "text-generation", **facts})


def _update(folder: Path, *models: Model, now: str = "2026-11-20T10:00:00") -> UpdateSummary:
    return update_catalog(lambda _: [FakePage(models, None)], folder, scope="all", now=now)


def test_an_update_puts_pages_beside_the_starter_models(tmp_path: Path) -> None:
    summary = _update(tmp_path, _model("maker/one", downloads=5, license="mit"))
    assert (summary.fetched, summary.models) == (1, STARTER + 1)
    index = Index.open(tmp_path)
    assert index.find("Maker/One").downloads == 5
    assert len(index) == STARTER + 1
    assert not pending_path(tmp_path, "all").exists()


def test_an_interrupted_update_goes_on_after_the_last_whole_page(tmp_path: Path) -> None:
    asked: list[str | None] = []

    def failing(cursor: str | None) -> Iterable[FakePage]:
        asked.append(cursor)
        yield FakePage((_model("maker/one"),), "after one")
        raise HubUnavailable("The Hub answered with status 503. Try again later.")

    with pytest.raises(HubUnavailable):
        update_catalog(failing, tmp_path, scope="all", now="2026-11-20T10:00:00")
    with pending_path(tmp_path, "all").open("a") as file:
        file.write('{"cursor": "half a li')

    def rest(cursor: str | None) -> Iterable[FakePage]:
        asked.append(cursor)
        yield FakePage((_model("maker/two"),), None)

    summary = update_catalog(rest, tmp_path, scope="all", now="2026-11-20T10:05:00")
    assert asked == [None, "after one"]
    assert (summary.fetched, summary.models) == (2, STARTER + 2)


def test_a_stopped_update_keeps_its_pages_and_the_old_catalog(tmp_path: Path) -> None:
    _update(tmp_path, _model("maker/one"))
    before = models_path(tmp_path).read_bytes()
    with pytest.raises(Cancelled, match="kept"):
        update_catalog(
            lambda _: [FakePage((_model("maker/two"),), "more")],
            tmp_path,
            scope="all",
            now="2026-11-21T10:00:00",
            is_cancelled=lambda: True,
        )
    assert models_path(tmp_path).read_bytes() == before
    assert pending_path(tmp_path, "all").exists()


def test_an_update_keeps_models_that_it_does_not_name_and_refreshes_those_it_does(tmp_path: Path) -> None:
    _update(tmp_path, _model("maker/one", downloads=5), _model("maker/two", downloads=7))
    _update(tmp_path, _model("maker/one", downloads=50), now="2026-11-21T10:00:00")
    index = Index.open(tmp_path)
    assert (index.find("maker/one").downloads, index.find("maker/two").downloads) == (50, 7)


def test_a_license_that_changes_reaches_the_models_made_from_it(tmp_path: Path) -> None:
    child = _model("maker/child", license="mit", base_models=["maker/parent"])
    query, profile = ModelQuery(text="child", verdicts=(VerdictValue.ALLOWED,)), Profile()
    _update(tmp_path, _model("maker/parent", license="mit"), child)
    assert Index.open(tmp_path).search(query, profile, DESK).matches == 1
    _update(tmp_path, _model("maker/parent", license="cc-by-nc-4.0"), now="2026-11-21T10:00:00")
    assert Index.open(tmp_path).search(query, profile, DESK).matches == 0


def test_the_index_finds_the_same_in_a_file_as_in_memory(tmp_path: Path) -> None:
    _update(tmp_path)
    stored, fresh = Index.open(tmp_path), Index(load_starter_models())
    for query in (
        ModelQuery(text="qwen", sort="likes"),
        ModelQuery(fits=True, verdicts=(VerdictValue.ALLOWED,), sort="name", limit=50),
        ModelQuery(max_parameters=10**10, format="safetensors", sort="released"),
        ModelQuery(gated=False, language="en", licenses=("apache-2.0",), sort="context"),
    ):
        one, two = stored.search(query, Profile(), DESK), fresh.search(query, Profile(), DESK)
        assert [hit.model.id for hit in one.hits] == [hit.model.id for hit in two.hits]
        assert (one.matches, one.excluded) == (two.matches, two.excluded)


def test_added_models_are_searched_at_once_and_taken_over_by_the_next_update(tmp_path: Path) -> None:
    _update(tmp_path, _model("maker/one", downloads=5))
    add_model(tmp_path, _model("maker/one", likes=9))
    add_model(tmp_path, _model("maker/new"))
    index = Index.open(tmp_path)
    assert (index.find("maker/one").downloads, index.find("maker/one").likes) == (5, 9)
    assert len(index) == STARTER + 2
    _update(tmp_path, now="2026-11-21T10:00:00")
    assert read_added(tmp_path) == []
    assert len(Index.open(tmp_path)) == STARTER + 2


def test_exclusions_are_kept_in_a_file_that_answers_later(tmp_path: Path) -> None:
    _update(tmp_path, _model("maker/one", parameters=5))
    index, query = Index.open(tmp_path), ModelQuery(min_parameters=6)
    path = tmp_path / "kept" / "exclusions.parquet"
    index.write_exclusions(query, Profile(), DESK, path)
    kept = read_exclusion(path, "MAKER/ONE")
    assert kept is not None
    assert (kept.rule, kept.reason) == ("min_parameters", "the number of parameters is 5, not at least 6")
    assert read_exclusion(path, "maker/unknown") is None


def test_trends_compare_two_snapshots(tmp_path: Path) -> None:
    _update(tmp_path, _model("maker/up", downloads=100), _model("maker/down", downloads=5_000))
    with pytest.raises(CatalogError, match="two snapshots"):
        trends(tmp_path)
    later = (_model("maker/up", downloads=9_000), _model("maker/down", downloads=1_000))
    _update(tmp_path, *later, now="2026-11-21T10:00:00")
    assert [entry.taken_at for entry in list_snapshots(tmp_path)] == ["2026-11-20T10:00:00", "2026-11-21T10:00:00"]
    first, *_ = trends(tmp_path, limit=1_000)
    assert (first.name, first.downloads_before, first.downloads) == ("maker/up", 100, 9_000)
    assert first.rank is not None
    assert first.rank_before is not None
    assert first.rank < first.rank_before
    assert "maker/down" in {entry.name for entry in trends(tmp_path, limit=1_000)}
    (hit,) = Index.open(tmp_path).search(ModelQuery(sort="rising", limit=1), Profile(), DESK).hits
    assert hit.model.id == "maker/up"
    assert hit.trend is not None
    assert hit.trend.downloads_before == 100
    assert {entry.name for entry in trends(tmp_path, by="family", limit=5)} >= {"maker/up"}


@pytest.mark.parametrize("trouble", ["damaged", "folder is a file"])
def test_trouble_with_the_disk_is_a_sentence(tmp_path: Path, trouble: str) -> None:
    folder = tmp_path / "catalog"

    def act() -> object:
        return _update(folder, _model("maker/one"))

    if trouble == "damaged":
        act()
        models_path(folder).write_bytes(b"PAR1 and no more")
        with pytest.raises(BadCatalogData, match="cannot be read"):
            Index.open(folder)
    else:
        folder.write_text("not a folder")
        with pytest.raises(CatalogError, match="cannot be written"):
            act()
