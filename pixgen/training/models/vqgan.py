"""Train the bundled VQGAN: first without a codebook, then with it, then for crisp edges.

Codes are moving averages of the latents. A codebook of thousands has many codes for one look: which of ten whites
a white patch gets is random, and a model that predicts codes would waste its capacity on it. ``EntropyCodes``
therefore adds to a code's squared distance the cost of coding it: higher for rare codes (entropy-constrained
vector quantization, Chou, Lookabaugh and Gray 1989), lower if the patch before or above has the same code.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
from safetensors.torch import load_file

from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import CanonicalStyle
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composer
from pixgen.training.data.drawings import SIDE
from pixgen.training.models.decoding import Critic, FeatureDistance, NormSpikes, reconstruction_losses
from pixgen.training.models.loop import TrainingState, half_autocast, open_checkpoint

CROPPED_SHARE = 0.5  # of the steps, if pictures are cropped: codes at a picture's border differ from others
TONE_SIDE = 8  # pixels of a block whose mean colour is compared


class Codebook:
    """Keeps each code at the moving average of its latents, and replaces unused codes."""

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
ROUNDS = 4  # of choosing codes by their probabilities and counting them again


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


@dataclass(frozen=True)
class VqganTraining:
    """Settings of a VQGAN training; its parts begin at the given steps."""

    steps: int
    codes_from: int  # a codebook from here on, started by k-means
    crisp_from: int  # features of the pocket CLIP and the discriminator from here on
    whole_from: int  # whole pictures instead of crops of 64 pixels from here on
    frozen_from: int = (
        1 << 30
    )  # encoder and codebook are frozen from here on, so that a sketch model can learn the codes
    canonical_share: float = 0.0  # of whole pictures, in the canonical style that the sketch model learns
    smallest_crop: int = (
        0  # rows and columns of codes; frozen codes are cropped at random, so that no place is special
    )
    flat_share: float = 0.0  # of whole pictures, one plain colour each
    tone_weight: float = 0.0  # of the mean colours of small blocks, where a blot on flat ground shows
    entropy_share: float = 0.0  # of pictures, in predictable codes, as the sketch model's are
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

    Checkpoints and log go to ``folder``; a second call resumes. ``clip()``
    returns the pocket CLIP whose first layers judge crispness; it is called when they are needed.
    ``weights`` names safetensors of an earlier training to begin with: the codebook is learned anew, or
    kept if encoder and codes are frozen from the first step on.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    state = _State(config, training, device)
    if weights:
        state.begin_with(load_file(weights), codes=training.frozen_from == 0)
    checkpoint, log = open_checkpoint(state, folder)
    composer = Composer(data, seed=training.seed + state.step)
    sampler = CompositionSampler(composer.table, seed=training.seed + state.step)
    canonical, features = CanonicalStyle(sampler), None

    def draw_whole(count: int) -> torch.Tensor:
        return _whole_pictures(sampler, composer, count, canonical=canonical, training=training)

    for step in range(state.step, training.steps):
        whole = step >= training.whole_from
        count = training.batch // 4 if whole else training.batch
        pictures = draw_whole(count) if whole else _busy_crops(sampler, composer, count)
        pictures = pictures.to(device)
        if step >= training.crisp_from and features is None:
            features = FeatureDistance(clip().to(device))
        if step == training.codes_from:
            state.book.start([_busy_crops(sampler, composer, 64).to(device) for _ in range(12)])
        if training.entropy_share and state.entropy_codes is None and step >= training.frozen_from:
            state.count_codes([draw_whole(16) for _ in range(12)])
        figures = state.update(pictures, features)
        log.add(state.step, training.steps, figures)
        if state.step % 1000 == 0 and state.step > training.codes_from:
            log.write({"step": state.step, **evaluate(state.average, composer, count=128)})
        checkpoint.save(state.checkpoint_state, now=state.step == training.steps)


class _State(TrainingState):
    """The state of a VQGAN training."""

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
        self.entropy_codes: EntropyCodes | None = None
        self.spikes = NormSpikes(self.model.decoder) if training.spike_weight else None

    PARTS = (*TrainingState.PARTS, "critic")

    def begin_with(self, weights: dict[str, torch.Tensor], *, codes: bool) -> None:
        """Load an earlier model's encoder and decoder, and its codebook if ``codes``."""
        kept = {
            name: value.float()
            for name, value in weights.items()
            if codes or not name.startswith("quantize.")
        }
        for model in (self.model, self.average):
            model.load_state_dict({**model.state_dict(), **kept})

    def checkpoint_state(self) -> dict:
        """For the checkpoint."""
        return {**super().checkpoint_state(), "sizes": self.book.sizes, "sums": self.book.sums}

    def load(self, saved: dict) -> None:
        """From a checkpoint."""
        super().load(saved)
        self.book.sizes, self.book.sums = saved["sizes"], saved["sums"]

    def update(self, pictures: torch.Tensor, features: "FeatureDistance | None") -> dict[str, float]:
        """One step of the model and, in the crisp part, of the discriminator; returns the metrics."""
        training, halved = self.training, half_autocast(pictures.device)
        self.set_rate(warm_up=min(200, training.steps // 10))
        kept = self.step >= training.frozen_from
        if self.step == training.frozen_from:
            self._freeze_codes()
        with halved, torch.set_grad_enabled(not kept):
            latents = self.model.encode(pictures)
        entering, commitment = self._quantize(latents.float(), kept=kept)
        if kept and training.smallest_crop and torch.rand(()) < CROPPED_SHARE:
            entering, pictures = self._crop(entering, pictures)
        with halved:
            drawn = self.model.decode(entering)
        drawn = drawn.float()
        figures = reconstruction_losses(drawn, pictures)
        loss = figures["l1"] + training.squares_weight * figures["l2"] + figures["edges"]
        loss = loss + 0.25 * commitment
        if training.tone_weight:
            figures["tone"] = F.avg_pool2d(drawn - pictures, TONE_SIDE).abs().mean()
            loss = loss + training.tone_weight * figures["tone"]
        if self.spikes:
            figures["spikes"] = self.spikes.penalty()
            loss = loss + training.spike_weight * figures["spikes"]
        crisp = self.step >= training.crisp_from
        if crisp:
            figures["features"] = features.distance(drawn, pictures)
            loss = loss + training.feature_weight * figures["features"]
        criticised = crisp and training.critic_weight > 0
        if criticised:
            figures["critic"] = self.critic.generator_loss(drawn)
            ramp = min(1.0, (self.step - training.crisp_from) / 500)
            loss = loss + ramp * training.critic_weight * figures["critic"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer_step(self.learned)
        self.average.codebook.data.copy_(self.model.codebook)
        if criticised:
            figures["critic_loss"] = self.critic.update(pictures, drawn.detach())
        figures["psnr"] = -10 * torch.log10(figures["l2"])
        return {name: float(value.detach()) for name, value in figures.items()}

    @torch.no_grad()
    def count_codes(self, seen: list[torch.Tensor]) -> None:
        """Count how often each code occurs in some pictures, to prefer predictable codes."""
        device = self.model.codebook.device
        latents = [self.average.encode(pictures.to(device)).float() for pictures in seen]
        self.entropy_codes = EntropyCodes(self.average, torch.cat(latents))

    @torch.no_grad()
    def _freeze_codes(self) -> None:
        """Freeze encoder and codebook at their averages."""
        for ours, theirs in (
            (self.model.encoder, self.average.encoder),
            (self.model.quant_conv, self.average.quant_conv),
        ):
            ours.load_state_dict(theirs.state_dict())

    def _crop(self, latents: torch.Tensor, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same random rectangle of codes and of pictures."""
        (high, wide), factor = latents.shape[2:], self.model.factor
        height, width = (
            int(torch.randint(min(self.training.smallest_crop, side), side + 1, ())) for side in (high, wide)
        )
        top, left = (int(torch.randint(0, room + 1, ())) for room in (high - height, wide - width))
        cut = latents[:, :, top : top + height, left : left + width]
        rows = slice(top * factor, (top + height) * factor)
        return cut, pictures[:, :, rows, left * factor : (left + width) * factor]

    def _quantize(self, latents: torch.Tensor, *, kept: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """The decoder's input, and the loss that keeps the latents near their codes."""
        if self.step < self.training.codes_from:
            # Noise, and a pull to the middle, keep the latents compact until codes do.
            return latents + 0.1 * torch.randn_like(latents), 0.01 * latents.square().mean()
        codes = self.model.codes(latents.detach())
        quantized = self.model.lookup(codes)
        if kept:
            if few := round(len(codes) * self.training.entropy_share):
                quantized[:few] = self.model.lookup(self.entropy_codes(latents[:few]))
            return quantized, torch.zeros((), device=latents.device)
        self.book.update(latents.detach(), codes, self.step)
        return latents + (quantized - latents).detach(), F.mse_loss(latents, quantized.detach())


def _whole_pictures(
    sampler: CompositionSampler,
    composer: Composer,
    count: int,
    *,
    canonical: CanonicalStyle,
    training: VqganTraining,
) -> torch.Tensor:
    flat = torch.rand(round(count * training.flat_share), 3, 1, 1).expand(-1, -1, SIDE, SIDE)
    found = sampler.compositions(count - len(flat))
    few = round(count * training.canonical_share)
    pictures = composer.draw([canonical.redraw(each) for each in found[:few]] + found[few:])
    return torch.cat([pictures, flat])


def _busy_crops(sampler: CompositionSampler, composer: Composer, count: int) -> torch.Tensor:
    pictures = composer.draw(sampler.compositions(-(-count // 2)))
    crops = []
    for picture in pictures:
        corners = sampler.rng.integers(0, 65, (5, 2))
        found = [picture[:, top : top + 64, left : left + 64] for top, left in corners]
        # Two of five crops, the busier ones: flat ground is learned soon and fills most pictures.
        found.sort(key=lambda crop: -float(crop.std((1, 2)).mean()))
        crops += [found[0], found[sampler.rng.integers(1, 5)]]
    return torch.stack(crops[:count])


@torch.no_grad()
def evaluate(model: Vqgan, composer: Composer, *, count: int, seed: int = 99) -> dict[str, float]:
    """PSNR in dB over held-out pictures (mean of each picture's), and the share of codes in use."""
    sampler = CompositionSampler(composer.table, seed=seed, split="held-out")
    used, ratios = set(), []
    for _ in range(count // 16):
        pictures = composer.draw(sampler.compositions(16)).to(model.codebook.device)
        codes = model.codes(model.encode(pictures))
        drawn = model.decode(model.lookup(codes)).clamp(0, 1)
        used |= set(codes.flatten().tolist())
        errors = (drawn - pictures).square().mean((1, 2, 3))
        ratios += (-10 * torch.log10(errors.clamp(min=1e-6))).tolist()
    return {
        "held_out_psnr": sum(ratios) / len(ratios),
        "codes_used": len(used) / len(model.codebook),
    }
