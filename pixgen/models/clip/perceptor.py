"""CLIP as a perceptor: embeds texts and pictures as unit vectors whose cosine says how well they match."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn as nn
import torch.nn.functional as F
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer

from pixgen.models.checkpoints.safetensors import load_weights, read_config
from pixgen.models.clip.open_clip import find_clip, load_open_clip
from pixgen.models.fusion import fold_batch_norms, fuse_clip
from pixgen.models.merged import merges, scale_and_shift, unit_vectors
from pixgen.models.runtime import cached_on, compiled, current_half


@dataclass(frozen=True)
class EncodedTexts:
    """Hidden states of N texts from a text tower.

    Args:
        hidden: ``(N, 1 + places, width)``: the state at the end token, which stands for the whole text, then those
            of its tokens, zeros after the end.
        tokens: token ids ``(N, places)`` int64, 0 after the end.
    """

    hidden: torch.Tensor
    tokens: torch.Tensor

    def __getitem__(self, rows: slice) -> "EncodedTexts":
        """Some of the texts."""
        return EncodedTexts(self.hidden[rows], self.tokens[rows])


class Perceptor(nn.Module):
    """One open_clip model with its tokenizer and its normalisation.

    Args:
        model: an open_clip model, with ``encode_text`` and ``encode_image``.
        tokenizer: takes a list of texts, returns ``(N, length)`` int64.
        size: the side of its input in pixels.
        mean, std: of its training pictures, one number for each channel.
    """

    def __init__(
        self, model: nn.Module, tokenizer, *, size: int, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        super().__init__()
        self.model, self.tokenizer, self.size = model, tokenizer, size
        if hasattr(model, "visual"):
            fuse_clip(model.visual)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

    @property
    def device(self) -> torch.device:
        """The model's device."""
        return self.mean.device

    @cached_property
    def logit_scale(self) -> float:
        """The trained factor on cosines before a softmax."""
        return float(self.model.logit_scale.detach().exp())

    @cached_property
    def logit_bias(self) -> float | None:
        """The trained number that a sigmoid adds, as SigLIP's; None without one."""
        bias = getattr(self.model, "logit_bias", None)
        return None if bias is None else float(bias)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors ``(N, D)`` of N texts; float32."""
        tokens = self.tokenizer(list(texts)).to(self.device)
        return F.normalize(self.model.encode_text(tokens).float(), dim=-1)

    def encode_texts(self, texts: Sequence[str], *, places: int) -> "EncodedTexts":
        """Hidden states of N texts, cut after ``places`` tokens. For models with the text tower's parts as their
        own attributes, such as open_clip's ``CLIP``."""
        tokens = self.tokenizer(list(texts)).to(self.device)
        ends, hidden = encode_tokens(self.model, tokens)
        inside = torch.arange(hidden.shape[1], device=self.device) < tokens.argmax(-1)[:, None]
        words = (hidden * inside[..., None])[:, 1 : 1 + places]  # without the start token
        names = (tokens[:, : hidden.shape[1]] * inside)[:, 1 : 1 + places]
        rest = places - words.shape[1]
        words = torch.cat([ends[:, None], F.pad(words, (0, 0, 0, rest))], dim=1)
        return EncodedTexts(words, F.pad(names, (0, rest)))

    def embed_images(self, pictures: torch.Tensor) -> torch.Tensor:
        """Unit vectors ``(N, D)`` of pictures ``(N, 3, H, W)`` in [0, 1]; float32.

        Pictures of another size than the model's are resized bicubically, without keeping their aspect ratio.
        Differentiable.
        """
        if pictures.shape[-2:] != (self.size, self.size):
            pictures = F.interpolate(
                pictures,
                size=(self.size, self.size),
                mode="bicubic",
                antialias=True,
                align_corners=False,
            )
        part = "visual" if hasattr(self.model, "visual") else ""
        encode = compiled(self.model, "encode_image", part=part, before=self._normalise, after=unit_vectors)
        return encode(pictures)

    def _normalise(self, pictures: torch.Tensor) -> torch.Tensor:
        # Convolutions with batch norm are about a third faster in channels-last memory.
        if not merges(pictures):
            return ((pictures - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        kept = cached_on(self)
        if ("normalise", pictures.device) not in kept:
            kept["normalise", pictures.device] = 1 / self.std, -self.mean / self.std
        scale, shift = kept["normalise", pictures.device]
        dtype = current_half() or pictures.dtype
        return scale_and_shift(pictures, scale, shift, dtype=dtype, memory_format=torch.channels_last)


def encode_tokens(model: CLIP, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The text tower's last hidden states: at the end token ``(N, width)``, and at each token up to the longest
    text's end ``(N, length, width)``. Unlike ``model.encode_text``, padding is not computed."""
    length = int((tokens != 0).sum(1).max())
    tokens = tokens[:, :length]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.ln_final(model.transformer(hidden, attn_mask=model.attn_mask[:length, :length]))
    return hidden[torch.arange(len(tokens)), tokens.argmax(-1)], hidden


def load_clip(name: str, device: str) -> Perceptor:
    """A CLIP by its name or path (see ``find_clip``), frozen. Raises ModelError."""
    entry = find_clip(name)
    if not entry.bundled:
        model, tokenizer, pictures = load_open_clip(entry)
        return Perceptor(model, tokenizer, **pictures).eval().requires_grad_(False).to(device)
    config = read_config(entry.config)
    model = CLIP(**config["model_cfg"])
    load_weights(model, entry.weights)
    fold_batch_norms(model.visual)
    model.visual = model.visual.to(memory_format=torch.channels_last)
    tokenizer = SimpleTokenizer(
        str(entry.config.parent / config["vocabulary"]),
        context_length=config["model_cfg"]["text_cfg"]["context_length"],
    )
    preprocessing = config["preprocess_cfg"]
    perceptor = Perceptor(
        model,
        tokenizer,
        size=config["model_cfg"]["vision_cfg"]["image_size"],
        mean=preprocessing["mean"],
        std=preprocessing["std"],
    )
    return perceptor.eval().requires_grad_(False).to(device)


class Perceptors(nn.Module):
    """Several CLIPs as one: their vectors are concatenated, so that a cosine is the mean of theirs, weighted by
    ``weights`` (equal by default).

    A member whose share is below 1 embeds only that fraction of the pictures, evenly spread; the others get the
    mean of its vectors.
    """

    def __init__(
        self,
        members: Sequence[Perceptor],
        weights: Sequence[float] | None = None,
        shares: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        weights = [1.0] * len(members) if weights is None else weights
        self._parts = [(weight / sum(weights)) ** 0.5 for weight in weights]
        self._shares = [1.0] * len(members) if shares is None else shares

    @property
    def size(self) -> int:
        """The largest member's side; the others resize their input."""
        return max(member.size for member in self.members)

    @property
    def device(self) -> torch.device:
        """The models' device."""
        return self.members[0].device

    @property
    def logit_scale(self) -> float:
        """The mean of the members' factors."""
        return sum(member.logit_scale for member in self.members) / len(self.members)

    logit_bias = None  # there is none that suits all

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors ``(N, sum of D)``."""
        return self._concatenate([member.embed_texts(texts) for member in self.members])

    def embed_images(self, pictures: torch.Tensor) -> torch.Tensor:
        """Unit vectors ``(N, sum of D)`` of pictures ``(N, 3, H, W)`` in [0, 1]."""
        pairs = zip(self.members, self._shares, strict=True)
        return self._concatenate([_embed_share(member, pictures, share) for member, share in pairs])

    def _concatenate(self, vectors: list[torch.Tensor]) -> torch.Tensor:
        parts = zip(vectors, self._parts, strict=True)
        return torch.cat([vector * part for vector, part in parts], dim=-1)


def _embed_share(member: Perceptor, pictures: torch.Tensor, share: float) -> torch.Tensor:
    """A member's vectors for all pictures, computed from its share of them."""
    count = max(1, round(share * len(pictures)))
    if count == len(pictures):
        return member.embed_images(pictures)
    rows = torch.arange(count, device=pictures.device) * len(pictures) // count
    seen = member.embed_images(pictures[rows])
    return seen.mean(0).expand(len(pictures), -1).index_copy(0, rows, seen)


def weight_members(
    perceptor: Perceptor | Perceptors,
    weights: Sequence[float],
    shares: Sequence[float] | None = None,
) -> Perceptor | Perceptors:
    """The same CLIPs with weights and shares of the pictures; the loaded models are shared. A single CLIP is
    returned as it is."""
    alike = len(set(weights)) == 1 and all(share == 1 for share in shares or ())
    if alike or len(weights) == 1:
        return perceptor
    return Perceptors(list(perceptor.members), weights, shares)


def load_perceptor(names: Sequence[str], device: str) -> Perceptor | Perceptors:
    """One or several CLIPs by name, as one perceptor. Raises ModelError."""
    members = [load_clip(name, device) for name in names]
    return members[0] if len(members) == 1 else Perceptors(members)
