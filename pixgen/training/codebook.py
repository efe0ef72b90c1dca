"""The codes of a VQGAN while it is trained: they follow a moving average instead of the optimizer."""

import torch
from einops import rearrange

from pixgen.models.vqgan import Vqgan


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
        return torch.cat([self.model.codes(rearrange(piece, "n c -> 1 c n 1")).flatten()
                          for piece in places.split(16384)])  # fmt: skip

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
