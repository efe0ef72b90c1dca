"""Render the drawings once, into one array of sprites and one table of names."""

import json
from dataclasses import asdict
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.training.data.names import Drawing, load_drawings

SIDE = 128  # pixels of a sprite's side; the drawing itself spans at most INNER of them
INNER = 120
PIXELS_FILE = "sprites.npy"
TABLE_FILE = "sprites.json"


def render_all(folder: Path, *, workers: int = 2) -> int:
    """Render every drawing below ``folder``; returns how many there are.

    Writes ``sprites.npy``, ``(N, 4, 128, 128)`` uint8 with colours premultiplied by alpha, and
    ``sprites.json``, a list of N records (family, thing, names, group, weight). A drawing that
    does not render, or is empty, is left out.
    """
    drawings = load_drawings(folder)
    sprites, table = [], []
    with Pool(workers) as pool:
        rendered = pool.imap(render, (drawing.svg for drawing in drawings), chunksize=16)
        for drawing, sprite in zip(drawings, track(rendered, "Rendering", total=len(drawings)), strict=True):
            if sprite is not None:
                sprites.append(sprite)
                table.append(_record(drawing))
    np.save(folder / PIXELS_FILE, np.stack(sprites))
    (folder / TABLE_FILE).write_text(json.dumps(table))
    return len(table)


def load_sprites(folder: Path) -> tuple[np.ndarray, list[dict]]:
    """The sprites, memory-mapped, and their table, as ``render_all`` wrote them."""
    pixels = np.load(folder / PIXELS_FILE, mmap_mode="r")
    return pixels, json.loads((folder / TABLE_FILE).read_text())


def _record(drawing: Drawing) -> dict:
    record = asdict(drawing)
    del record["svg"]
    return record


def drawings_of(folder: Path, table: list[dict]) -> list[Drawing]:
    """The drawing of each row of the table that ``render_all`` wrote: those that did not render are not there."""
    left = iter(load_drawings(folder))
    wanted = ({**record, "names": tuple(record["names"])} for record in table)
    return [next(each for each in left if _record(each) == record) for record in wanted]


def render(svg: str, *, side: int = SIDE) -> np.ndarray | None:
    """A drawing as a sprite ``(4, side, side)`` uint8, colours premultiplied by alpha; None if it does not
    render, or is empty."""
    import resvg_py

    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * side, height=2 * side))
        picture = open_picture(png, transparent=True).convert("RGBA")
    except (ValueError, PictureError):
        return None
    box = picture.getchannel("A").point(lambda value: 255 if value > 8 else 0).getbbox()
    if box is None or (box[2] - box[0]) * (box[3] - box[1]) < 256:
        return None
    picture = picture.crop(box)
    scale = INNER / SIDE * side / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    premultiplied = picture.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS)
    canvas = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = np.asarray(premultiplied)
    return canvas.transpose(2, 0, 1)
