"""Train the bundled upscaler: from pictures that the VQGAN decoded to the drawings at twice the size."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.progress import track

from pixgen.models.upscalers import PocketUpscaler
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import CanonicalStyle
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import LargeComposer
from pixgen.training.models.decoding import Critic, reconstruction_losses
from pixgen.training.models.loop import TrainingState, adamw, half_autocast, open_checkpoint

BATCH = 8  # pictures decoded at once
CROP = 64  # pixels of what is inputs


@dataclass(frozen=True)
class EnlargerTraining:
    """How long to train, and on how many pictures.

    Attributes:
        canonical_share: the share of pictures in the canonical style, as the sketch model draws them.
        clean: the share of each batch that no VQGAN has blurred, so that a result can be enlarged again.
        crisp_from: the step from which on a discriminator asks for crisp edges.
    """

    steps: int = 2_200
    pictures: int = 1_000
    canonical_share: float = 0.6
    clean: float = 0.25
    crisp_from: int = 1_100
    critic_weight: float = 0.02
    batch: int = 16
    learning_rate: float = 1e-3
    seed: int = 21
    threads: int = 2


def train_enlarger(
    config: dict,
    data: Path,
    folder: Path,
    training: EnlargerTraining,
    *,
    vqgan: Vqgan,
    device: str = "cpu",
) -> None:
    """Train the enlarger that ``config`` describes (``width`` and ``depth``) for a VQGAN.

    Checkpoints and log go to ``folder``; a second call resumes.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    state = _State(config, training, device)
    checkpoint, log = open_checkpoint(state, folder)
    pairs = decode_pairs(vqgan, data, training)
    chance = torch.Generator().manual_seed(training.seed + state.step)
    for _ in range(state.step, training.steps):
        inputs, targets = _crops(*pairs, training, chance)
        log.add(state.step + 1, training.steps, state.update(inputs.to(device), targets.to(device)))
        checkpoint.save(state.checkpoint_state, now=state.step == training.steps)


@torch.no_grad()
def decode_pairs(vqgan: Vqgan, data: Path, training: EnlargerTraining) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures as the VQGAN decodes them, ``(N, 3, 128, 128)``, and the same ones twice as large as they were
    drawn; uint8."""
    composer = LargeComposer(data, seed=training.seed)
    sampler = CompositionSampler(composer.table, seed=training.seed)
    canonical = CanonicalStyle(sampler)
    few, device = round(BATCH * training.canonical_share), vqgan.codebook.device
    inputs, targets = [], []
    for _ in track(range(training.pictures // BATCH), "Decoding"):
        found = sampler.compositions(BATCH)
        drawn = composer.draw([canonical.redraw(each) for each in found[:few]] + found[few:])
        small = F.avg_pool2d(drawn, 2).to(device)
        inputs.append(_bytes(vqgan.decode(vqgan.nearest(vqgan.encode(small)))))
        targets.append(_bytes(drawn))
    return torch.cat(inputs), torch.cat(targets)


def _bytes(pictures: torch.Tensor) -> torch.Tensor:
    return (pictures.clamp(0, 1) * 255).round().to(torch.uint8).cpu()


def _crops(
    inputs: torch.Tensor, targets: torch.Tensor, training: EnlargerTraining, chance: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """The busier of two crops of each picture of a batch, mirrored or not, in [0, 1]."""
    pairs = []
    clean = round(training.batch * training.clean)
    for place in range(training.batch):
        row = int(torch.randint(len(inputs), (), generator=chance))
        found = []
        for _ in range(2):
            top, left = torch.randint(inputs.shape[-1] - CROP + 1, (2,), generator=chance).tolist()
            large = targets[row, :, 2 * top : 2 * (top + CROP), 2 * left : 2 * (left + CROP)] / 255
            small = inputs[row, :, top : top + CROP, left : left + CROP] / 255
            found.append((F.avg_pool2d(large, 2) if place < clean else small, large))
        pair = max(found, key=lambda each: float(each[1].std()))
        if torch.rand((), generator=chance) < 0.5:
            pair = tuple(each.flip(-1) for each in pair)
        pairs.append(pair)
    small, large = zip(*pairs, strict=True)
    return torch.stack(small), torch.stack(large)


class _State(TrainingState):
    """The state of an upscaler's training."""

    PARTS = (*TrainingState.PARTS, "critic")

    def __init__(self, config: dict, training: EnlargerTraining, device: str) -> None:
        self.config, self.training, self.step = config, training, 0
        self.model = PocketUpscaler(**config).to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.critic = Critic(device)
        self.optimizer = adamw(
            self.model, learning_rate=training.learning_rate, weight_decay=1e-4, betas=(0.9, 0.99)
        )

    def update(self, inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        """One step of the enlarger and, in the crisp part, of the critic; returns the metrics."""
        training = self.training
        self.set_rate(warm_up=min(200, training.steps // 10))
        with half_autocast(inputs.device):
            drawn = self.model(inputs.contiguous(memory_format=torch.channels_last)).float()
        figures = reconstruction_losses(drawn, targets)
        loss = figures["l1"] + figures["edges"]
        crisp = self.step >= training.crisp_from
        if crisp:
            figures["critic"] = self.critic.generator_loss(drawn)
            ramp = min(1.0, (self.step - training.crisp_from) / 300)
            loss = loss + ramp * training.critic_weight * figures["critic"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer_step()
        if crisp:
            figures["critic_loss"] = self.critic.update(targets, drawn.detach())
        figures["psnr"] = -10 * torch.log10(figures["l2"])
        return {name: float(value.detach()) for name, value in figures.items()}
