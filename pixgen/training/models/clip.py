"""Train the bundled CLIP and the evaluator: contrastively, on confusable captions, then adversarially.

Also decodes a set of pictures with the bundled VQGAN, on which CLIP's image tower is fine-tuned.
"""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from rich.progress import track
from safetensors.torch import load_file

from pixgen.models.clip.perceptor import encode_tokens
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.cutouts import (
    Affine,
    ColourJitter,
    Crop,
    CutoutSet,
    Noise,
    Perspective,
    Sharpness,
)
from pixgen.synthesis.cutouts.cutouts import sample_cutouts
from pixgen.synthesis.cutouts.earlier_recipes import augment, place_cutouts
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composer, Composition
from pixgen.training.models.loop import TrainingState, adamw, half_autocast, open_checkpoint

# Whole things, a little turned and bent, as an optimizer's cutouts will show them.
VIEWS = CutoutSet(
    crops=(Crop(smallest=0.65, largest=1.15, stretch=1.15, overscan=0.08),),
    augmentations=(
        Affine(degrees=12, translate=0.05, shear=4, p=0.6),
        Perspective(distortion=0.25, p=0.5),
        ColourJitter(brightness=0.12, contrast=0.15, saturation=0.15, hue=0.02, p=0.7),
        Sharpness(amount=1.0, p=0.2),
        Noise(amount=0.12, p=0.7),
    ),
)
MEAN, STD = (0.6, 0.58, 0.55), (0.3, 0.29, 0.31)  # of the composed pictures
SIZE = 64  # of the pictures that the towers take
GROUP = 24  # captions in a group that differ in one thing alone


@dataclass(frozen=True)
class ClipTraining:
    """Settings of a CLIP training.

    Attributes:
        strength: the adversarial step, in pixel values.
        decoded_share: the share of each batch that the VQGAN has decoded, if such pictures are given.
        own: whether to include pixgen's own drawings.
        freeze_text: whether to train the image tower alone, for models that rely on the text vectors.
    """

    steps: int
    batch: int = 192
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    seed: int = 0
    adversarial_from: int = 1 << 30
    strength: float = 0.02
    decoded_share: float = 0.5
    own: bool = False
    freeze_text: bool = False
    threads: int = 2


# Half of the pictures are decoded by the VQGAN; all are adversarial from the first step on.
IMAGE_TOWER_ALONE = ClipTraining(
    600, learning_rate=2e-4, seed=9, adversarial_from=0, own=True, freeze_text=True
)


def train_clip(
    config: dict,
    data: Path,
    folder: Path,
    vocabulary: Path,
    training: ClipTraining,
    *,
    device: str = "cpu",
    decoded: Path | None = None,
    weights: Path | None = None,
) -> None:
    """Train the CLIP that ``config`` describes: open_clip's ``embed_dim``, ``vision_cfg`` and
    ``text_cfg``.

    Checkpoints and log go to ``folder``; a second call resumes. ``decoded`` is the file of
    ``save_decoded_pictures``, which are mixed in; ``weights`` is a safetensors file to begin with.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    state = _State(config, training, device)
    if weights:
        state.begin_with(load_file(weights))
    checkpoint, log = open_checkpoint(state, folder)
    seed = training.seed + state.step  # a resumed training must not show the first pictures again
    composer = Composer(data, seed=seed, own=training.own)
    sampler = CompositionSampler(composer.table, seed=seed)
    generator = torch.Generator(device).manual_seed(seed)
    tokenizer = SimpleTokenizer(str(vocabulary), context_length=config["text_cfg"]["context_length"])
    painted = DecodedPictures(decoded, seed, training.decoded_share) if decoded else None
    for _ in range(state.step, training.steps):
        compositions = _batch(sampler, training.batch)
        pictures = composer.draw(compositions).to(device)
        if painted:
            compositions, pictures = painted.mix_in(compositions, pictures)
        views = augmented_views(pictures, generator)
        tokens = tokenizer([each.caption for each in compositions]).to(device)
        log.add(
            state.step + 1,
            training.steps,
            state.update(views, tokens, same_meaning(compositions).to(device)),
        )
        if state.step % 500 == 0:
            log.write({"step": state.step, **evaluate(state.average, tokenizer, composer, device=device)})
        checkpoint.save(state.checkpoint_state, now=state.step == training.steps)


class _State(TrainingState):
    """The state of a CLIP training."""

    def __init__(self, config: dict, training: ClipTraining, device: str) -> None:
        self.config, self.training, self.step = config, training, 0
        self.model = CLIP(**config).to(device).train()
        if training.freeze_text:
            self.model.requires_grad_(False).visual.requires_grad_(True)
        # Twice as fast on a CPU as the usual order of memory, for convolutions with batch norm.
        self.model.visual = self.model.visual.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = adamw(
            self.model,
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            betas=(0.9, 0.98),
        )

    def begin_with(self, weights: dict[str, torch.Tensor]) -> None:
        """Begin with an earlier model's weights."""
        for model in (self.model, self.average):
            model.load_state_dict({**model.state_dict(), **weights})

    def update(self, views: torch.Tensor, tokens: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        """One step on the views and, from ``adversarial_from`` on, on perturbed views too; returns the metrics.

        The first pass yields the adversarial direction at no extra cost (fast adversarial training, arXiv
        2001.03994).
        """
        strength = self.training.strength if self.step >= self.training.adversarial_from else 0.0
        rate = self.set_rate()
        self.optimizer.zero_grad(set_to_none=True)
        views.requires_grad_(strength > 0)
        part = 0.5 if strength else 1.0
        loss, right = _forward_backward(self.model, views, tokens, targets, part)
        figures = {"loss": loss, "right": right, "rate": rate}
        if strength:
            loss, right = _forward_backward(self.model, perturb(views, strength), tokens, targets, part)
            figures |= {"loss_moved": loss, "right_moved": right}
        self.optimizer_step()
        return figures


def perturb(views: torch.Tensor, strength: float) -> torch.Tensor:
    """Adversarial views: half moved by the sign of their gradient, half along it (equal L2 length)."""
    slope, middle = views.grad.detach(), len(views) // 2
    moved = strength * slope.sign()
    length = slope[middle:].flatten(1).norm(dim=1).clamp(min=1e-9)[:, None, None, None]
    moved[middle:] = slope[middle:] / length * strength * slope[0].numel() ** 0.5
    return (views.detach() + moved).clamp(0, 1)


def _batch(sampler: CompositionSampler, size: int) -> list[Composition]:
    """A batch: half of it in groups that differ in one thing only, half independent."""
    compositions = []
    while len(compositions) < size // 2:
        compositions += sampler.confusable(GROUP)
    return compositions + sampler.compositions(size - len(compositions))


def augmented_views(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One augmented cutout of each picture, ``(B, 3, 64, 64)`` in [0, 1]."""
    with torch.no_grad():
        placed = place_cutouts(VIEWS, len(pictures), aspect=1.0, generator=generator)
        cutouts = sample_cutouts(pictures, placed, size=SIZE)
        views = augment(cutouts, VIEWS.augmentations, generator).clamp(0, 1)
        return views.contiguous(memory_format=torch.channels_last)


def same_meaning(compositions: list[Composition]) -> torch.Tensor:
    """Targets of the contrastive loss: captions of equal meaning share a row, which sums to 1; ``(B, B)``."""
    numbers: dict[tuple, int] = {}
    kinds = torch.tensor([numbers.setdefault(each.meaning, len(numbers)) for each in compositions])
    same = (kinds[:, None] == kinds[None, :]).float()
    return same / same.sum(1, keepdim=True)


def normalise(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures in [0, 1], normalised for the image tower."""
    mean = torch.tensor(MEAN, device=pictures.device)[:, None, None]
    return (pictures - mean) / torch.tensor(STD, device=pictures.device)[:, None, None]


def embed_texts(model: CLIP, tokens: torch.Tensor) -> torch.Tensor:
    """Unit vectors ``(N, D)`` of N texts."""
    ends, _ = encode_tokens(model, tokens)
    return F.normalize(ends @ model.text_projection, dim=-1)


def _forward_backward(
    model: CLIP, views: torch.Tensor, tokens: torch.Tensor, targets: torch.Tensor, part: float
) -> tuple[float, float]:
    """Forward and backward with ``part`` of the loss; returns the loss and the accuracy."""
    with half_autocast(views.device):
        texts = embed_texts(model, tokens).float()
        images = F.normalize(model.visual(normalise(views)).float(), dim=-1)
    logits = model.logit_scale.exp().clamp(max=60) * images @ texts.T
    loss = (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2
    (part * loss).backward()
    right = targets[torch.arange(len(targets)), logits.argmax(1)] > 0
    return loss.item(), right.float().mean().item()


class DecodedPictures:
    """Pictures that the pocket VQGAN has decoded, with their captions, as ``save_decoded_pictures`` wrote."""

    def __init__(self, path: Path, seed: int, share: float) -> None:
        self.state = torch.load(path, weights_only=True)
        self.rng = torch.Generator().manual_seed(seed)
        self.share = share

    def mix_in(self, compositions: list[Composition], pictures: torch.Tensor):
        """Replace the last pictures of a batch by decoded ones, with their captions."""
        count = int(len(compositions) * self.share)
        rows = torch.randint(len(self.state["captions"]), (count,), generator=self.rng).tolist()
        for offset, row in enumerate(rows, start=len(compositions) - count):
            pictures[offset] = self.state["pictures"][row].to(pictures) / 255
            compositions[offset] = Composition(
                None, (), "", self.state["captions"][row], ("decoded", self.state["meanings"][row])
            )
        return compositions, pictures


@torch.no_grad()
def evaluate(
    model: CLIP,
    tokenizer: SimpleTokenizer,
    composer: Composer,
    *,
    device: str = "cpu",
    groups: int = 5,
    seed: int = 77,
) -> dict[str, float]:
    """The share of held-out captions whose picture, and pictures whose caption, is ranked first
    among 100, and the same for captions that differ in one thing alone."""
    sampler = CompositionSampler(composer.table, seed=seed, split="held-out")
    figures: dict[str, list[float]] = {}
    for group in range(2 * groups):
        kind = "held_out" if group < groups else "thing_alone"
        if kind == "held_out":
            compositions = sampler.compositions(100)
        else:
            compositions = []
            while len(compositions) < 100:
                found = sampler.confusable(100)
                if len({each.meaning[0] for each in found}) > 30:  # not the groups of one thing
                    compositions = found
        pictures = composer.draw(compositions).to(device)
        views = F.interpolate(pictures, size=(SIZE, SIZE), mode="area")
        images = F.normalize(model.encode_image(normalise(views)), dim=-1)
        texts = embed_texts(model, tokenizer([each.caption for each in compositions]).to(device))
        scores, right = images @ texts.T, same_meaning(compositions).to(device) > 0
        rows = torch.arange(len(compositions))
        figures.setdefault(f"{kind}_caption", []).append(right[rows, scores.argmax(1)].float().mean().item())
        figures.setdefault(f"{kind}_picture", []).append(right[rows, scores.argmax(0)].float().mean().item())
    return {name: sum(values) / len(values) for name, values in figures.items()}


BATCH = 16


@torch.no_grad()
def save_decoded_pictures(model: Vqgan, data: Path, path: Path, *, count: int, seed: int = 31) -> None:
    """Encode and decode ``count`` training pictures, and save them with captions and meanings.

    In half of them a twentieth of the codes is random: an optimization passes through such pictures.
    """
    composer = Composer(data, seed=seed, own=True)
    sampler = CompositionSampler(composer.table, seed=seed)
    device = model.codebook.device
    generator = torch.Generator().manual_seed(seed)
    pictures, captions, meanings = [], [], []
    for _ in track(range(count // BATCH), "Decoding"):
        compositions = sampler.compositions(BATCH)
        drawn = composer.draw(compositions).to(device)
        codes = model.codes(model.encode(drawn)).cpu()
        chance = torch.rand(codes.shape, generator=generator) < 0.05
        chance[BATCH // 2 :] = False
        other = torch.randint(len(model.codebook), codes.shape, generator=generator)
        codes = torch.where(chance, other, codes).to(device)
        painted = model.decode(model.lookup(codes)).clamp(0, 1)
        pictures.append((painted * 255).round().to(torch.uint8).cpu())
        captions += [each.caption for each in compositions]
        meanings += [repr(each.meaning) for each in compositions]
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"pictures": torch.cat(pictures), "captions": captions, "meanings": meanings}, path)
