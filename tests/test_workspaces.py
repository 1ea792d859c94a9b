"""Workspaces: a directory each, with a name, known on this machine, opened as an app of their own."""

import json
import os
import signal
import urllib.request
from pathlib import Path

import pytest

from workbench.app_lock import running_app
from workbench.settings import Settings
from workbench.workspaces import BadWorkspace, Workspaces


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return Settings(home=tmp_path / "home", config_folder=tmp_path / "config", workspaces_folder=tmp_path / "spaces")


def test_a_workspace_is_called_as_its_folder_until_it_gets_a_name(settings: Settings) -> None:
    spaces = Workspaces(settings)
    assert spaces.name == "home"
    spaces.rename("  Support   replies ")
    assert spaces.name == "Support replies"
    assert Workspaces(settings).name == "Support replies"
    assert [item.name for item in spaces.known()] == ["Support replies"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "1 to 60 letters; this one has 0"),
        ("   ", "1 to 60 letters; this one has 0"),
        ("x" * 61, "1 to 60 letters; this one has 61"),
        ("a\x07b", r"'a\\x07b' holds a sign that cannot be seen"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_with_the_reason(settings: Settings, name: str, reason: str) -> None:
    with pytest.raises(BadWorkspace, match=reason):
        Workspaces(settings).rename(name)


def test_new_ones_get_folders_of_their_own_and_are_known_newest_first(settings: Settings) -> None:
    spaces = Workspaces(settings)
    spaces.opened(port=8123)
    first, second = spaces.make("Summaries (EU)"), spaces.make("Summaries (EU)")
    assert (first.name, second.name) == ("summaries-eu", "summaries-eu-2")
    assert [item.folder for item in spaces.known()] == [second, first, settings.home]
    second.joinpath("workspace.json").unlink()
    second.rmdir()
    assert [item.folder for item in spaces.known()] == [first, settings.home]
    assert spaces.known_folder(str(first)) == first
    with pytest.raises(BadWorkspace, match="no workspace that is known"):
        spaces.known_folder("/etc")


def test_a_named_folder_must_be_whole_and_empty(settings: Settings, tmp_path: Path) -> None:
    spaces = Workspaces(settings)
    assert spaces.make("Elsewhere", str(tmp_path / "deep" / "er")) == tmp_path / "deep" / "er"
    with pytest.raises(BadWorkspace, match="no whole path"):
        spaces.make("X", "somewhere")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(BadWorkspace, match="holds other files"):
        spaces.make("X", str(tmp_path / "full"))
    (tmp_path / "file").write_text("")
    with pytest.raises(BadWorkspace, match="cannot be made"):
        spaces.make("X", str(tmp_path / "file" / "below"))


def test_a_workspace_that_is_gone_is_not_opened(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadWorkspace, match="not there any more"):
        Workspaces(settings).open(tmp_path / "gone")


def test_another_workspace_is_opened_as_a_process_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(settings.config_folder))
    spaces = Workspaces(settings)
    folder = spaces.make("Other")
    address = spaces.open(folder)
    running = running_app(settings.model_copy(update={"home": folder}))
    assert running is not None
    try:
        assert running.address == address
        assert running.pid != os.getpid()
        with urllib.request.urlopen(f"{address}/gradio_api/app_id", timeout=10) as answer:
            assert json.load(answer)["app_id"]
        assert spaces.open(folder) == address
        assert not any(settings.home.iterdir())
    finally:
        os.kill(running.pid, signal.SIGTERM)
