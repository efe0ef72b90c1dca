"""Draws the pictures of a grid on one labelled sheet, with the similarity of each to its prompts."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, PngImagePlugin

from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.studio.fonts import TextRenderer
from pixgen.studio.grids.grid import Plan
from pixgen.studio.metadata.embedding import SOFTWARE
from pixgen.studio.runs.run import Run, mean_similarity
from pixgen.studio.storage import atomic_write

LARGEST_CELL = 256  # pixels: 256 cells of this size still make a picture that opens anywhere
MARGIN, GAP, LETTERS = 24, 12, 14
_LEFT = 176  # width of the row titles in pixels
INK, PALE, PAPER, EMPTY = (40, 40, 46), (120, 120, 130), (255, 255, 255), (238, 238, 242)


def draw_sheet(plan: Plan, runs: Sequence[Run | None]) -> Image.Image:
    """Draw a grid: titles above and on the left, and each picture with its similarity below; cells without
    a picture stay empty."""
    width, height = _cell_size(plan)
    renderer = TextRenderer(LETTERS)
    line = LETTERS + 6
    left_titles = [renderer.wrap(title, _LEFT) for title in plan.rows]
    top_titles = [renderer.wrap(title, max(48, width)) for title in plan.columns]
    left = MARGIN + max(
        (round(renderer.width(part)) + GAP for lines in left_titles for part in lines), default=0
    )
    across = left + len(plan.columns) * (width + GAP) - GAP + MARGIN
    heading = renderer.wrap(plan.title, max(160, across - 2 * MARGIN))
    head = MARGIN + line * len(heading) + (GAP if heading else 0)
    top = head + line * max(map(len, top_titles), default=0)
    down = top + len(plan.rows) * (height + line + GAP) - GAP + MARGIN
    sheet = Image.new("RGB", (across, down), PAPER)
    canvas = ImageDraw.Draw(sheet)
    renderer.draw_lines(canvas, (MARGIN, MARGIN), heading, INK, line=line)
    for column, lines in enumerate(top_titles):
        place = (left + column * (width + GAP), head)
        renderer.draw_lines(canvas, place, lines, INK, line=line)
    for index, run in enumerate(runs):
        row, column = divmod(index, len(plan.columns))
        x, y = left + column * (width + GAP), top + row * (height + line + GAP)
        if column == 0:
            renderer.draw_lines(canvas, (MARGIN, y), left_titles[row], INK, line=line)
        picture = None if run is None else _picture(run, (width, height))
        if run is None or picture is None:
            canvas.rectangle((x, y, x + width - 1, y + height - 1), fill=EMPTY)
            continue
        sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
        match = mean_similarity(run)
        if match is not None:
            renderer.draw(canvas, (x, y + height + 3), f"{match:.3f}", PALE)
    return sheet


def save_sheet(sheet: Image.Image, path: Path, *, plan: Plan) -> None:
    """Write a sheet as a PNG with the run ids of its cells in its metadata. Raises StorageError."""
    text = PngImagePlugin.PngInfo()
    text.add_text("pixgen grid", " ".join(cell.run or "-" for cell in plan.cells))
    text.add_text("Software", SOFTWARE)
    with atomic_write(path) as temporary:
        sheet.save(temporary, "PNG", pnginfo=text)


def _cell_size(plan: Plan) -> tuple[int, int]:
    width = max(cell.recipe.width for cell in plan.cells)
    height = max(cell.recipe.height for cell in plan.cells)
    scale = min(1.0, LARGEST_CELL / max(width, height))
    return round(width * scale), round(height * scale)


def _picture(run: Run, size: tuple[int, int]) -> Image.Image | None:
    try:
        picture = open_picture(run.picture).convert("RGB")
    except PictureError:  # nothing painted yet
        return None
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    return picture
