"""The gradio theme: light (paper) and dark (charcoal), with viridian as the accent colour.

Pictures bring the colours, so the page has few. Fonts come with gradio; nothing is fetched.
"""

from gradio.themes import Base, Color
from gradio.themes.utils import sizes
from gradio.themes.utils.fonts import LocalFont

VIRIDIAN = Color(
    name="viridian", c50="#eef6f3", c100="#d7ebe4", c200="#b0d8cb", c300="#82c0af", c400="#55a691", c500="#338a76",
    c600="#1f6f5f", c700="#1a594d", c800="#17483f", c900="#133730", c950="#0a221d",
)  # fmt: skip
PAPER = Color(
    name="paper", c50="#faf8f4", c100="#f3efe8", c200="#e7e1d7", c300="#d3cbbe", c400="#a79e90", c500="#7c7467",
    c600="#5f584d", c700="#454039", c800="#2d2a26", c900="#1e1c1a", c950="#161413",
)  # fmt: skip


def theme() -> Base:
    """The theme, light and dark."""
    made = Base(
        primary_hue=VIRIDIAN,
        secondary_hue=VIRIDIAN,
        neutral_hue=PAPER,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_lg,
        text_size=sizes.text_md,
        font=(
            LocalFont("IBM Plex Sans", weights=(400, 700)),
            "ui-sans-serif",
            "system-ui",
            "sans-serif",
        ),
        font_mono=(LocalFont("IBM Plex Mono", weights=(400,)), "ui-monospace", "monospace"),
    )
    return made.set(**_surfaces(), **_inputs(), **_buttons())


def _surfaces() -> dict[str, str]:
    return {
        "body_background_fill": "*neutral_50",
        "body_background_fill_dark": "*neutral_950",
        "body_text_color": "*neutral_900",
        "body_text_color_dark": "*neutral_200",
        "body_text_color_subdued": "*neutral_600",
        "body_text_color_subdued_dark": "*neutral_400",
        "background_fill_primary": "white",
        "background_fill_primary_dark": "*neutral_900",
        "background_fill_secondary": "*neutral_100",
        "background_fill_secondary_dark": "*neutral_900",
        "border_color_primary": "*neutral_200",
        "border_color_primary_dark": "*neutral_800",
        "border_color_accent": "*primary_600",
        "border_color_accent_dark": "*primary_400",
        "block_background_fill": "transparent",
        "block_background_fill_dark": "transparent",
        "block_border_width": "0px",
        "block_border_width_dark": "0px",
        "block_padding": "0px",
        "block_shadow": "none",
        "block_shadow_dark": "none",
        "block_label_background_fill": "transparent",
        "block_label_background_fill_dark": "transparent",
        "block_label_border_width": "0px",
        "block_label_border_width_dark": "0px",
        "block_label_text_color": "*neutral_700",
        "block_label_text_color_dark": "*neutral_300",
        "block_title_background_fill": "transparent",
        "block_title_background_fill_dark": "transparent",
        "block_title_padding": "0px",
        "block_title_text_color": "*neutral_800",
        "block_title_text_color_dark": "*neutral_200",
        "block_title_text_weight": "600",
        "block_title_text_size": "*text_md",
        "block_info_text_color": "*neutral_600",
        "block_info_text_color_dark": "*neutral_400",
        "form_gap_width": "0px",
        "panel_background_fill": "transparent",
        "panel_background_fill_dark": "transparent",
        "layout_gap": "20px",
        "link_text_color": "*primary_700",
        "link_text_color_dark": "*primary_300",
        "color_accent": "*primary_600",
        "color_accent_soft": "*primary_50",
        "color_accent_soft_dark": "*primary_950",
        "slider_color": "*primary_600",
        "slider_color_dark": "*primary_400",
    }


def _inputs() -> dict[str, str]:
    return {
        "input_background_fill": "white",
        "input_background_fill_dark": "*neutral_900",
        "input_background_fill_focus": "white",
        "input_background_fill_focus_dark": "*neutral_900",
        "input_border_color": "*neutral_300",
        "input_border_color_dark": "*neutral_700",
        "input_border_color_focus": "*primary_600",
        "input_border_color_focus_dark": "*primary_400",
        "input_border_width": "1px",
        "input_border_width_dark": "1px",
        "input_placeholder_color": "*neutral_500",
        "input_placeholder_color_dark": "*neutral_500",
        "input_radius": "*radius_lg",
        "input_shadow": "none",
        "input_shadow_focus": "0 0 0 3px *primary_100",
        "input_shadow_focus_dark": "0 0 0 3px *primary_900",
        "checkbox_background_color_selected": "*primary_600",
        "checkbox_background_color_selected_dark": "*primary_400",
        "checkbox_border_color": "*neutral_400",
        "checkbox_border_color_dark": "*neutral_600",
        "checkbox_border_color_selected": "*primary_600",
        "checkbox_border_color_selected_dark": "*primary_400",
        "checkbox_label_background_fill": "white",
        "checkbox_label_background_fill_dark": "*neutral_900",
        "checkbox_label_background_fill_hover": "*neutral_50",
        "checkbox_label_background_fill_hover_dark": "*neutral_800",
        "checkbox_label_background_fill_selected": "*primary_50",
        "checkbox_label_background_fill_selected_dark": "*primary_950",
        "checkbox_label_border_color": "*neutral_300",
        "checkbox_label_border_color_dark": "*neutral_700",
        "checkbox_label_border_color_selected": "*primary_600",
        "checkbox_label_border_color_selected_dark": "*primary_400",
        "checkbox_label_border_width": "1px",
        "checkbox_label_border_width_dark": "1px",
        "checkbox_label_text_weight": "400",
        "checkbox_label_text_color_selected": "*neutral_900",
        "checkbox_label_text_color_selected_dark": "*neutral_100",
    }


def _buttons() -> dict[str, str]:
    return {
        "button_border_width": "1px",
        "button_border_width_dark": "1px",
        "button_large_text_weight": "600",
        "button_medium_text_weight": "600",
        "button_small_text_weight": "400",
        "button_transform_hover": "none",
        "button_primary_background_fill": "*primary_600",
        "button_primary_background_fill_dark": "*primary_400",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_background_fill_hover_dark": "*primary_300",
        "button_primary_border_color": "*primary_600",
        "button_primary_border_color_dark": "*primary_400",
        "button_primary_text_color": "white",
        "button_primary_text_color_dark": "*neutral_950",
        "button_secondary_background_fill": "white",
        "button_secondary_background_fill_dark": "*neutral_900",
        "button_secondary_background_fill_hover": "*neutral_100",
        "button_secondary_background_fill_hover_dark": "*neutral_800",
        "button_secondary_border_color": "*neutral_300",
        "button_secondary_border_color_dark": "*neutral_700",
        "button_secondary_text_color": "*neutral_800",
        "button_secondary_text_color_dark": "*neutral_200",
    }
