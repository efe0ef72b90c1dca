"""The loop of the published notebooks in float32, without any optimization, as the baseline of the benchmark.

Source: Katherine Crowson's VQGAN+CLIP (arXiv 2204.08583) with the cutouts of its “updated” descendants
(github.com/nerdyrodent/VQGAN-CLIP), written anew from what these do.
"""

import copy

import kornia.augmentation as K
import torch
import torch.nn as nn
import torch.nn.functional as F

from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.fusion import unfuse_blocks
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.precision import clamp_with_grad, replace_grad

_NOISE = 0.1


class PlainLoop:
    """Steps of the published recipe at a recipe's size, with its number of cutouts and its models.

    Args:
        vqgan: copied, with taming's own unfused blocks.
        perceptor: one CLIP, or several, each with separate cutouts.
        towers: the CLIPs' image towers as open_clip makes them, in the order of the perceptor's.
    """

    def __init__(
        self, recipe: Recipe, vqgan: Vqgan, perceptor: Perceptor | Perceptors, towers: list[nn.Module]
    ) -> None:
        members = list(getattr(perceptor, "members", None) or [perceptor])
        self._vqgan = copy.deepcopy(vqgan).to(memory_format=torch.contiguous_format)
        unfuse_blocks(self._vqgan)
        self._clips = list(zip(members, towers, strict=True))
        self._count = recipe.cutouts.count
        device, codebook = vqgan.codebook.device, vqgan.codebook
        with torch.no_grad():
            self._targets = [clip.embed_texts([recipe.scene(0)[0].text]) for clip in members]
        self._low, self._high = vqgan.bounds()
        codes = torch.randint(
            len(codebook),
            (-(-recipe.height // vqgan.factor), -(-recipe.width // vqgan.factor)),
            device=device,
        )
        self.latent = vqgan.lookup(codes[None]).contiguous().requires_grad_()
        self._optimizer = torch.optim.Adam([self.latent], lr=recipe.optimizer.learning_rate)
        self._disturb = nn.Sequential(
            K.RandomHorizontalFlip(p=0.5),
            K.ColorJitter(hue=0.01, saturation=0.01, p=0.7),
            K.RandomSharpness(0.3, p=0.4),
            K.RandomAffine(degrees=30, translate=0.1, p=0.8, padding_mode="border"),
            K.RandomPerspective(0.2, p=0.4),
        )

    def step(self) -> None:
        """One step: decode, cut, embed, and update the latent."""
        self._optimizer.zero_grad()
        picture = clamp_with_grad(self._vqgan.decoder(self._quantized()).add(1).div(2), 0.0, 1.0)
        losses = []
        for (clip, tower), target in zip(self._clips, self._targets, strict=True):
            cutouts = (self._cutouts(picture, clip.size) - clip.mean) / clip.std
            vectors = F.normalize(tower(cutouts).float(), dim=-1)
            distances = (vectors - target).norm(dim=-1).div(2).arcsin().square().mul(2)
            losses.append(distances.mean())
        sum(losses).backward()
        self._optimizer.step()
        with torch.no_grad():
            self.latent.copy_(self.latent.maximum(self._low).minimum(self._high))

    def _quantized(self) -> torch.Tensor:
        """The nearest codes, by the full distance matrix and a one-hot product."""
        book, places = self._vqgan.codebook, self.latent.movedim(1, 3)
        distances = places.square().sum(-1, keepdim=True) + book.square().sum(1) - 2 * places @ book.T
        chosen = F.one_hot(distances.argmin(-1), len(book)).to(book.dtype) @ book
        return self._vqgan.post_quant_conv(replace_grad(chosen, places).movedim(3, 1))

    def _cutouts(self, picture: torch.Tensor, size: int) -> torch.Tensor:
        """Augmented square cutouts of half to the whole of the shorter side, each resized separately."""
        height, width = picture.shape[2:]
        largest, cutouts = min(height, width), []
        smallest = largest // 2
        for _ in range(self._count):
            side = int(torch.rand(()) * (largest - smallest) + smallest)
            left = int(torch.randint(0, width - side + 1, ()))
            top = int(torch.randint(0, height - side + 1, ()))
            cutout = picture[:, :, top : top + side, left : left + side]
            cutouts.append(F.interpolate(cutout, size=(size, size), mode="bicubic", antialias=True))
        seen = self._disturb(torch.cat(cutouts))
        strength = torch.rand(self._count, 1, 1, 1, device=seen.device) * _NOISE
        return seen + strength * torch.randn_like(seen)
