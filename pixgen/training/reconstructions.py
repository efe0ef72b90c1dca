"""A sheet of held-out pictures above what the VQGAN makes of them, for the model card."""

from pathlib import Path

import torch
from PIL import Image

from pixgen.models.vqgan import Vqgan
from pixgen.synthesis.frames import as_pixels
from pixgen.training.captions import Author
from pixgen.training.compose import Composer, sheet

COLUMNS = 8


@torch.no_grad()
def save_reconstructions(
    model: Vqgan, data: Path, path: Path, *, rows: int = 3, seed: int = 5
) -> None:
    """Write ``rows`` pairs of rows: pictures, and below each its reconstruction from codes."""
    composer = Composer(data, seed=seed)
    author = Author(composer.table, seed=seed, split="held-out")
    shown = []
    for _ in range(rows):
        pictures = composer.draw(author.compositions(COLUMNS))
        drawn = model.decode(model.nearest(model.encode(pictures))).clamp(0, 1)
        shown += [pictures, drawn]
    Image.fromarray(as_pixels(sheet(torch.cat(shown), COLUMNS))).save(path)
