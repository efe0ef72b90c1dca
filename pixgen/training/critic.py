"""taming's patch discriminator, trained beside what it judges: the price on edges that nobody would draw."""

import torch
import torch.nn.functional as F
from taming.modules.discriminator.model import NLayerDiscriminator, weights_init

from pixgen.training.loop import half


class Critic:
    """Tells drawings from what is made of them, patch by patch (hinge loss)."""

    def __init__(self, device: str) -> None:
        self.model = NLayerDiscriminator(ndf=32, n_layers=2).apply(weights_init).to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-4, betas=(0.5, 0.9))

    def complaint(self, made: torch.Tensor) -> torch.Tensor:
        """The larger, the more pictures ``(N, 3, H, W)`` in [0, 1] look made."""
        return -self._scores(made).mean()

    def update(self, drawings: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """Learn from both; returns the loss."""
        loss = (
            F.relu(1 - self._scores(drawings)).mean() + F.relu(1 + self._scores(made)).mean()
        ) / 2
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss

    def state_dict(self) -> dict:
        """For the checkpoint."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, saved: dict) -> None:
        """From a checkpoint."""
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])

    def _scores(self, pictures: torch.Tensor) -> torch.Tensor:
        with half(pictures.device):
            return self.model(pictures * 2 - 1).float()
