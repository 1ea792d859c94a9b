"""The table of keys: no key means two things at once, and the document lists what the app does."""

from pathlib import Path

from workbench.steps.shell.shortcuts import SHORTCUTS, grouped, markdown

ROOT = Path(__file__).parents[1]


def test_no_key_means_two_things_on_one_step() -> None:
    taken = [(item.key, step) for item in SHORTCUTS for step in ([item.step] if item.step else _steps())]
    assert len(taken) == len(set(taken))


def test_every_key_is_in_the_help() -> None:
    assert sum(len(items) for _, items in grouped()) == len(SHORTCUTS)


def test_the_document_lists_the_keys_of_the_code() -> None:
    assert (ROOT / "docs" / "keyboard.md").read_text(encoding="utf-8").endswith(markdown()), (
        "write workbench.steps.shell.shortcuts.markdown() under the first paragraph of docs/keyboard.md"
    )


def _steps() -> list[str]:
    from workbench.sentences import STEPS

    return [name for name, _ in STEPS]
