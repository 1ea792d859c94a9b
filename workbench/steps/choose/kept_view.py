"""What the step Choose shows of kept shortlists: one line each with what can be done, and those put away, folded."""

from collections.abc import Sequence
from itertools import groupby

from results import numbers
from results.shortlist_records import Shortlist
from workbench.steps import render
from workbench.steps.render import Html, tag


def kept_lists(lists: Sequence[Shortlist], on_desk: str | None) -> Html:
    """Every name once, with its newest version; `lists` are by name, newest version first."""
    used = [kept for kept in lists if not kept.archived]
    put_away = [kept for kept in lists if kept.archived]
    body = (
        _names(used, on_desk) if used else tag("p", "None yet. Give the list above a name and keep it.", class_="quiet")
    )
    away = tag("details", tag("summary", f"{_count(put_away)} archived"), _archived(put_away)) if put_away else None
    return render.join(tag("h3", "Kept"), body, away)


def _names(lists: Sequence[Shortlist], on_desk: str | None) -> Html:
    versions = [list(group) for _, group in groupby(lists, key=lambda kept: kept.name)]
    return tag("ul", [_name(kept, on_desk) for kept in versions], class_="kept-lists")


def _name(versions: Sequence[Shortlist], on_desk: str | None) -> Html:
    """One name: take its newest version, what it holds, what can be done, earlier versions."""
    newest, earlier = versions[0], versions[1:]
    older = tag(
        "details",
        tag("summary", numbers.things(len(earlier), "earlier version")),
        tag("ul", [tag("li", _take(kept, on_desk), _holds(kept)) for kept in earlier], class_="plain"),
    )
    doing = [
        render.action("Rename", "rename", newest.name, title=f"Rename {newest.name}"),
        render.action("Copy", "copy", newest.reference, title=f"Copy {newest.name}"),
        render.action("Archive", "archive", newest.name, title=f"Archive {newest.name}"),
    ]
    return tag(
        "li",
        tag("div", _take(newest, on_desk), tag("span", doing, class_="row-actions"), class_="kept-head"),
        _holds(newest),
        older if earlier else None,
    )


def _take(kept: Shortlist, on_desk: str | None) -> Html:
    here = tag("span", " in use", class_="quiet") if kept.reference == on_desk else None
    label = f"{kept.name} v{kept.version}"
    return tag("span", render.action(label, "take", kept.reference), here, class_="clipped", title=label)


def _holds(kept: Shortlist) -> Html:
    left_out = sum(entry.count for entry in kept.excluded) or len(kept.exclusions)
    considered = "" if kept.considered is None else f" of {numbers.count(kept.considered)}"
    words = (
        f"{numbers.things(len(kept.candidates or kept.model_ids), 'candidate')}; {numbers.count(left_out)}{considered} "
        f"excluded; {kept.created_at[:10]}"
    )
    return tag("div", words, class_="quiet", title=", ".join(kept.model_ids))


def _archived(lists: Sequence[Shortlist]) -> Html:
    newest = [next(group) for _, group in groupby(lists, key=lambda kept: kept.name)]
    items = [
        tag(
            "li",
            tag(
                "div",
                tag("span", f"{kept.name} v{kept.version}", class_="clipped"),
                render.action("Bring back", "restore", kept.name, title=f"Bring {kept.name} back"),
                class_="kept-head",
            ),
            _holds(kept),
        )
        for kept in newest
    ]
    return tag("ul", items, class_="kept-lists")


def _count(lists: Sequence[Shortlist]) -> str:
    return numbers.count(len({kept.name for kept in lists}))
