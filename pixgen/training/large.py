"""Compositions drawn twice as large, from the drawings themselves: what an enlarger should make of them."""

from pathlib import Path

import numpy as np
import torch

from pixgen.training.compose import Composer
from pixgen.training.compositions import Background
from pixgen.training.drawings import SIDE, drawings_of, render
from pixgen.training.settings import SETTINGS


class LargeComposer(Composer):
    """A composer of pictures of 256×256. Each drawing is rendered when it is first needed, and kept."""

    side = 2 * SIDE

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        super().__init__(folder, seed=seed)
        self.drawings = drawings_of(folder, self.table)
        self.rendered: dict[int, np.ndarray] = {}

    def _setting(self, background: Background) -> torch.Tensor:
        # The painters' own size: the bank keeps it halved.
        painter, row = SETTINGS[background.setting][0], self.places.index(background.setting)
        chance = np.random.default_rng((row, background.variant % self.bank.shape[1]))
        painted = painter(chance).clip(0, 1).astype(np.float32)
        return torch.from_numpy(painted.transpose(2, 0, 1).copy())

    def _pixels(self, index: int) -> np.ndarray:
        if index not in self.rendered:
            drawn = render(self.drawings[index].svg, side=self.side)
            # Of two drawings in the same words one may show nothing: then the other's sprite is doubled.
            kept = self.sprites[index].repeat(2, axis=1).repeat(2, axis=2)
            self.rendered[index] = kept if drawn is None else drawn
        return self.rendered[index]
