"""Codebooks in training: codes as moving averages of the latents, and entropy-constrained choice of codes.

A codebook of thousands has many codes for one look: which of ten whites a white patch gets is random, and a model
that predicts codes would waste its capacity on it. ``EntropyCodes`` therefore adds to a code's squared distance
the cost of coding it: higher for rare codes (entropy-constrained vector quantization, Chou, Lookabaugh and Gray
1989), lower if the patch before or above has the same code.
"""

import torch
from einops import rearrange

from pixgen.models.vqgan.vqgan import Vqgan


class Codebook:
    """Keeps the codes at the moving average of what they stand for, and revives unused ones."""

    def __init__(self, model: Vqgan, *, decay: float = 0.99, revive_every: int = 50) -> None:
        self.model, self.decay, self.revive_every = model, decay, revive_every
        self.sizes = torch.ones(len(model.codebook), device=model.codebook.device)
        self.sums = model.codebook.detach().clone()

    @torch.no_grad()
    def start(self, batches: list[torch.Tensor]) -> None:
        """Start the codes by k-means over the latents of some pictures."""
        latents = torch.cat(
            [rearrange(self.model.encode(batch), "b c h w -> (b h w) c") for batch in batches]
        )
        book = latents[torch.randperm(len(latents))[: len(self.sizes)]].clone()
        for _ in range(12):
            self.model.codebook.data.copy_(book)
            nearest = self._nearest(latents)
            counts = torch.bincount(nearest, minlength=len(book)).clamp(min=0).float()
            sums = torch.zeros_like(book).index_add_(0, nearest, latents)
            alive = counts > 0
            book[alive] = sums[alive] / counts[alive, None]
            book[~alive] = latents[torch.randint(len(latents), (int((~alive).sum()),))]
        self.model.codebook.data.copy_(book)
        self.sizes.fill_(1.0)
        self.sums = book.clone()

    def _nearest(self, places: torch.Tensor) -> torch.Tensor:
        return torch.cat(
            [self.model.codes(rearrange(piece, "n c -> 1 c n 1")).flatten() for piece in places.split(16384)]
        )

    @torch.no_grad()
    def update(self, latents: torch.Tensor, codes: torch.Tensor, step: int) -> None:
        """Move the codes towards the latents that chose them (arXiv 1711.00937, appendix A)."""
        places, chosen = rearrange(latents, "b c h w -> (b h w) c"), codes.flatten()
        counts = torch.bincount(chosen, minlength=len(self.sizes)).float()
        self.sizes.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(torch.zeros_like(self.sums).index_add_(0, chosen, places), 1 - self.decay)
        if step % self.revive_every == 0:
            dead = self.sizes < 0.03
            fresh = places[torch.randint(len(places), (int(dead.sum()),), device=places.device)]
            self.sums[dead], self.sizes[dead] = fresh * 0.5, 0.5
        self.model.codebook.data.copy_(self.sums / self.sizes.clamp(min=1e-5)[:, None])


RARITY_COST = 1.0  # squared distance that a nat of rarity may cost
NEIGHBOUR_DISCOUNT = 1.5  # squared distance that being like a neighbour may cost, for each of two
ROUNDS = 4  # of choosing codes by their chances, and counting them anew


class EntropyCodes:
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
        like = torch.full((latents.shape[0], 1), -NEIGHBOUR_DISCOUNT, device=latents.device)
        for row in range(places.shape[0]):
            costs = torch.cdist(places[row], self.book).square() + RARITY_COST * self.rarity
            for column in range(places.shape[1]):
                cost = costs[column]  # (B, codes)
                if column:
                    cost.scatter_add_(1, codes[row, column - 1, :, None], like)
                if row:
                    cost.scatter_add_(1, codes[row - 1, column, :, None], like)
                codes[row, column] = cost.argmin(1)
        return rearrange(codes, "h w b -> b h w")
