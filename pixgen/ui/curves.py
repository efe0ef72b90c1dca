"""The curves of a run as one small SVG each: lines over the steps, and what each line is."""

from collections.abc import Mapping, Sequence
from html import escape

from pixgen.studio.curve import Column

_WIDTH, _HEIGHT = 560, 150  # of the drawing, which the page scales
_EDGE = 6  # above and below the lines
_MOST = 8  # lines; each has a colour of its own in page.css


def chart(title: str, steps: Sequence[int], columns: Mapping[str, Column], *, alt: str) -> str:
    """A chart with its legend; nothing if there is nothing to draw.

    ``alt`` tells a line in words, from ``{name}``, ``{first}`` and ``{last}``.
    """
    lines = {
        name: points
        for name, column in list(columns.items())[:_MOST]
        if len(points := [(step, y) for step, y in zip(steps, column, strict=True) if y is not None]) > 1
    }  # fmt: skip
    if not lines:
        return ""
    heights = [y for points in lines.values() for _, y in points]
    low, high = min(heights), max(heights)
    across = (_WIDTH / max(1, steps[-1] - steps[0]), -steps[0])
    down = ((_HEIGHT - 2 * _EDGE) / ((high - low) or 1.0), low)
    drawn = "".join(
        f'<polyline class="pg-line-{number}" points="{_points(points, across, down)}"/>'
        for number, points in enumerate(lines.values())
    )
    told = [
        alt.format(name=name, first=_figure(points[0][1]), last=_figure(points[-1][1]))
        for name, points in lines.items()
    ]
    legend = "".join(
        f'<li class="pg-line-{number}"><span title="{escape(name)}">{escape(name)}</span>'
        f"<b>{_figure(points[-1][1])}</b></li>"
        for number, (name, points) in enumerate(lines.items())
    )
    return (
        f'<figure class="pg-curve"><figcaption>{escape(title)}</figcaption>'
        f"<div><small>{_figure(high)}</small><small>{_figure(low)}</small>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape("; ".join(told))}">{drawn}</svg></div>'
        f"<p><small>{steps[0]}</small><small>{steps[-1]}</small></p><ul>{legend}</ul></figure>"
    )


def _points(points: Sequence[tuple[int, float]], across: tuple, down: tuple) -> str:
    return " ".join(
        f"{(step + across[1]) * across[0]:.1f},{_HEIGHT - _EDGE - (y - down[1]) * down[0]:.1f}"
        for step, y in points
    )


def _figure(value: float) -> str:
    return f"{value:.3g}"
