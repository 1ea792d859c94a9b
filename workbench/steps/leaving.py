"""What leaves this machine when servers are asked, said before anybody asks them."""

from collections.abc import Sequence

from runners.engine_options import EndpointOptions, is_remote
from workbench.steps import render
from workbench.steps.render import Html, tag


def what_leaves(notes: Sequence[str], servers: Sequence[EndpointOptions], thing: str) -> Html:
    """A notice; nothing where no candidate is a server. `notes` say what goes where, `thing` is what would go."""
    refused = [each.base_url for each in servers if is_remote(each) and not each.allow_remote]
    here = [each.base_url for each in servers if not is_remote(each)]
    lines = [tag("p", note) for note in notes]
    if notes:
        lines.append(tag("p", "Allowed in the options of these candidates (allow_remote).", class_="quiet"))
    lines += [
        tag("p", f"{address} is another machine, and its options do not allow it: it will not be asked.")
        for address in dict.fromkeys(refused)
    ]
    if here and not lines:
        lines.append(tag("p", f"No {thing} leaves this machine: {', '.join(dict.fromkeys(here))} is on it."))
    return render.notice("warning" if notes or refused else "info", *lines) if lines else render.NOTHING
