"""Trains the sketcher: to write the codes of composed pictures, told by captions or CLIP vectors."""

import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from pixgen.models.clip import Perceptor
from pixgen.models.sketcher import Sketcher, Wanted
from pixgen.models.vqgan import Vqgan
from pixgen.training.captions import Author
from pixgen.training.compose import Composer
from pixgen.training.compositions import Composition
from pixgen.training.loop import adamw, begin, cosine

# What share of a batch is told how; the rest is told nothing, which guidance needs.
WORDS_ALONE, VECTOR_ALONE, BOTH = 0.6, 0.15, 0.15
PORTRAIT = 0.85  # how much of the side a portrait's thing takes
ROWS = 256  # codes whose logits are kept at once: they stay in the processor's cache


@dataclass(frozen=True)
class SketcherTraining:
    """How long to train; ``fresh`` pictures of each batch are new, the others were seen before,
    because composing and encoding a picture costs as much as learning from it."""

    steps: int
    batch: int = 64
    fresh: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    seed: int = 0
    threads: int = 2
    held_out: int = 256  # pictures to measure on
    # The share of pictures that show one thing alone, large and in its own colours: its shape is learned
    # from these sooner than from compositions.
    portraits: float = 0.0


def train_sketcher(
    config: dict, data: Path, folder: Path, training: SketcherTraining, *,
    vqgan: Vqgan, clip: Perceptor, device: str = "cpu", weights: Path | None = None,
) -> None:  # fmt: skip
    """Train the sketcher that ``config`` describes, for ``vqgan``'s codes and ``clip``'s words.

    Checkpoints and log go to ``folder``; a second call goes on where the first stopped. ``weights``
    names safetensors of an earlier training to begin with.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    state = _State(config, training, vqgan, device)
    if weights:
        state.begin_with(load_file(weights))
    checkpoint, log = begin(state, folder)
    bank = Bank(
        data, vqgan, clip, places=config["places"], seed=training.seed + state.step,
        portraits=training.portraits,
    )  # fmt: skip
    bank.add(8 * training.batch)
    held_out = Bank(data, vqgan, clip, places=config["places"], seed=99, split="held-out")
    held_out.add(training.held_out)
    for _ in range(state.step, training.steps):
        bank.add(training.fresh)
        log.add(
            state.step + 1, training.steps, state.update(bank.batch(training.batch, training.fresh))
        )
        if state.step % 500 == 0:
            log.write({"step": state.step, **evaluate(state.average, held_out)})
        checkpoint.save(state.saved, now=state.step == training.steps)


@dataclass(frozen=True)
class Batch:
    """Pictures as codes ``(B, grid, grid)``, and what tells them: words as the text tower reads them,
    and the CLIP vectors of caption and picture, each ``(B, D)``."""

    codes: torch.Tensor
    words: torch.Tensor
    texts: torch.Tensor
    images: torch.Tensor


class Bank:
    """Composed pictures as codes, with their captions; it grows."""

    def __init__(
        self, data: Path, vqgan: Vqgan, clip: Perceptor, *,
        places: int, seed: int, split: str = "train", portraits: float = 0.0,
    ) -> None:  # fmt: skip
        self.vqgan, self.clip, self.places, self.portraits = vqgan, clip, places, portraits
        self.composer = Composer(data, seed=seed)
        self.author = Author(self.composer.table, seed=seed, split=split)
        self.generator = torch.Generator().manual_seed(seed)
        self.captions: list[str] = []
        self.codes: list[torch.Tensor] = []
        self.images: list[torch.Tensor] = []

    @torch.no_grad()
    def add(self, count: int) -> None:
        """Compose and encode ``count`` more pictures."""
        for start in range(0, count, 16):
            compositions = self._compositions(min(16, count - start))
            pictures = self.composer.draw(compositions).to(self.vqgan.codebook.device)
            with torch.autocast(pictures.device.type, torch.bfloat16):
                latents = self.vqgan.encode(pictures)
                images = self.clip.embed_images(pictures)
            self.codes += self.vqgan.codes(latents.float()).cpu().to(torch.int16)
            self.images += images.cpu().half()
            self.captions += [each.caption for each in compositions]

    def _compositions(self, count: int) -> list[Composition]:
        wanted = round(count * self.portraits)
        portraits: list[Composition] = []
        while len(portraits) < wanted:
            found = self.author.compositions(wanted)
            portraits += [upright(each) for each in found if is_portrait(each)]
        return portraits[:wanted] + self.author.compositions(count - wanted)

    def batch(self, count: int, fresh: int = 0) -> Batch:
        """The ``fresh`` newest pictures, and others by chance."""
        newest = torch.arange(len(self.codes) - fresh, len(self.codes))
        others = torch.randint(len(self.codes), (count - fresh,), generator=self.generator)
        rows = torch.cat([newest, others])[torch.randperm(count, generator=self.generator)]
        return self.rows(rows.tolist())

    @torch.no_grad()
    def rows(self, rows: list[int]) -> Batch:
        """The pictures of those numbers."""
        device = self.vqgan.codebook.device
        captions = [self.captions[row] for row in rows]
        return Batch(
            torch.stack([self.codes[row] for row in rows]).long().to(device),
            self.clip.read_texts(captions, places=self.places),
            self.clip.embed_texts(captions),
            torch.stack([self.images[row] for row in rows]).float().to(device),
        )


def is_portrait(composition: Composition) -> bool:
    """Whether one thing is shown alone, of usual size and in its own colours."""
    if len(composition.layers) != 1 or composition.filter or composition.layers[0].tint:
        return False
    _, _, size, place, *_ = composition.meaning
    return not size and not place


def upright(composition: Composition) -> Composition:
    """A portrait with its thing upright, in the middle (of a setting a code lower, where the ground is)
    and always as large: the same drawing then has the same codes, which are learned far sooner."""
    (layer,) = composition.layers
    low = 8 / 128 if composition.background.setting else 0.0
    layer = replace(layer, x=0.5, y=0.5 + low, scale=PORTRAIT, angle=0.0, flip=False)
    return replace(composition, layers=(layer,))


class _State:
    """All that changes while training."""

    def __init__(self, config, training: SketcherTraining, vqgan: Vqgan, device: str) -> None:
        self.config, self.training, self.step = config, training, 0
        self.model = Sketcher(config).to(device).train()
        self.model.codebook.copy_(vqgan.codebook)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = adamw(
            self.model, learning_rate=training.learning_rate, weight_decay=training.weight_decay,
            betas=(0.9, 0.95),
        )  # fmt: skip

    _PARTS = ("model", "average", "optimizer")

    def begin_with(self, weights: dict[str, torch.Tensor]) -> None:
        """Begin with an earlier model's weights, the VQGAN's codes excepted."""
        kept = {name: value for name, value in weights.items() if name != "codebook"}
        for model in (self.model, self.average):
            model.load_state_dict({**model.state_dict(), **kept})

    def saved(self) -> dict:
        """For the checkpoint."""
        parts = {name: getattr(self, name).state_dict() for name in self._PARTS}
        return {**parts, "step": self.step, "config": json.dumps(self.config)}

    def load(self, saved: dict) -> None:
        """From a checkpoint."""
        for name in self._PARTS:
            getattr(self, name).load_state_dict(saved[name])
        self.step = saved["step"]

    def update(self, batch: Batch) -> dict[str, float]:
        """One step; returns the figures."""
        rate = self.training.learning_rate * cosine(self.step, self.training.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(batch.codes.device.type, torch.bfloat16):
            features = self.model(batch.codes, told(self.model, batch))
            loss, slope = code_loss(self.model, features, batch.codes, backward=True)
            cosines = F.cosine_similarity(self.model.prior(batch.texts).float(), batch.images)
        torch.autograd.backward([features, -cosines.mean()], [slope, None])
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        keep = min(0.999, (self.step + 1) / (self.step + 20))
        with torch.no_grad():
            for ours, theirs in zip(
                self.average.parameters(), self.model.parameters(), strict=True
            ):
                ours.lerp_(theirs, 1 - keep)
        self.step += 1
        return {"loss": loss.item(), "prior": cosines.mean().item(), "rate": rate}


def told(model: Sketcher, batch: Batch) -> torch.Tensor:
    """Prefixes ``(B, prefix, width)``, each part of the batch told in another way."""
    count = len(batch.codes)
    ends = [round(count * share) for share in (WORDS_ALONE, WORDS_ALONE + VECTOR_ALONE,
                                               WORDS_ALONE + VECTOR_ALONE + BOTH, 1.0)]  # fmt: skip
    # A little off, as the prior's vectors will be.
    vectors = F.normalize(
        batch.images + 0.3 * torch.randn_like(batch.images) / batch.images.shape[1] ** 0.5, dim=-1
    )
    prefixes, start = [], 0
    for end, (words, vector) in zip(ends, ((1, 0), (0, 1), (1, 1), (0, 0)), strict=True):
        part = Wanted(
            words=batch.words[start:end] if words else None,
            vectors=vectors[start:end] if vector else None,
        )
        prefixes.append(model.prefix_of(part, count=end - start))
        start = end
    return torch.cat(prefixes)


def code_loss(
    model: Sketcher,
    features: torch.Tensor,
    codes: torch.Tensor,
    *,
    backward: bool,
    rows: int = ROWS,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean cross entropy of the codes, and its gradient with regard to ``features``.

    The logits of a whole batch would be a gigabyte: they are made, used and forgotten in parts.
    """
    flat, wanted = features.detach().flatten(0, -2), model.code_blocks(codes).flatten()
    slope, total = torch.zeros_like(flat), torch.zeros((), device=flat.device)
    for start in range(0, len(flat), rows):
        part = flat[start : start + rows].requires_grad_(backward)
        logits = model.head.out(part).float()
        loss = F.cross_entropy(logits, wanted[start : start + rows], reduction="sum") / len(wanted)
        if backward:
            loss.backward()
            slope[start : start + rows] = part.grad
        total += loss.detach()
    return total, slope.view_as(features)


@torch.no_grad()
def evaluate(model: Sketcher, held_out: Bank) -> dict[str, float]:
    """Over held-out pictures: the mean cross entropy of their codes in nats, told by words, by the
    picture's vector, and not at all; and the cosine of the prior's vector, and of the text's own, to
    the picture's."""
    batch = held_out.rows(list(range(len(held_out.codes))))
    told_by = {"words": Wanted(words=batch.words), "vector": Wanted(vectors=batch.images),
               "nothing": Wanted()}  # fmt: skip
    figures = {}
    for name, wanted in told_by.items():
        with torch.autocast(batch.codes.device.type, torch.bfloat16):
            features = model(batch.codes, model.prefix_of(wanted, count=len(batch.codes)))
            loss, _ = code_loss(model, features, batch.codes, backward=False)
        figures[f"held_out_{name}"] = loss.item()
    cosines = F.cosine_similarity(model.prior(batch.texts), batch.images)
    figures["prior_cosine"] = cosines.mean().item()
    figures["text_cosine"] = F.cosine_similarity(batch.texts, batch.images).mean().item()
    return figures
