"""Train the sketch model to predict the codes of composed pictures from captions or CLIP vectors."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from pixgen.models.clip.perceptor import EncodedTexts, Perceptor
from pixgen.models.sketchers.pocket import Conditioning, EncodedConditioning, Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import CanonicalStyle, simplify_names
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composer, Composition
from pixgen.training.models.loop import TrainingState, adamw, half_autocast, open_checkpoint
from pixgen.training.models.vqgan import EntropyCodes
from pixgen.training.models.word_appearance import WordAppearance, fit_word_appearance

# Shares of a batch by conditioning; the rest is unconditional, as classifier-free guidance needs.
WORDS_ALONE, VECTOR_ALONE, BOTH = 0.6, 0.15, 0.15
COUNTED_PICTURES = 320  # pictures from which code frequencies are counted
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
    # The share of pictures in the canonical style: shapes are learned from these, and variety from the others.
    canonical_share: float = 0.85


def train_sketcher(
    config: dict,
    data: Path,
    folder: Path,
    training: SketcherTraining,
    *,
    vqgan: Vqgan,
    clip: Perceptor,
    device: str = "cpu",
    weights: Path | None = None,
) -> None:
    """Train the sketcher that ``config`` describes, for ``vqgan``'s codes and ``clip``'s words.

    Checkpoints and log go to ``folder``; a second call resumes. ``weights``
    names safetensors of an earlier training to begin with.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    state = _State(config, training, vqgan, device)
    if weights:
        state.begin_with(load_file(weights))
    checkpoint, log = open_checkpoint(state, folder)
    drawn = {"places": config["places"], "canonical_share": training.canonical_share}
    entropy_codes = PictureBank(data, vqgan, clip, seed=training.seed, **drawn).make_entropy_codes(
        COUNTED_PICTURES
    )
    bank = PictureBank(
        data, vqgan, clip, seed=training.seed + state.step, entropy_codes=entropy_codes, **drawn
    )
    if not state.step:
        state.set_memory(bank.word_appearance(config))
    bank.add(8 * training.batch)
    held_out = PictureBank(data, vqgan, clip, seed=99, split="held-out", entropy_codes=entropy_codes, **drawn)
    held_out.add(training.held_out)
    for _ in range(state.step, training.steps):
        bank.add(training.fresh)
        log.add(state.step + 1, training.steps, state.update(bank.batch(training.batch, training.fresh)))
        if state.step % 500 == 0:
            log.write({"step": state.step, **evaluate(state.average, held_out)})
        checkpoint.save(state.checkpoint_state, now=state.step == training.steps)


@dataclass(frozen=True)
class Batch:
    """Pictures as codes ``(B, grid, grid)`` with their conditioning: tokens for the text tower, and the CLIP
    vectors of caption and picture, each ``(B, D)``."""

    codes: torch.Tensor
    words: EncodedTexts
    texts: torch.Tensor
    images: torch.Tensor


class PictureBank:
    """A growing set of composed pictures as codes, with their captions."""

    def __init__(
        self,
        data: Path,
        vqgan: Vqgan,
        clip: Perceptor,
        *,
        places: int,
        seed: int,
        split: str = "train",
        canonical_share: float = 0.0,
        entropy_codes: EntropyCodes | None = None,
    ) -> None:
        self.vqgan, self.clip, self.places, self.canonical_share = vqgan, clip, places, canonical_share
        self.composer = Composer(data, seed=seed)
        table = simplify_names(self.composer.table) if canonical_share else self.composer.table
        self.sampler = CompositionSampler(table, seed=seed, split=split)
        self.canonical = CanonicalStyle(self.sampler)
        self.entropy_codes = entropy_codes
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
            with half_autocast(pictures.device):
                images = self.clip.embed_images(pictures)
            self.codes += (self.entropy_codes or self.vqgan.codes)(latents).cpu().to(torch.int16)
            self.images += images.cpu().half()
            self.captions += [each.caption for each in compositions]

    def make_entropy_codes(self, count: int) -> EntropyCodes:
        """Entropy codes with the frequencies of ``count`` pictures of this bank."""
        pictures = [self.composer.draw(self._compositions(16)) for _ in range(count // 16)]
        device = self.vqgan.codebook.device
        return EntropyCodes(
            self.vqgan, torch.cat([_encode(self.vqgan, each.to(device)) for each in pictures])
        )

    def word_appearance(self, config: dict) -> WordAppearance:
        """The initial memory of the sketch model."""
        return fit_word_appearance(
            self.composer,
            self.canonical,
            self.vqgan,
            codes=self.entropy_codes or self.vqgan.codes,
            encode=self.clip.tokenizer.encode,
            vocabulary=config["vocabulary"],
            numbers=config["memory"],
        )

    def _compositions(self, count: int) -> list[Composition]:
        few = round(count * self.canonical_share)
        found = self.sampler.compositions(count)
        return [self.canonical.redraw(each) for each in found[:few]] + found[few:]

    def batch(self, count: int, fresh: int = 0) -> Batch:
        """The ``fresh`` newest pictures and a random choice of others."""
        newest = torch.arange(len(self.codes) - fresh, len(self.codes))
        others = torch.randint(len(self.codes), (count - fresh,), generator=self.generator)
        rows = torch.cat([newest, others])[torch.randperm(count, generator=self.generator)]
        return self.rows(rows.tolist())

    @torch.no_grad()
    def rows(self, rows: list[int]) -> Batch:
        """The pictures with these numbers."""
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
    with half_autocast(pictures.device):
        return vqgan.encode(pictures).float()


class _State(TrainingState):
    """The state of a sketch model's training."""

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
        """Begin with an earlier model's weights, except the VQGAN's codes."""
        kept = {name: value for name, value in weights.items() if name != "codebook"}
        for model in (self.model, self.average):
            model.load_state_dict({**model.state_dict(), **kept})

    @torch.no_grad()
    def set_memory(self, appearance: WordAppearance) -> None:
        """Initialise the memory with the appearance of words."""
        for model in (self.model, self.average):
            model.memory.weight.copy_(appearance.words)
            model.white.copy_(appearance.white)
            model.axes.copy_(appearance.axes)

    def update(self, batch: Batch) -> dict[str, float]:
        """One step; returns the metrics."""
        rate = self.set_rate(warm_up=80)
        self.optimizer.zero_grad(set_to_none=True)
        with half_autocast(batch.codes.device):
            features = self.model(batch.codes, make_conditioning(self.model, batch))
            loss, slope = code_loss(self.model, features, batch.codes, backward=True)
            cosines = F.cosine_similarity(self.model.prior(batch.texts).float(), batch.images)
        torch.autograd.backward([features, -cosines.mean()], [slope, None])
        self.optimizer_step()
        return {"loss": loss.item(), "prior": cosines.mean().item(), "rate": rate}


def make_conditioning(model: Sketcher, batch: Batch) -> EncodedConditioning:
    """The conditioning of a batch: words, vectors, both or none, by the shares above."""
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
    return EncodedConditioning.concatenate(parts)


def code_loss(
    model: Sketcher,
    features: torch.Tensor,
    codes: torch.Tensor,
    *,
    backward: bool,
    rows: int = ROWS,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean cross entropy of the codes, and its gradient with regard to ``features``.

    The logits of a whole batch would take a gigabyte, so they are computed in chunks.
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
def evaluate(model: Sketcher, held_out: PictureBank) -> dict[str, float]:
    """Over held-out pictures: the mean cross entropy of their codes in nats, conditioned on the text, on the
    picture's vector, and on nothing; and the cosines of the prior's vector and of the text's to the
    picture's."""
    batch = held_out.rows(list(range(len(held_out.codes))))
    told_by = {
        "words": Conditioning(words=batch.words),
        "vector": Conditioning(vectors=batch.images),
        "nothing": Conditioning(),
    }
    figures = {}
    for name, wanted in told_by.items():
        with half_autocast(batch.codes.device):
            features = model(batch.codes, model.encode(wanted, count=len(batch.codes)))
            loss, _ = code_loss(model, features, batch.codes, backward=False)
        figures[f"held_out_{name}"] = loss.item()
    cosines = F.cosine_similarity(model.prior(batch.texts), batch.images)
    figures["prior_cosine"] = cosines.mean().item()
    figures["text_cosine"] = F.cosine_similarity(batch.texts, batch.images).mean().item()
    return figures
