"""How the app looks: colours, sizes and fonts as a gradio theme, and where its style sheet and script are.

Components are styled by theme variables here and by our own classes in assets/. Fonts are IBM Plex as
gradio carries it, served from this machine, with the system's own fonts behind it: nothing is fetched from anywhere.
"""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import fonts, sizes

_ASSETS = Path(__file__).parent / "assets"


def _assets(ending: str) -> tuple[Path, ...]:
    """What all steps share comes first, then each part's own."""
    shared = _ASSETS / f"workbench.{ending}"
    return shared, *sorted(path for path in _ASSETS.glob(f"*.{ending}") if path != shared)


STYLE_SHEETS = _assets("css")
"""Everything that theme variables do not reach."""

SCRIPTS = _assets("js")
"""The few lines that run in the page: address, edits, sorting of tables, downloads."""

TREE_SCRIPT = _ASSETS / "gradio_tree.mjs"
"""A module that changes how gradio's AppTree builds and finds what is in it."""

FIRST_GROUND = (
    'html[data-theme="light"] body{background:#f6f7f8;color:#222933}'
    'html[data-theme="dark"] body{background:#11161c;color:#dfe3e9}'
)
"""The ground while the page is not drawn yet, so that a chosen theme does not begin with a flash of the other."""

ACCENT = gr.themes.Color(
    name="petrol",
    c50="#edf4f9",
    c100="#d8e7f2",
    c200="#b0cfe4",
    c300="#7fb2d4",
    c400="#4a91bf",
    c500="#22719f",
    c600="#155a83",
    c700="#114a6c",
    c800="#0f3c58",
    c900="#0d3249",
    c950="#081f2e",
)
NEUTRAL = gr.themes.Color(
    name="graphite",
    c50="#f6f7f8",
    c100="#eceef1",
    c200="#dde1e6",
    c300="#c3c9d1",
    c400="#939ba7",
    c500="#667080",
    c600="#4a5361",
    c700="#343c48",
    c800="#222933",
    c900="#191f27",
    c950="#11161c",
)
_SPACING = sizes.Size(name="dense", xxs="1px", xs="2px", sm="3px", md="5px", lg="7px", xl="9px", xxl="12px")
_TEXT = sizes.Size(name="dense", xxs="10px", xs="11px", sm="12px", md="13px", lg="14px", xl="17px", xxl="21px")
_RADIUS = sizes.Size(name="dense", xxs="2px", xs="2px", sm="3px", md="4px", lg="5px", xl="6px", xxl="8px")


def build_theme() -> gr.themes.Base:
    """The theme, light and dark.

    Bold is 700: the 600 that gradio carries of Plex Sans lacks Latin letters.
    """
    theme = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=NEUTRAL,
        spacing_size=_SPACING,
        radius_size=_RADIUS,
        text_size=_TEXT,
        font=(fonts.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "Segoe UI", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400,)), "ui-monospace", "Consolas", "monospace"),
    )
    return theme.set(**_surfaces(), **_inputs(), **_buttons())


def _surfaces() -> dict[str, str]:
    return {
        "body_background_fill": "*neutral_50",
        "body_background_fill_dark": "*neutral_950",
        "body_text_color": "*neutral_800",
        "body_text_color_dark": "#dfe3e9",
        "body_text_color_subdued": "*neutral_500",
        "body_text_color_subdued_dark": "#98a2b0",
        "background_fill_primary": "white",
        "background_fill_primary_dark": "*neutral_900",
        "background_fill_secondary": "*neutral_50",
        "background_fill_secondary_dark": "*neutral_950",
        "border_color_primary": "*neutral_200",
        "border_color_primary_dark": "#2e3641",
        "border_color_accent": "*primary_500",
        "border_color_accent_dark": "*primary_400",
        "color_accent": "*primary_600",
        "color_accent_soft": "*primary_50",
        "color_accent_soft_dark": "*primary_900",
        "link_text_color": "*primary_600",
        "link_text_color_dark": "*primary_300",
        "layout_gap": "12px",
        "form_gap_width": "8px",
        "block_background_fill": "transparent",
        "block_background_fill_dark": "transparent",
        "block_border_width": "0px",
        "block_border_color": "transparent",
        "block_border_color_dark": "transparent",
        "block_padding": "0px",
        "block_radius": "0px",
        "block_shadow": "none",
        "block_info_text_size": "*text_xs",
        "block_label_background_fill": "transparent",
        "block_label_background_fill_dark": "transparent",
        "block_label_border_width": "0px",
        "block_label_text_color": "*neutral_600",
        "block_label_text_color_dark": "#b2bac6",
        "block_title_text_color": "*neutral_600",
        "block_title_text_color_dark": "#b2bac6",
        "block_title_text_size": "*text_sm",
        "block_title_text_weight": "400",
        "panel_border_width": "0px",
        "error_background_fill": "#fdf1f0",
        "error_background_fill_dark": "*neutral_800",
    }


def _inputs() -> dict[str, str]:
    return {
        "input_background_fill": "white",
        "input_background_fill_dark": "*neutral_950",
        "input_border_color": "*neutral_300",
        "input_border_color_dark": "#414b59",
        "input_border_color_focus": "*primary_500",
        "input_border_color_focus_dark": "*primary_400",
        "input_border_width": "1px",
        "input_padding": "5px 8px",
        "input_radius": "*radius_sm",
        "input_shadow_focus": "inset 0 0 0 1px *primary_500",
        "input_shadow_focus_dark": "inset 0 0 0 1px *primary_400",
        "input_text_size": "*text_md",
        "input_placeholder_color": "*neutral_400",
        "input_placeholder_color_dark": "*neutral_500",
        "checkbox_background_color": "white",
        "checkbox_background_color_dark": "*neutral_950",
        "checkbox_background_color_selected": "*primary_600",
        "checkbox_background_color_selected_dark": "*primary_400",
        "checkbox_border_color": "*neutral_400",
        "checkbox_border_color_dark": "*neutral_500",
        "checkbox_border_color_selected": "*primary_600",
        "checkbox_border_color_selected_dark": "*primary_400",
        "checkbox_label_background_fill": "transparent",
        "checkbox_label_background_fill_dark": "transparent",
        "checkbox_label_background_fill_hover": "*neutral_100",
        "checkbox_label_background_fill_hover_dark": "*neutral_800",
        "checkbox_label_background_fill_selected": "transparent",
        "checkbox_label_background_fill_selected_dark": "transparent",
        "checkbox_label_border_width": "0px",
        "checkbox_label_border_width_dark": "0px",
        "checkbox_label_padding": "4px 6px",
        "checkbox_label_text_color_selected": "*body_text_color",
        "checkbox_label_text_color_selected_dark": "*body_text_color",
        "checkbox_label_text_weight": "400",
        "slider_color": "*primary_600",
        "slider_color_dark": "*primary_400",
        "table_border_color": "*border_color_primary",
        "table_border_color_dark": "*border_color_primary",
    }


def _buttons() -> dict[str, str]:
    return {
        "button_border_width": "1px",
        "button_primary_background_fill": "*primary_600",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_background_fill_dark": "*primary_500",
        "button_primary_background_fill_hover_dark": "*primary_400",
        "button_primary_border_color": "*primary_700",
        "button_primary_border_color_dark": "*primary_400",
        "button_primary_text_color": "white",
        "button_primary_text_color_dark": "white",
        "button_secondary_background_fill": "white",
        "button_secondary_background_fill_hover": "*neutral_100",
        "button_secondary_background_fill_dark": "*neutral_800",
        "button_secondary_background_fill_hover_dark": "*neutral_700",
        "button_secondary_border_color": "*neutral_300",
        "button_secondary_border_color_dark": "#414b59",
        "button_secondary_text_color": "*neutral_800",
        "button_secondary_text_color_dark": "#dfe3e9",
        "button_cancel_background_fill": "white",
        "button_cancel_background_fill_dark": "*neutral_800",
        "button_cancel_border_color": "#c98a86",
        "button_cancel_border_color_dark": "#7a4643",
        "button_cancel_text_color": "#9b2c25",
        "button_cancel_text_color_dark": "#f0a49e",
        "button_large_padding": "4px 14px",
        "button_large_radius": "*radius_sm",
        "button_large_text_size": "*text_md",
        "button_large_text_weight": "400",
        "button_medium_padding": "5px 12px",
        "button_medium_radius": "*radius_sm",
        "button_medium_text_size": "*text_md",
        "button_medium_text_weight": "400",
        "button_small_padding": "3px 9px",
        "button_small_radius": "*radius_sm",
        "button_small_text_size": "*text_sm",
        "button_small_text_weight": "400",
    }
