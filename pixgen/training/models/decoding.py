"""Losses for training a decoder besides pixel differences: a patch discriminator, CLIP features, norm spikes.

The discriminator is taming's, trained beside the model: it penalises edges that no drawing has.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from taming.modules.discriminator.model import NLayerDiscriminator, weights_init

from pixgen.training.models.clip import normalise
from pixgen.training.models.loop import half_autocast


class Critic:
    """A patch discriminator that tells drawings from reconstructions (hinge loss)."""

    def __init__(self, device: str) -> None:
        self.model = NLayerDiscriminator(ndf=32, n_layers=2).apply(weights_init).to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-4, betas=(0.5, 0.9))

    def generator_loss(self, made: torch.Tensor) -> torch.Tensor:
        """The generator's loss for pictures ``(N, 3, H, W)`` in [0, 1]."""
        return -self._scores(made).mean()

    def update(self, drawings: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """Train on drawings and reconstructions; returns the loss."""
        loss = (F.relu(1 - self._scores(drawings)).mean() + F.relu(1 + self._scores(made)).mean()) / 2
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
        with half_autocast(pictures.device):
            return self.model(pictures * 2 - 1).float()


USUAL_DEVIATIONS = 8.0  # standard deviations that a norm's output may reach


class NormSpikes:
    """Penalty on group norms whose outputs are far above the usual range.

    A decoder can turn a whole picture's contrast down by one huge number in a corner, because its norms
    divide by the picture's deviation: the number is seen as a blot in everything that it decodes.
    """

    def __init__(self, decoder: nn.Module) -> None:
        self._heights: list[torch.Tensor] = []
        for module in decoder.modules():
            if isinstance(module, nn.GroupNorm):
                module.register_forward_hook(self._add)

    def _add(self, norm: nn.GroupNorm, _inputs: tuple, output: torch.Tensor) -> None:
        usual = USUAL_DEVIATIONS * norm.weight.detach().abs().clamp(min=0.1)[:, None, None]
        over = (output - norm.bias[:, None, None]).float().abs() / usual - 1
        self._heights.append(over.clamp(min=0).square().mean())

    def penalty(self) -> torch.Tensor:
        """The mean square of the excess, summed over the norms passed since the last call."""
        total = torch.stack(self._heights).sum()
        self._heights.clear()
        return total


class FeatureDistance:
    """A perceptual distance by the first layers of the bundled CLIP."""

    def __init__(self, clip) -> None:
        self.tower = clip.visual.eval().requires_grad_(False)

    def distance(self, drawn: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
        """The mean squared difference of normalised features, over three layers."""
        with half_autocast(pictures.device):
            with torch.no_grad():
                wanted = self._layers(pictures)
            found = self._layers(drawn)
        total = 0.0
        for ours, theirs in zip(found, wanted, strict=True):
            ours, theirs = F.normalize(ours.float(), dim=1), F.normalize(theirs.float(), dim=1)
            total = total + (ours - theirs).square().sum(1).mean()
        return total / len(wanted)

    def _layers(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        tower = self.tower
        hidden = normalise(pictures).contiguous(memory_format=torch.channels_last)
        hidden = tower.act2(tower.bn2(tower.conv2(tower.act1(tower.bn1(tower.conv1(hidden))))))
        early = hidden
        hidden = tower.avgpool(tower.act3(tower.bn3(tower.conv3(hidden))))
        middle = tower.layer1(hidden)
        return [early, middle, tower.layer2(middle)]


def reconstruction_losses(drawn: torch.Tensor, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """Mean absolute, squared and edge differences."""
    difference = drawn - pictures
    edges = difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()
    return {"l1": difference.abs().mean(), "l2": difference.square().mean(), "edges": edges}
