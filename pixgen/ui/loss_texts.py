"""The words of the page's group of losses, and of its drawers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LossWords:
    """What else is wanted of a picture."""

    title: str = "Losses"
    smoothness: str = "Even areas"
    smoothness_kind: str = "Even areas, how"
    smoothness_kinds: tuple[tuple[str, str], ...] = (
        ("everywhere", "default"),
        ("but keep strong edges", "clipped"),
        ("mostly where it is noisy", "log"),
    )
    saturation: str = "Strong colours"
    palette: str = "Only these colours"
    palette_colours: str = "Which colours"
    palette_colours_help: str = "Names or #rrggbb. Empty: those of the picture below."
    palette_colours_placeholder: str = "navy, white, #ff8800"
    symmetry: str = "Symmetry"
    symmetry_kind: str = "Symmetry, which"
    symmetry_kinds: tuple[tuple[str, str], ...] = (
        ("left and right", "horizontal"),
        ("above and below", "vertical"),
        ("turned by half a turn", "rotational"),
    )
    edge: str = "A margin of one colour"
    edge_colour: str = "Colour of the margin"
    edge_margin: str = "Width of the margin"
    edge_margin_help: str = "As a part of the shorter side."
    tiling: str = "Seamless beside itself"
    anti_text: str = "No lettering"
    aesthetics: str = "Beautiful, by people's votes"
    aesthetics_help: str = (
        "Needs one of OpenAI's CLIPs to look, such as ViT-B-32/openai, and LAION's file for it."
    )
    warmth: str = "Colour temperature"
    warmth_kelvin: str = "Temperature in kelvin"
    warmth_kelvin_help: str = "A candle 1900, a bulb 2700, noon 5500, shade 8000."
    style: str = "In the style of the picture below"
    wished_picture: str = "A picture for colours and style"
    drawer: str = "Drawn with"
    drawers: tuple[tuple[str, str], ...] = (
        ("the VQGAN", "vqgan"),
        ("cells of one colour", "pixels"),
        ("waves", "fourier"),
        ("every resolution at once", "multires"),
        ("strokes of a brush", "lines"),
    )
