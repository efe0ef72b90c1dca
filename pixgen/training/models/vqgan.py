"""Trains the pocket VQGAN: first without codes, then with them, then for crisp edges."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file

from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import CanonicalStyle
from pixgen.training.compose.captions import Author
from pixgen.training.compose.composer import Composer
from pixgen.training.models.codebook import Codebook, EntropyCodes
from pixgen.training.models.decoding import Critic, Features, Spikes, reconstruction
from pixgen.training.models.loop import MovingAverage, begin, half

CORNER = 16  # pixels


@dataclass(frozen=True)
class VqganTraining:
    """How long each part of the training lasts, in steps."""

    steps: int
    codes_from: int  # a codebook from here on, started by k-means
    crisp_from: int  # features of the pocket CLIP and the discriminator from here on
    whole_from: int  # whole pictures instead of crops of 64 pixels from here on
    kept_from: int = 1 << 30  # encoder and codes stay from here on: a sketcher may learn them
    plain: float = 0.0  # the share of whole pictures in a plain hand, as a sketcher draws them
    corner_weight: float = 0.0  # of a blot that norms make a decoder hide in the first corner
    frugal: float = 0.0  # the share of pictures in codes that are easy to foretell, as a sketcher's are
    spike_weight: float = 0.0  # of the spikes before norms that cause such a blot
    batch: int = 24  # crops; four crops cost one whole picture
    learning_rate: float = 6e-4
    seed: int = 0
    threads: int = 2
    squares_weight: float = 8.0
    critic_weight: float = 0.1
    feature_weight: float = 0.6


def train_vqgan(
    config: dict,
    data: Path,
    folder: Path,
    training: VqganTraining,
    *,
    clip: Callable[[], nn.Module],
    device: str = "cpu",
    weights: Path | None = None,
) -> None:
    """Train the VQGAN that ``config`` describes (taming's ``model`` node).

    Checkpoints and log go to ``folder``; a second call goes on where the first stopped. ``clip()``
    returns the pocket CLIP whose first layers judge crispness; it is called when they are needed.
    ``weights`` names safetensors of an earlier training to begin with: the codes are found anew, or stay
    as they are if encoder and codes are kept from the first step on.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    state = _State(config, training, device)
    if weights:
        state.begin_with(load_file(weights), codes=training.kept_from == 0)
    checkpoint, log = begin(state, folder)
    composer = Composer(data, seed=training.seed + state.step)
    author = Author(composer.table, seed=training.seed + state.step)
    hand, features = CanonicalStyle(author), None
    for step in range(state.step, training.steps):
        whole = step >= training.whole_from
        count = training.batch // 4 if whole else training.batch
        pictures = (
            _whole(author, composer, count, hand=hand, plain=training.plain)
            if whole
            else _crops(author, composer, count)
        ).to(device)
        if step >= training.crisp_from and features is None:
            features = Features(clip().to(device))
        if step == training.codes_from:
            state.book.start([_crops(author, composer, 64).to(device) for _ in range(12)])
        if training.frugal and state.frugal is None and step >= training.kept_from:
            seen = [_whole(author, composer, 16, hand=hand, plain=training.plain) for _ in range(12)]
            state.count_codes(seen)
        figures = state.update(pictures, features)
        log.add(state.step, training.steps, figures)
        if state.step % 1000 == 0 and state.step > training.codes_from:
            log.write({"step": state.step, **evaluate(state.average, composer, count=128)})
        checkpoint.save(state.saved, now=state.step == training.steps)


class _State(MovingAverage):
    """All that changes while training."""

    def __init__(self, config: dict, training: VqganTraining, device: str) -> None:
        self.config, self.training, self.step = config, training, 0
        self.model = Vqgan(config).to(device).train()
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.critic = Critic(device)
        # The codes follow a moving average instead of the optimizer.
        self.learned = [p for name, p in self.model.named_parameters() if not name.startswith("quantize.")]
        self.optimizer = torch.optim.AdamW(
            self.learned,
            lr=training.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
            fused=True,
        )
        self.book = Codebook(self.model)
        self.frugal: EntropyCodes | None = None
        self.spikes = Spikes(self.model.decoder) if training.spike_weight else None

    PARTS = (*MovingAverage.PARTS, "critic")

    def begin_with(self, weights: dict[str, torch.Tensor], *, codes: bool) -> None:
        """Begin with an earlier model's encoder and decoder, and with its codes if they are wanted."""
        kept = {
            name: value.float()
            for name, value in weights.items()
            if codes or not name.startswith("quantize.")
        }
        for model in (self.model, self.average):
            model.load_state_dict({**model.state_dict(), **kept})

    def saved(self) -> dict:
        """For the checkpoint."""
        return {**super().saved(), "sizes": self.book.sizes, "sums": self.book.sums}

    def load(self, saved: dict) -> None:
        """From a checkpoint."""
        super().load(saved)
        self.book.sizes, self.book.sums = saved["sizes"], saved["sums"]

    def update(self, pictures: torch.Tensor, features: "Features | None") -> dict[str, float]:
        """One step of the model and, in the crisp part, of the critic; returns the figures."""
        training, halved = self.training, half(pictures.device)
        self.set_rate(warm_up=min(200, training.steps // 10))
        kept = self.step >= training.kept_from
        if self.step == training.kept_from:
            self._keep_codes()
        with halved, torch.set_grad_enabled(not kept):
            latents = self.model.encode(pictures)
        entering, commitment = self._coded(latents.float(), kept=kept)
        with halved:
            drawn = self.model.decode(entering)
        drawn = drawn.float()
        figures = reconstruction(drawn, pictures)
        loss = figures["l1"] + training.squares_weight * figures["l2"] + figures["edges"]
        loss = loss + 0.25 * commitment
        if training.corner_weight:
            first = (drawn - pictures)[..., :CORNER, :CORNER]
            figures["corner"] = first.abs().mean()
            loss = loss + training.corner_weight * figures["corner"]
        if self.spikes:
            figures["spikes"] = self.spikes.height()
            loss = loss + training.spike_weight * figures["spikes"]
        crisp = self.step >= training.crisp_from
        if crisp:
            figures["features"] = features.distance(drawn, pictures)
            loss = loss + training.feature_weight * figures["features"]
        criticised = crisp and training.critic_weight > 0
        if criticised:
            figures["critic"] = self.critic.complaint(drawn)
            ramp = min(1.0, (self.step - training.crisp_from) / 500)
            loss = loss + ramp * training.critic_weight * figures["critic"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.move(self.learned)
        self.average.codebook.data.copy_(self.model.codebook)
        if criticised:
            figures["critic_loss"] = self.critic.update(pictures, drawn.detach())
        figures["psnr"] = -10 * torch.log10(figures["l2"])
        return {name: float(value.detach()) for name, value in figures.items()}

    @torch.no_grad()
    def count_codes(self, seen: list[torch.Tensor]) -> None:
        """Count how often codes come in some pictures, to choose those that are easy to foretell."""
        device = self.model.codebook.device
        latents = [self.average.encode(pictures.to(device)).float() for pictures in seen]
        self.frugal = EntropyCodes(self.average, torch.cat(latents))

    @torch.no_grad()
    def _keep_codes(self) -> None:
        """From here on both models encode as the average does."""
        for ours, theirs in (
            (self.model.encoder, self.average.encoder),
            (self.model.quant_conv, self.average.quant_conv),
        ):
            ours.load_state_dict(theirs.state_dict())

    def _coded(self, latents: torch.Tensor, *, kept: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """What enters the decoder, and the loss that keeps the latents near their codes."""
        if self.step < self.training.codes_from:
            # Noise, and a pull to the middle, keep the latents compact until codes do.
            return latents + 0.1 * torch.randn_like(latents), 0.01 * latents.square().mean()
        codes = self.model.codes(latents.detach())
        quantized = self.model.lookup(codes)
        if kept:
            if few := round(len(codes) * self.training.frugal):
                quantized[:few] = self.model.lookup(self.frugal(latents[:few]))
            return quantized, torch.zeros((), device=latents.device)
        self.book.update(latents.detach(), codes, self.step)
        return latents + (quantized - latents).detach(), F.mse_loss(latents, quantized.detach())


def _whole(
    author: Author, composer: Composer, count: int, *, hand: CanonicalStyle, plain: float
) -> torch.Tensor:
    found = author.compositions(count)
    few = round(count * plain)
    return composer.draw([hand.redrawn(each) for each in found[:few]] + found[few:])


def _crops(author: Author, composer: Composer, count: int) -> torch.Tensor:
    pictures = composer.draw(author.compositions(-(-count // 2)))
    crops = []
    for picture in pictures:
        corners = author.rng.integers(0, 65, (5, 2))
        found = [picture[:, top : top + 64, left : left + 64] for top, left in corners]
        # Two of five crops, the busier ones: flat ground is learned soon and fills most pictures.
        found.sort(key=lambda crop: -float(crop.std((1, 2)).mean()))
        crops += [found[0], found[author.rng.integers(1, 5)]]
    return torch.stack(crops[:count])


@torch.no_grad()
def evaluate(model: Vqgan, composer: Composer, *, count: int, seed: int = 99) -> dict[str, float]:
    """PSNR in dB over held-out pictures (mean of each picture's), and the share of codes in use."""
    author = Author(composer.table, seed=seed, split="held-out")
    used, ratios = set(), []
    for _ in range(count // 16):
        pictures = composer.draw(author.compositions(16)).to(model.codebook.device)
        codes = model.codes(model.encode(pictures))
        drawn = model.decode(model.lookup(codes)).clamp(0, 1)
        used |= set(codes.flatten().tolist())
        errors = (drawn - pictures).square().mean((1, 2, 3))
        ratios += (-10 * torch.log10(errors.clamp(min=1e-6))).tolist()
    return {
        "held_out_psnr": sum(ratios) / len(ratios),
        "codes_used": len(used) / len(model.codebook),
    }
