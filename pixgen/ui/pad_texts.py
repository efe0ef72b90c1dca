"""The words of what is drawn on the page: a start, and where each prompt applies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PadWords:
    """The pad for drawing, and the settings of a start that is a picture."""

    draw: str = "Draw a start"
    regions: str = "Paint regions"
    drawing_help: str = "Draw what the picture starts from, then press Generate."
    regions_help: str = (
        "Choose a prompt and brush over where it applies, then press Generate. Where nothing is brushed "
        "for a prompt, it applies everywhere."
    )
    drawing_kept: str = (
        "A drawing is kept here. It is used where the start is “what you draw here”."
    )
    regions_kept: str = "Regions are kept here, and the next picture has them."
    regions_empty: str = "Write what to paint first; several things are divided by |."
    canvas: str = "The drawing"
    colours: str = "Colours"
    sizes: str = "Brushes"
    small: str = "A small brush"
    medium: str = "A medium brush"
    large: str = "A large brush"
    eraser: str = "Eraser"
    undo: str = "Undo"
    clear: str = "Clear"
    done: str = "Done"
    not_drawn: str = "To start from a drawing, draw it first, or choose another start."
    not_arrived: str = "What was drawn did not arrive: draw it again."
    nothing_last: str = (
        "There is no last picture to start from: paint one, or choose another start."
    )
    strength: str = "How far from it"
    strength_help: str = "0: from the picture itself. 1: from chance alone."
    fit: str = "How it fits the size"
    fits: tuple[tuple[str, str], ...] = (
        ("fill it, and cut what sticks out", "cover"),
        ("whole, with margins", "contain"),
        ("stretched", "stretch"),
    )
    extend: str = "Go on beyond it"
    extends: tuple[tuple[str, str], ...] = (
        ("no", "no"),
        ("to the left", "left"),
        ("to the right", "right"),
        ("at the top", "top"),
        ("at the bottom", "bottom"),
    )
    extend_help: str = "Choose a size with room on that side."
    grow: str = "Small first"
    growths: tuple[tuple[str, str], ...] = (
        ("no: the whole size at once", "never"),
        ("half the size, doubled near the end", "0.9"),
        ("a quarter, then half, then whole", "0.5,0.85"),
    )
    grow_help: str = "A large picture in less than half the time."
    enlarge: str = "Enlarge"
    enlarged: str = "Picture {width} × {height}"
    enlarged_by: str = "Enlarged by"
    fitting: str = "what suits the picture"
    redrawn: str = "edges drawn anew"
    crisp: str = "crisp edges, nothing invented"
