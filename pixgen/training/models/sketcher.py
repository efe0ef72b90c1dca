"""Trains the sketcher: to write the codes of composed pictures, told by captions or CLIP vectors."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from pixgen.models.clip.perceptor import EncodedTexts, Perceptor
from pixgen.models.sketchers.pocket import Conditioning, EncodedConditioning, Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import CanonicalStyle, simplify_caption
from pixgen.training.compose.captions import Author
from pixgen.training.compose.composer import Composer
from pixgen.training.compose.compositions import Composition
from pixgen.training.models.codebook import EntropyCodes
from pixgen.training.models.loop import MovingAverage, adamw, begin, half
from pixgen.training.models.word_looks import Looks, looks_of_words

# What share of a batch is told how; the rest is told nothing, which guidance needs.
WORDS_ALONE, VECTOR_ALONE, BOTH = 0.6, 0.15, 0.15
COUNTED = 320  # pictures by which codes get their chances
MEMORY_SPEED = 2.0  # a word is met in few batches
ROWS = 256  # codes whose logits are kept at once: they stay in the processor's cache


@dataclass(frozen=True)
class SketcherTraining:
    """How long to train; ``fresh`` pictures of each batch are new, the others were seen before,
    because composing and encoding a picture costs as much as learning from it."""

    steps: int
    batch: int = 64
    fresh: int = 32
    learning_rate: float = 7e-4
    weight_decay: float = 0.05
    seed: int = 0
    threads: int = 2
    held_out: int = 256  # pictures to measure on
    # The share of pictures in a plain hand (see plain_hand.py): shapes are learned from these, and from
    # the rest that captions mean many things.
    plain: float = 0.85


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
    drawn = {"places": config["places"], "plain": training.plain}
    frugal = Bank(data, vqgan, clip, seed=training.seed, **drawn).frugal_codes(COUNTED)
    bank = Bank(data, vqgan, clip, seed=training.seed + state.step, frugal=frugal, **drawn)
    if not state.step:
        state.remember(bank.looks(config))
    bank.add(8 * training.batch)
    held_out = Bank(data, vqgan, clip, seed=99, split="held-out", frugal=frugal, **drawn)
    held_out.add(training.held_out)
    for _ in range(state.step, training.steps):
        bank.add(training.fresh)
        log.add(state.step + 1, training.steps, state.update(bank.batch(training.batch, training.fresh)))
        if state.step % 500 == 0:
            log.write({"step": state.step, **evaluate(state.average, held_out)})
        checkpoint.save(state.saved, now=state.step == training.steps)


@dataclass(frozen=True)
class Batch:
    """Pictures as codes ``(B, grid, grid)``, and what tells them: words as the text tower reads them,
    and the CLIP vectors of caption and picture, each ``(B, D)``."""

    codes: torch.Tensor
    words: EncodedTexts
    texts: torch.Tensor
    images: torch.Tensor


class Bank:
    """Composed pictures as codes, with their captions; it grows."""

    def __init__(
        self, data: Path, vqgan: Vqgan, clip: Perceptor, *,
        places: int, seed: int, split: str = "train", plain: float = 0.0, frugal: EntropyCodes | None = None,
    ) -> None:  # fmt: skip
        self.vqgan, self.clip, self.places, self.plain = vqgan, clip, places, plain
        self.composer = Composer(data, seed=seed)
        table = simplify_caption(self.composer.table) if plain else self.composer.table
        self.author = Author(table, seed=seed, split=split)
        self.hand = CanonicalStyle(self.author)
        self.frugal = frugal
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
            latents = _encode(self.vqgan, pictures)
            with half(pictures.device):
                images = self.clip.embed_images(pictures)
            self.codes += (self.frugal or self.vqgan.codes)(latents).cpu().to(torch.int16)
            self.images += images.cpu().half()
            self.captions += [each.caption for each in compositions]

    def frugal_codes(self, count: int) -> EntropyCodes:
        """Codes with the chances that they have in ``count`` pictures of this bank."""
        pictures = [self.composer.draw(self._compositions(16)) for _ in range(count // 16)]
        device = self.vqgan.codebook.device
        return EntropyCodes(
            self.vqgan, torch.cat([_encode(self.vqgan, each.to(device)) for each in pictures])
        )

    def looks(self, config: dict) -> Looks:
        """What the sketcher's memory begins with."""
        return looks_of_words(
            self.composer,
            self.hand,
            self.vqgan,
            codes=self.frugal or self.vqgan.codes,
            encode=self.clip.tokenizer.encode,
            vocabulary=config["vocabulary"],
            numbers=config["memory"],
        )

    def _compositions(self, count: int) -> list[Composition]:
        plain = round(count * self.plain)
        found = self.author.compositions(count)
        return [self.hand.redrawn(each) for each in found[:plain]] + found[plain:]

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
            self.clip.encode_texts(captions, places=self.places),
            self.clip.embed_texts(captions),
            torch.stack([self.images[row] for row in rows]).float().to(device),
        )


@torch.no_grad()
def _encode(vqgan: Vqgan, pictures: torch.Tensor) -> torch.Tensor:
    with half(pictures.device):
        return vqgan.encode(pictures).float()


class _State(MovingAverage):
    """All that changes while training."""

    def __init__(self, config, training: SketcherTraining, vqgan: Vqgan, device: str) -> None:
        self.config, self.training, self.step = config, training, 0
        self.model = Sketcher(config).to(device).train()
        self.model.codebook.copy_(vqgan.codebook)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = adamw(
            self.model,
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            betas=(0.9, 0.95),
            quick={"memory.weight": MEMORY_SPEED},
        )

    def begin_with(self, weights: dict[str, torch.Tensor]) -> None:
        """Begin with an earlier model's weights, the VQGAN's codes excepted."""
        kept = {name: value for name, value in weights.items() if name != "codebook"}
        for model in (self.model, self.average):
            model.load_state_dict({**model.state_dict(), **kept})

    @torch.no_grad()
    def remember(self, looks: Looks) -> None:
        """Begin with these looks of words as the memory."""
        for model in (self.model, self.average):
            model.memory.weight.copy_(looks.words)
            model.white.copy_(looks.white)
            model.axes.copy_(looks.axes)

    def update(self, batch: Batch) -> dict[str, float]:
        """One step; returns the figures."""
        rate = self.set_rate(warm_up=80)
        self.optimizer.zero_grad(set_to_none=True)
        with half(batch.codes.device):
            features = self.model(batch.codes, condition(self.model, batch))
            loss, slope = code_loss(self.model, features, batch.codes, backward=True)
            cosines = F.cosine_similarity(self.model.prior(batch.texts).float(), batch.images)
        torch.autograd.backward([features, -cosines.mean()], [slope, None])
        self.move()
        return {"loss": loss.item(), "prior": cosines.mean().item(), "rate": rate}


def condition(model: Sketcher, batch: Batch) -> EncodedConditioning:
    """What the model is told, each part of the batch in another way."""
    count = len(batch.codes)
    ends = [
        round(count * share)
        for share in (WORDS_ALONE, WORDS_ALONE + VECTOR_ALONE, WORDS_ALONE + VECTOR_ALONE + BOTH, 1.0)
    ]
    # A little off, as the prior's vectors will be.
    vectors = F.normalize(
        batch.images + 0.3 * torch.randn_like(batch.images) / batch.images.shape[1] ** 0.5, dim=-1
    )
    parts, start = [], 0
    for end, (words, vector) in zip(ends, ((1, 0), (0, 1), (1, 1), (0, 0)), strict=True):
        part = Conditioning(
            words=batch.words[start:end] if words else None,
            vectors=vectors[start:end] if vector else None,
        )
        parts.append(model.encode(part, count=end - start))
        start = end
    return EncodedConditioning.joined(parts)


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
    told_by = {
        "words": Conditioning(words=batch.words),
        "vector": Conditioning(vectors=batch.images),
        "nothing": Conditioning(),
    }
    figures = {}
    for name, wanted in told_by.items():
        with half(batch.codes.device):
            features = model(batch.codes, model.encode(wanted, count=len(batch.codes)))
            loss, _ = code_loss(model, features, batch.codes, backward=False)
        figures[f"held_out_{name}"] = loss.item()
    cosines = F.cosine_similarity(model.prior(batch.texts), batch.images)
    figures["prior_cosine"] = cosines.mean().item()
    figures["text_cosine"] = F.cosine_similarity(batch.texts, batch.images).mean().item()
    return figures
