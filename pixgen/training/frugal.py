"""Codes that are easier to foretell, and decode to nearly the same picture.

A codebook of thousands has many codes for one look: which of ten whites a patch of white gets is
chance, and a model that writes codes spends its strength on it. Here a code costs what it is off, and
beside that what it takes to say it: the rarer, the more (entropy-constrained vector quantization, Chou,
Lookabaugh and Gray 1989), and less if the patch before or above has it too.
"""

import torch
from einops import rearrange

from pixgen.models.vqgan import Vqgan

RARITY = 1.0  # squared distance that a nat of rarity may cost
CALM = 1.5  # squared distance that being like a neighbour may cost, for each of two
ROUNDS = 4  # of choosing codes by their chances, and counting them anew


class FrugalCodes:
    """Chooses codes of one VQGAN.

    Args:
        latents: of some hundred pictures, ``(N, width, h, w)``, from which chances are counted.
    """

    def __init__(self, vqgan: Vqgan, latents: torch.Tensor) -> None:
        self.book = vqgan.codebook
        self.rarity = torch.zeros(len(self.book), device=self.book.device)
        for _ in range(ROUNDS):
            counts = torch.zeros_like(self.rarity)
            for piece in latents.split(16):
                counts += torch.bincount(self(piece).flatten(), minlength=len(counts))
            self.rarity = -((counts + 0.5) / (counts + 0.5).sum()).log()

    @torch.no_grad()
    def __call__(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents ``(B, width, h, w)`` to codes ``(B, h, w)`` int64, chosen row by row."""
        places = rearrange(latents, "b c h w -> h w b c")
        codes = torch.empty(places.shape[:3], dtype=torch.long, device=latents.device)
        like = torch.full((latents.shape[0], 1), -CALM, device=latents.device)
        for row in range(places.shape[0]):
            costs = torch.cdist(places[row], self.book).square() + RARITY * self.rarity
            for column in range(places.shape[1]):
                cost = costs[column]  # (B, codes)
                if column:
                    cost.scatter_add_(1, codes[row, column - 1, :, None], like)
                if row:
                    cost.scatter_add_(1, codes[row - 1, column, :, None], like)
                codes[row, column] = cost.argmin(1)
        return rearrange(codes, "h w b -> b h w")
