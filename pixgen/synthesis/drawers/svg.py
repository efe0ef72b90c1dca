"""SVG documents of a drawer's shapes."""

from collections.abc import Iterable, Sequence


def svg_document(shapes: Iterable[str], *, width: int, height: int, crisp: bool = False) -> str:
    """An SVG document of a canvas in pixels.

    Args:
        shapes: elements, the lowest first.
        crisp: whether edges are drawn without antialiasing, so that cells that touch leave no gap.
    """
    rendering = ' shape-rendering="crispEdges"' if crisp else ""
    lines = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f"{rendering}>\n{lines}\n</svg>\n"
    )


def hex_colour(colour: Sequence[float]) -> str:
    """A colour, each part in [0, 1], as ``#rrggbb``."""
    return "#" + "".join(f"{round(min(max(float(part), 0), 1) * 255):02x}" for part in colour)
