"""Lays out the form of the step Choose that puts a server on the shortlist, and binds it."""

import gradio as gr

from workbench.steps.choose import endpoint
from workbench.steps.wiring import Page, bind, read


def build_endpoint_form(page: Page, shortlist: gr.HTML) -> None:
    """The form, folded to one line; what it adds appears in the shortlist's panel."""
    with gr.Accordion("Add an endpoint", open=False, elem_id="endpoint"):
        address = gr.Textbox(
            label="Address of an OpenAI-compatible server",
            placeholder="http://localhost:11434/v1",
            elem_id="endpoint-address",
        )
        model = gr.Textbox(label="Model, as the server calls it", placeholder="llama3.2", elem_id="endpoint-model")
        key = gr.Textbox(
            label="Environment variable with the key",
            info="Its name, never the key. Leave empty where the server wants none.",
            elem_id="endpoint-key",
        )
        context = gr.Number(
            label="Context, tokens",
            info="For servers that cut long prompts silently; 0 where you do not know it.",
            precision=0,
            elem_id="endpoint-context",
        )
        remote = gr.Checkbox(
            label="Examples may leave this machine",
            info="Needed for any host other than localhost; the step Run says how many go where.",
            elem_id="endpoint-remote",
        )
        add = gr.Button("Add endpoint", elem_id="endpoint-add", size="sm")
    fields = [address, model, key, context, remote]
    read(add.click, bind(endpoint.add_endpoint, page.workbench, page.desk), fields, [shortlist, *fields])
