"""Paint backgrounds by formulas: each painter returns one picture of its kind.

They are flat and broad, as an illustrator's are: grain finer than a code of the VQGAN would only be
smeared by it, and would take codes away from the things.

A picture is ``(FINE, FINE, 3)`` float, about [0, 1]; chance comes from the generator that is given.
"""

from collections.abc import Callable

import numpy as np

FINE = 256  # twice the size that is needed: averaging makes the edges smooth

Painter = Callable[[np.random.Generator], np.ndarray]

COLOURS = {
    "red": (214, 40, 40), "orange": (245, 133, 30), "yellow": (250, 214, 45),
    "green": (60, 160, 70), "dark green": (20, 85, 45), "light green": (150, 215, 130),
    "turquoise": (60, 200, 190), "blue": (45, 105, 210), "light blue": (140, 200, 245),
    "dark blue": (20, 40, 110), "purple": (125, 60, 170), "pink": (245, 140, 185),
    "brown": (125, 80, 45), "beige": (235, 215, 180), "grey": (135, 135, 140),
    "black": (18, 18, 20), "white": (248, 248, 248), "gold": (212, 165, 45),
}  # fmt: skip

_rows, _columns = np.mgrid[0:FINE, 0:FINE].astype(np.float32) / FINE


def _colour(rng: np.random.Generator, *rgb: int, jitter: float = 0.05) -> np.ndarray:
    shade = np.array(rgb, np.float32) / 255 + rng.uniform(-jitter, jitter, 3)
    return (shade + rng.uniform(-jitter, jitter)).clip(0, 1).astype(np.float32)


def _fade(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return top + (bottom - top) * _rows[..., None]


def _smooth(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise in [0, 1], ``cells`` bumps across."""
    coarse = rng.random((cells + 1, cells + 1)).astype(np.float32)
    at = np.linspace(0, cells - 1e-3, FINE, dtype=np.float32)
    low = at.astype(int)
    part = at - low
    part = part * part * (3 - 2 * part)
    rows = coarse[low] + (coarse[low + 1] - coarse[low]) * part[:, None]
    return rows[:, low] + (rows[:, low + 1] - rows[:, low]) * part[None, :]


def _over(picture: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return picture + (colour - picture) * mask.astype(np.float32)[..., None]


def _ridge(rng: np.random.Generator, level: float, swell: float, waves: int = 3) -> np.ndarray:
    """The mask below a rolling line at about ``level`` of the height."""
    line = np.full(FINE, level, np.float32)
    for wave in range(1, waves + 1):
        line += (
            swell / wave * np.sin(2 * np.pi * wave * rng.uniform(0.4, 0.9) * _columns[0] + rng.uniform(0, 7))
        )
    return _rows > line[None, :]


def _discs(
    rng: np.random.Generator,
    picture: np.ndarray,
    count: int,
    *,
    radius: tuple[float, float],
    colours: list[np.ndarray],
    top: float = 0.0,
    bottom: float = 1.0,
) -> np.ndarray:
    for _ in range(count):
        x, y, r = rng.random(), rng.uniform(top, bottom), rng.uniform(*radius)
        mask = (_columns - x) ** 2 + (_rows - y) ** 2 < r * r
        picture = _over(picture, mask, colours[rng.integers(len(colours))])
    return picture


def _triangles(
    rng: np.random.Generator,
    picture: np.ndarray,
    count: int,
    *,
    base: tuple[float, float],
    height: tuple[float, float],
    slope: tuple[float, float],
    colour: tuple[int, int, int],
    cap: np.ndarray | None = None,
) -> np.ndarray:
    for _ in range(count):
        x, foot, tall = rng.random(), rng.uniform(*base), rng.uniform(*height)
        reach = np.abs(_columns - x) * rng.uniform(*slope)
        mask = (_rows > foot - tall + reach) & (_rows < foot)
        picture = _over(picture, mask, _colour(rng, *colour))
        if cap is not None:
            picture = _over(picture, mask & (_rows < foot - 0.68 * tall + 0.3 * reach), cap)
    return picture


def _clouds(rng: np.random.Generator, picture: np.ndarray, colour: np.ndarray) -> np.ndarray:
    density = 0.65 * _smooth(rng, 4) + 0.35 * _smooth(rng, 8)
    mask = np.clip((density - rng.uniform(0.45, 0.58)) * 9, 0, 1) * np.clip(1.1 - _rows, 0, 1)
    return _over(picture, mask, colour)


def _stars(rng: np.random.Generator, picture: np.ndarray, bottom: float = 1.0) -> np.ndarray:
    white = np.array([1, 1, 0.92], np.float32)
    return _discs(
        rng, picture, int(rng.integers(12, 26)), radius=(0.008, 0.016), colours=[white], bottom=bottom
    )


def _buildings(rng: np.random.Generator, picture: np.ndarray, *, night: bool) -> np.ndarray:
    left = -0.05
    while left < 1:
        width, top = rng.uniform(0.09, 0.2), rng.uniform(0.25, 0.65)
        shade = (30, 32, 55) if night else (130, 135, 150)
        body = (_columns > left) & (_columns < left + width) & (_rows > top)
        picture = _over(picture, body, _colour(rng, *shade, jitter=0.1))
        rows, columns = ((_rows - top) * 12) % 1, ((_columns - left) * 12) % 1
        panes = body & (rows > 0.45) & (columns > 0.4)
        lit = _smooth(rng, 20) > (0.5 if night else 0.3)
        glow = (250, 215, 110) if night else (190, 215, 235)
        picture = _over(picture, panes & lit, _colour(rng, *glow))
        left += width + rng.uniform(0.0, 0.03)
    return picture


def sky(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 70, 150, 235), _colour(rng, 190, 225, 250))
    return _clouds(rng, picture, _colour(rng, 252, 252, 255, jitter=0.02))


def grass(rng: np.random.Generator) -> np.ndarray:
    picture = sky(rng) if rng.random() < 0.7 else _fade(*[_colour(rng, 170, 215, 245)] * 2)
    green = _colour(rng, 85, 170, 60) * (0.88 + 0.2 * _smooth(rng, 5))[..., None]
    return _over(picture, _ridge(rng, rng.uniform(0.45, 0.7), 0.02), green)


def hill(rng: np.random.Generator) -> np.ndarray:
    x, top = rng.uniform(0.3, 0.7), rng.uniform(0.45, 0.6)
    green = _colour(rng, 95, 180, 70) * (1.1 - 0.4 * _rows)[..., None]
    return _over(sky(rng), _rows > top + 0.9 * (_columns - x) ** 2, green)


def night(rng: np.random.Generator) -> np.ndarray:
    picture = _stars(rng, _fade(_colour(rng, 8, 12, 45), _colour(rng, 30, 45, 105)))
    if rng.random() < 0.5:
        picture = _discs(
            rng, picture, 1, radius=(0.06, 0.11), bottom=0.3, colours=[_colour(rng, 245, 240, 205)]
        )
    if rng.random() < 0.5:
        picture = _over(picture, _ridge(rng, 0.8, 0.05), _colour(rng, 12, 18, 35))
    return picture


def sunset(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 120, 60, 130, jitter=0.09), _colour(rng, 255, 165, 60))
    picture = _discs(
        rng, picture, 1, radius=(0.08, 0.15), top=0.45, bottom=0.7, colours=[_colour(rng, 255, 225, 110)]
    )
    ground = (70, 45, 80) if rng.random() < 0.5 else (60, 40, 45)
    return _over(picture, _ridge(rng, rng.uniform(0.65, 0.8), 0.03), _colour(rng, *ground))


def sea(rng: np.random.Generator) -> np.ndarray:
    level = rng.uniform(0.4, 0.65)
    picture = _over(sky(rng), _rows > level, _colour(rng, 45, 125, 205))
    for depth, shade in ((0.3, 0.9), (0.65, 0.8)):  # waves, darker towards the front
        crest = _ridge(rng, level + depth * (1 - level), 0.02, waves=5)
        picture = _over(picture, crest, shade * _colour(rng, 40, 115, 195, jitter=0.02))
    return picture


def underwater(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 60, 170, 215), _colour(rng, 10, 55, 120))
    picture = _discs(
        rng, picture, int(rng.integers(5, 12)), radius=(0.012, 0.028), colours=[_colour(rng, 175, 225, 245)]
    )
    if rng.random() < 0.6:
        picture = _over(picture, _ridge(rng, 0.87, 0.03), _colour(rng, 190, 170, 120))
    return picture


def beach(rng: np.random.Generator) -> np.ndarray:
    sand = _colour(rng, 240, 215, 150) * (0.95 + 0.08 * _smooth(rng, 4))[..., None]
    picture = _over(sky(rng), _rows > rng.uniform(0.38, 0.48), _colour(rng, 45, 145, 205))
    return _over(picture, _ridge(rng, rng.uniform(0.58, 0.7), 0.03), sand.clip(0, 1))


def desert(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 120, 190, 240), _colour(rng, 250, 225, 180))
    picture = _over(picture, _ridge(rng, 0.5, 0.08), _colour(rng, 225, 170, 95))
    return _over(picture, _ridge(rng, 0.68, 0.06), _colour(rng, 240, 190, 110))


def snow(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 165, 195, 225), _colour(rng, 220, 232, 245))
    white = _colour(rng, 246, 249, 255, jitter=0.02)
    x, top = rng.uniform(0.2, 0.8), rng.uniform(0.45, 0.65)
    picture = _over(picture, _rows > top + rng.uniform(0.2, 0.9) * (_columns - x) ** 2, white)
    return _discs(rng, picture, int(rng.integers(10, 24)), radius=(0.009, 0.02), colours=[white])


def forest(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 165, 210, 215), _colour(rng, 110, 165, 110))
    for base, shade in (((0.6, 0.75), (60, 120, 75)), ((0.8, 1.05), (30, 85, 50))):
        picture = _triangles(rng, picture, 12, base=base, height=(0.35, 0.6), slope=(2.5, 4.5), colour=shade)
    return _over(picture, _ridge(rng, 0.88, 0.02), _colour(rng, 60, 100, 50))


def mountains(rng: np.random.Generator) -> np.ndarray:
    picture = _triangles(
        rng,
        sky(rng),
        int(rng.integers(3, 7)),
        base=(0.72, 0.8),
        height=(0.3, 0.6),
        slope=(0.9, 1.6),
        colour=(105, 110, 130),
        cap=_colour(rng, 245, 248, 252, jitter=0.02),
    )
    return _over(picture, _ridge(rng, 0.7, 0.03), _colour(rng, 85, 145, 80))


def city(rng: np.random.Generator) -> np.ndarray:
    picture = _buildings(rng, sky(rng), night=False)
    return _over(picture, _rows > rng.uniform(0.85, 0.92), _colour(rng, 90, 90, 95))


def city_night(rng: np.random.Generator) -> np.ndarray:
    picture = _stars(rng, _fade(_colour(rng, 15, 15, 55), _colour(rng, 65, 45, 105)), 0.5)
    return _buildings(rng, picture, night=True)


def space(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 8, 6, 20, jitter=0.02), _colour(rng, 18, 10, 40, jitter=0.03))
    picture = _over(picture, 0.5 * np.clip(_smooth(rng, 4) - 0.5, 0, 1), _colour(rng, 130, 60, 180))
    picture = _stars(rng, picture)
    if rng.random() < 0.5:
        shade = list(COLOURS.values())[rng.integers(11)]
        picture = _discs(rng, picture, 1, radius=(0.07, 0.16), colours=[_colour(rng, *shade)])
    return picture


def rain(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 95, 105, 120), _colour(rng, 150, 160, 172))
    for _ in range(int(rng.integers(24, 40))):
        x, y, length = rng.uniform(0, 1.2), rng.uniform(-0.1, 1), rng.uniform(0.06, 0.13)
        on = np.abs(_columns - x + 0.25 * _rows) < 0.009
        picture = _over(picture, on & (_rows > y) & (_rows < y + length), _colour(rng, 190, 210, 235))
    return picture


def storm(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 45, 45, 65), _colour(rng, 90, 90, 110))
    picture = _clouds(rng, picture, _colour(rng, 30, 30, 42))
    bolt = rng.uniform(0.15, 0.85) + 0.05 * np.sign(np.sin(_rows * 22)) * (_rows * 22 % 1)
    return _over(picture, (np.abs(_columns - bolt) < 0.012) & (_rows < 0.75), _colour(rng, 255, 250, 170))


def fog(rng: np.random.Generator) -> np.ndarray:
    base = _colour(rng, 205, 210, 215)
    return base * (0.9 + 0.12 * _smooth(rng, 5))[..., None]


def room(rng: np.random.Generator) -> np.ndarray:
    wall = [(235, 220, 190), (190, 215, 225), (220, 190, 190), (200, 220, 190)][rng.integers(4)]
    boards = 1 - 0.12 * (((_columns - 0.5) / (_rows + 0.2) * 6) % 1 < 0.08)
    floor = _colour(rng, 165, 115, 70) * boards[..., None]
    return _over(_fade(*[_colour(rng, *wall)] * 2), _rows > rng.uniform(0.62, 0.72), floor)


def table(rng: np.random.Generator) -> np.ndarray:
    grain = 0.94 + 0.06 * np.sin(40 * (_rows + 0.1 * _smooth(rng, 4)))
    wood = (_colour(rng, 160, 105, 60) * grain[..., None]).clip(0, 1)
    wall = list(COLOURS.values())[rng.integers(len(COLOURS))]
    return _over(_fade(*[_colour(rng, *wall)] * 2), _rows > rng.uniform(0.5, 0.68), wood)


def road(rng: np.random.Generator) -> np.ndarray:
    picture, depth = grass(rng), (_rows - 0.45).clip(0, 1)
    inside = np.abs(_columns - 0.5) < 0.08 + 0.75 * depth
    picture = _over(picture, inside & (depth > 0), _colour(rng, 90, 90, 95))
    dashes = (np.abs(_columns - 0.5) < 0.01 + 0.03 * depth) & ((1 / (depth + 0.12) * 3) % 1 < 0.5)
    return _over(picture, dashes & (depth > 0), _colour(rng, 250, 250, 240, jitter=0.02))


def garden(rng: np.random.Generator) -> np.ndarray:
    petals = [_colour(rng, *COLOURS[name]) for name in ("red", "yellow", "pink", "purple", "white")]
    return _discs(rng, grass(rng), int(rng.integers(12, 26)), radius=(0.018, 0.04), colours=petals, top=0.6)


def autumn(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 245, 205, 140), _colour(rng, 190, 120, 60))
    leaves = [_colour(rng, *rgb) for rgb in ((215, 90, 30), (235, 150, 40), (160, 60, 30))]
    return _discs(rng, picture, int(rng.integers(20, 36)), radius=(0.02, 0.055), colours=leaves)


def jungle(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 40, 110, 55), _colour(rng, 15, 60, 30))
    greens = [_colour(rng, *rgb, jitter=0.1) for rgb in ((30, 95, 45), (60, 140, 60), (20, 75, 40))]
    for _ in range(26):
        x, y, angle = rng.random(), rng.random(), rng.uniform(0, np.pi)
        along = (_columns - x) * np.cos(angle) + (_rows - y) * np.sin(angle)
        across = (_rows - y) * np.cos(angle) - (_columns - x) * np.sin(angle)
        leaf = (along / rng.uniform(0.12, 0.26)) ** 2 + (across / rng.uniform(0.03, 0.07)) ** 2 < 1
        picture = _over(picture, leaf, greens[rng.integers(3)])
    return picture


def fire(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 60, 15, 10), _colour(rng, 170, 40, 10))
    for scale, rgb in ((0.15, (225, 80, 15)), (0.35, (250, 150, 25)), (0.55, (255, 220, 80))):
        tongues = _smooth(rng, 7) * 0.8 + 0.25 * _smooth(rng, 14)
        picture = _over(picture, _rows > scale + tongues * 0.75, _colour(rng, *rgb))
    return picture


def rainbow(rng: np.random.Generator) -> np.ndarray:
    picture, reach = sky(rng), np.hypot(_columns - 0.5, _rows - rng.uniform(0.85, 1.05))
    outer = rng.uniform(0.6, 0.75)
    for band, name in enumerate(("red", "orange", "yellow", "green", "blue", "purple")):
        edge = outer - 0.035 * band
        picture = _over(picture, (reach < edge) & (reach > edge - 0.035), _colour(rng, *COLOURS[name]))
    return _over(picture, _ridge(rng, 0.8, 0.03), _colour(rng, 95, 175, 70))


def ice(rng: np.random.Generator) -> np.ndarray:
    picture = _fade(_colour(rng, 150, 200, 235), _colour(rng, 215, 238, 250))
    sheen = np.abs((_columns * rng.uniform(2, 4) + _rows * rng.uniform(3, 6)) % 1 - 0.5) < 0.06
    return _over(
        _over(picture, _rows > 0.6, _colour(rng, 190, 228, 245)),
        sheen & (_rows > 0.6),
        _colour(rng, 240, 250, 255, jitter=0.01),
    )
