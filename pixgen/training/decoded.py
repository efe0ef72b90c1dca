"""Pictures as the pocket VQGAN draws them, so that CLIP learns its hand."""

from pathlib import Path

import torch
from rich.progress import track

from pixgen.models.vqgan import Vqgan
from pixgen.training.captions import Author
from pixgen.training.compose import Composer

BATCH = 16


@torch.no_grad()
def decode_set(model: Vqgan, data: Path, path: Path, *, count: int, seed: int = 31) -> None:
    """Encode and decode ``count`` training pictures, own drawings among them, and keep them with captions
    and meanings.

    Half of them with a twentieth of their codes replaced by chance: an optimizer passes through such
    pictures on its way.
    """
    composer = Composer(data, seed=seed, own=True)
    author = Author(composer.table, seed=seed)
    device = model.codebook.device
    generator = torch.Generator().manual_seed(seed)
    pictures, captions, meanings = [], [], []
    for _ in track(range(count // BATCH), "Decoding"):
        compositions = author.compositions(BATCH)
        drawn = composer.draw(compositions).to(device)
        codes = model.codes(model.encode(drawn)).cpu()
        chance = torch.rand(codes.shape, generator=generator) < 0.05
        chance[BATCH // 2 :] = False
        other = torch.randint(len(model.codebook), codes.shape, generator=generator)
        codes = torch.where(chance, other, codes).to(device)
        painted = model.decode(model.lookup(codes)).clamp(0, 1)
        pictures.append((painted * 255).round().to(torch.uint8).cpu())
        captions += [each.caption for each in compositions]
        meanings += [repr(each.meaning) for each in compositions]
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"pictures": torch.cat(pictures), "captions": captions, "meanings": meanings}, path)
