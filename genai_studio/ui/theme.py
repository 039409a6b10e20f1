"""The look: warm paper and ink with one accent, the vermilion of a painter's seal; a light and a dark sheet.
Fonts are the system's own. Measures and layout are in page.css, which uses the variables set here."""

from __future__ import annotations

from gradio.themes.base import Base
from gradio.themes.utils.colors import Color

SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "PingFang SC")
CHINESE = ("Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "JetBrains Mono", "Menlo", "Consolas", "monospace")

VERMILION = Color(
    name="vermilion",
    c50="#fcf2ee",
    c100="#f9e2da",
    c200="#f2c5b6",
    c300="#e9a18a",
    c400="#e07c5f",
    c500="#cf5738",
    c600="#b8432a",
    c700="#983521",
    c800="#7a2c1d",
    c900="#61261b",
    c950="#35110b",
)
PAPER = Color(
    name="paper",
    c50="#fbf9f5",
    c100="#f5f1ea",
    c200="#e9e3d8",
    c300="#d6cec0",
    c400="#a89f90",
    c500="#786f62",
    c600="#5d564b",
    c700="#443f37",
    c800="#2b2824",
    c900="#1e1c19",
    c950="#151412",
)

LIGHT_AND_DARK = {
    "body_background_fill": ("#fbf9f5", "#151412"),
    "body_text_color": ("#24211d", "#ece6db"),
    "body_text_color_subdued": ("#6a6257", "#a79e90"),
    "background_fill_primary": ("#fffdfa", "#1c1a18"),
    "background_fill_secondary": ("#f5f1ea", "#232120"),
    "border_color_primary": ("#e6dfd3", "#35322d"),
    "border_color_accent": ("#b8432a", "#e8795b"),
    "border_color_accent_subdued": ("#e9a18a", "#7a2c1d"),
    "color_accent_soft": ("#fcf2ee", "#32201a"),
    "block_background_fill": ("transparent", "transparent"),
    "block_border_color": ("#e6dfd3", "#35322d"),
    "block_label_background_fill": ("transparent", "transparent"),
    "block_label_border_color": ("transparent", "transparent"),
    "block_label_text_color": ("#4b453c", "#c9c0b2"),
    "block_title_text_color": ("#4b453c", "#c9c0b2"),
    "block_info_text_color": ("#6a6257", "#a79e90"),
    "panel_background_fill": ("transparent", "transparent"),
    "panel_border_color": ("transparent", "transparent"),
    "input_background_fill": ("#fffdfa", "#1f1d1b"),
    "input_background_fill_focus": ("#ffffff", "#242220"),
    "input_border_color": ("#ddd5c7", "#3b3832"),
    "input_border_color_focus": ("#b8432a", "#e8795b"),
    "input_placeholder_color": ("#7d7467", "#8f8678"),
    "button_primary_background_fill": ("#24211d", "#ece6db"),
    "button_primary_background_fill_hover": ("#3a352e", "#ffffff"),
    "button_primary_text_color": ("#fbf9f5", "#1c1a18"),
    "button_primary_border_color": ("#24211d", "#ece6db"),
    "button_secondary_background_fill": ("#fffdfa", "#232120"),
    "button_secondary_background_fill_hover": ("#f5f1ea", "#2e2b28"),
    "button_secondary_text_color": ("#3a352e", "#ddd5c7"),
    "button_secondary_border_color": ("#ddd5c7", "#3b3832"),
    "button_secondary_border_color_hover": ("#a89f90", "#5d564b"),
    "checkbox_label_background_fill": ("#fffdfa", "#1f1d1b"),
    "checkbox_label_background_fill_hover": ("#f5f1ea", "#2a2725"),
    "checkbox_label_background_fill_selected": ("#fcf2ee", "#32201a"),
    "checkbox_label_border_color": ("#ddd5c7", "#3b3832"),
    "checkbox_label_border_color_selected": ("#b8432a", "#e8795b"),
    "checkbox_label_text_color_selected": ("#24211d", "#ece6db"),
    "checkbox_background_color": ("#fffdfa", "#1f1d1b"),
    "checkbox_background_color_selected": ("#b8432a", "#d9623f"),
    "checkbox_border_color_selected": ("#b8432a", "#d9623f"),
    "slider_color": ("#b8432a", "#e8795b"),
    "loader_color": ("#b8432a", "#e8795b"),
    "link_text_color": ("#983521", "#ec8f74"),
    "error_background_fill": ("#fdf3f2", "#2a1716"),
    "error_border_color": ("#dba9a3", "#6e2a24"),
    "error_text_color": ("#8c1d18", "#f3b0a8"),
    "error_icon_color": ("#8c1d18", "#f3b0a8"),
}
"""Theme variable to its colour on the light and on the dark sheet. Text on its ground keeps 4.5 to 1 or more."""

MEASURES = {
    "block_border_width": "0px",
    "block_padding": "0px",
    "block_radius": "10px",
    "block_shadow": "none",
    "block_label_padding": "0px",
    "block_label_border_width": "0px",
    "block_label_shadow": "none",
    "block_label_text_size": "13px",
    "block_title_text_size": "13px",
    "block_title_text_weight": "550",
    "block_info_text_size": "12.5px",
    "body_text_size": "14.5px",
    "container_radius": "10px",
    "form_gap_width": "18px",
    "layout_gap": "18px",
    "panel_border_width": "0px",
    "input_border_width": "1px",
    "input_radius": "8px",
    "input_padding": "9px 11px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_text_size": "14.5px",
    "button_large_radius": "9px",
    "button_medium_radius": "8px",
    "button_small_radius": "7px",
    "button_large_padding": "11px 20px",
    "button_large_text_size": "15px",
    "button_large_text_weight": "600",
    "button_medium_text_weight": "550",
    "button_small_text_weight": "500",
    "button_primary_shadow": "none",
    "button_primary_shadow_hover": "none",
    "button_primary_shadow_active": "none",
    "button_secondary_shadow": "none",
    "button_secondary_shadow_hover": "none",
    "button_secondary_shadow_active": "none",
    "button_transition": "background 120ms ease, border-color 120ms ease",
    "checkbox_label_shadow": "none",
    "checkbox_label_border_width": "1px",
    "checkbox_label_padding": "6px 12px",
    "checkbox_label_text_size": "13.5px",
    "checkbox_shadow": "none",
    "checkbox_border_radius": "4px",
    "shadow_drop": "none",
    "shadow_drop_lg": "0 12px 40px rgb(40 30 20 / 0.14)",
}


class Studio(Base):
    """`gr.themes.Base` in the studio's colours and measures."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=VERMILION,
            secondary_hue=VERMILION,
            neutral_hue=PAPER,
            font=(*SANS, *CHINESE),
            font_mono=MONO,
        )
        self.name = "genai-studio"
        colours = {}
        for variable, (light, dark) in LIGHT_AND_DARK.items():
            colours[variable] = light
            colours[f"{variable}_dark"] = dark
        super().set(**colours, **MEASURES)
