"""The moving average of a latent, for display: it holds still where single steps flicker."""

from collections.abc import Callable

import torch


class Average:
    """Follows a latent step by step.

    Args:
        decay: how much of it stays each step; with 0 there is none.
    """

    def __init__(self, latent: torch.Tensor, *, decay: float) -> None:
        self.decay, self.sum = decay, torch.zeros_like(latent)

    def follow(self, latent: torch.Tensor, step: int) -> torch.Tensor | None:
        """The average at a step, in which the latent has come to be this."""
        if not self.decay:
            return None
        self.sum.lerp_(latent, 1 - self.decay)
        # Corrected for its start at zero, as in arXiv 1412.6980.
        return self.sum / (1 - self.decay ** (step + 1))

    def go_on(
        self, smaller: "Average", grown: Callable[[torch.Tensor], torch.Tensor], *, step: int
    ) -> None:
        """Go on, when a step begins, from the average of a smaller latent, of which ``grown`` makes one of
        this size."""
        if self.decay and step:
            begun = 1 - self.decay**step
            self.sum = begun * grown(smaller.sum / begun)
