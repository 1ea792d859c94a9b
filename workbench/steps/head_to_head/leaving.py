"""What leaves this machine when the chosen candidates are asked."""

from runners.engine_options import EndpointOptions
from workbench.remote import notes_on_prompts_leaving
from workbench.service import Workbench
from workbench.steps.desk import Desk
from workbench.steps.head_to_head.form import chosen_candidates
from workbench.steps.leaving import what_leaves
from workbench.steps.render import Html


def leaving(workbench: Workbench, desk: Desk, chosen: list[str]) -> tuple[Html, Html]:
    """The sentences, for the parts that ask; nothing where no chosen candidate is a server."""
    definitions = chosen_candidates(workbench, desk, chosen)
    served = [each.options for each in definitions if isinstance(each.options, EndpointOptions)]
    said = what_leaves(notes_on_prompts_leaving(definitions), served, "prompt")
    return said, said
