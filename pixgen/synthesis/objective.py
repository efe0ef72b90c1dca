"""The judgement of a picture: how near CLIP finds it to the prompts, and what else a recipe wishes."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.recipe.prompts import Prompt, Scene
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.cutouts.plan import plan_cutouts
from pixgen.synthesis.cutouts.regions import Regions
from pixgen.synthesis.cutouts.sheets import contact_sheet
from pixgen.synthesis.gradients import GradientScale
from pixgen.synthesis.losses import ImageLosses, clip_losses, prompt_loss, spherical_dist_loss
from pixgen.synthesis.precision import full_precision
from pixgen.synthesis.scenes import targets_at
from pixgen.synthesis.tensors import start_copy, to_pixels, to_tensor, upload

_MOST_SHOWN, _SIDE_SHOWN = 16, 112  # cutouts on a sheet, and their side in pixels

Metrics = dict[str, torch.Tensor]  # scalars by name


class Objective:
    """Judges the pictures of one recipe.

    Args:
        pictures: every path that the recipe names, with its opened picture.
        generator: the run's own chance, on the device of the perceptor.
        host_generator: the same on the CPU, where cutouts are placed; there, the same generator.
        scale: of the gradients that are passed back.
        mark: as of an ``Optimization``.
    """

    def __init__(
        self,
        recipe: Recipe,
        perceptor: Perceptor | Perceptors,
        *,
        pictures: Mapping[str, Image.Image],
        generator: torch.Generator,
        host_generator: torch.Generator,
        scale: GradientScale,
        mark: Callable[[str], None],
    ) -> None:
        self._perceptor, self._pictures = perceptor, pictures
        self._generator, self._device, self._mark = generator, generator.device, mark
        self._host_generator = host_generator
        self._opening, self._scale = recipe.first_scene, scale
        self._targets: dict[str, torch.Tensor] = {}
        self.watched = False  # whether somebody wants to see the cutouts
        self.seen: Callable[[], np.ndarray] | None = None  # a sheet of those of the latest step
        self._regions: dict[tuple, Regions] = {}  # of the scene in force, by its regions
        self._numbers: dict[tuple, torch.Tensor] = {}  # of the prompts in force, on the device
        self.losses = ImageLosses(recipe.losses, pictures=pictures, device=self._device)
        self._opinions = clip_losses(recipe, perceptor)

    @torch.no_grad()
    def liking(self, pictures: torch.Tensor, prompts: Scene | None = None) -> torch.Tensor:
        """How well pictures ``(N, 3, H, W)`` fit prompts, by default the first: cosines by weight,
        ``(N,)``."""
        prompts = prompts or self._opening
        liking = torch.zeros(len(pictures), device=self._device)
        vectors = self._perceptor.embed_images(pictures)
        for prompt in prompts:
            liking += prompt.weight * (vectors @ self._target(prompt))
        return liking / max(1e-6, sum(abs(prompt.weight) for prompt in prompts))

    def judge(
        self,
        picture: torch.Tensor,
        recipe: Recipe,
        step: int,
        *,
        start: torch.Tensor | None,
        backward: bool,
    ) -> tuple[Metrics, Metrics]:
        """Similarities by prompt, and losses by name.

        Args:
            picture: ``(1, 3, H, W)`` in [0, 1].
            recipe: as it is in force at the step.
            start: the start's picture, where a loss wants it.
            backward: whether the gradient of the whole is added to ``picture.grad``, scaled.
        """
        similarities, losses = self._heard(picture, recipe, step, backward=backward)
        losses |= self._wished(picture, recipe, start=start, backward=backward)
        if backward and picture.grad is None:
            picture.grad = torch.zeros_like(picture)
        return similarities, losses

    def _heard(
        self, picture: torch.Tensor, recipe: Recipe, step: int, *, backward: bool
    ) -> tuple[Metrics, Metrics]:
        """What CLIP sees in the picture's cutouts."""
        self.seen = None
        prompts, vectors = targets_at(recipe, step, self._target)
        if not prompts:
            return {}, {}
        cutouts, targets = recipe.cutouts, torch.stack(vectors)
        regions = self._where(prompts)
        fused, side = recipe.engine.augmentations == "fused", self._perceptor.size
        placed = regions.place(
            cutouts.set,
            cutouts.count,
            aspect=recipe.width / recipe.height,
            generator=self._host_generator,
            size=side,
            fused=fused,
        )
        shares = regions.shares(placed)
        looked_at = picture if regions.boxes else self._tiled(picture, recipe)
        weights, stops = self._on_device(prompts)
        cosines, total, opined = 0.0, 0.0, dict.fromkeys(self._opinions, 0.0)
        for batch in plan_cutouts(
            cutouts.set, placed, shares, batches=cutouts.batches, size=side,
            height=picture.shape[-2], width=picture.shape[-1], generator=self._host_generator,
            device_generator=self._generator, fused=fused,
        ):  # fmt: skip
            seen = batch.see(looked_at)
            if self.watched and self.seen is None:
                self.seen = _cutout_sheet(seen.detach())
            self._mark("cutouts")
            vectors = self._perceptor.embed_images(seen)
            self._mark("clip")
            with full_precision(self._device):
                distances = spherical_dist_loss(vectors, targets)
            loss = prompt_loss(distances, weights=weights, stops=stops, shares=batch.shares)
            part = batch.count / cutouts.count
            total = total + loss.detach() * part
            for name, opinion in self._opinions.items():
                found = opinion(vectors)
                opined[name] = opined[name] + found.detach() * part
                loss = loss + found
            loss = loss * part
            if backward:
                self._scale.scale_loss(loss, recipe).backward()
                self._mark("backward")
            cosines = cosines + (vectors.detach() @ targets.T * batch.shares).sum(0)
        similarities: Metrics = {}
        for index, prompt in enumerate(prompts):
            similarities[_unique_label(prompt.label, similarities)] = cosines[index] / cutouts.count
        return similarities, {"prompts": total, **opined}

    def _wished(
        self, picture: torch.Tensor, recipe: Recipe, *, start: torch.Tensor | None, backward: bool
    ) -> Metrics:
        """The losses of the picture itself."""
        found = self.losses.of_picture(picture, start)
        if backward and found:
            self._scale.scale_loss(sum(found.values()), recipe).backward()
        return {name: loss.detach() for name, loss in found.items()}

    def _tiled(self, picture: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        """What cutouts are taken from: for tiles, the picture moved round by chance, so that CLIP sees
        across its seams."""
        if not recipe.losses.tiling:
            return picture
        part = torch.rand(2, generator=self._host_generator).tolist()
        moves = [int(each * side) for each, side in zip(part, picture.shape[-2:], strict=True)]
        return picture.roll(moves, (-2, -1))

    def _where(self, prompts: Scene) -> Regions:
        key = tuple((each.region, each.mask) for each in prompts)  # weights may change each step
        if key not in self._regions:
            cpu = torch.device("cpu")  # where cutouts are placed
            self._regions = {key: Regions(prompts, pictures=self._pictures, device=cpu)}
        return self._regions[key]

    def _on_device(self, prompts: Scene) -> torch.Tensor:
        """The weights and the stops of prompts, ``(2, P)``."""
        key = tuple((prompt.weight, prompt.stop) for prompt in prompts)
        if key not in self._numbers:
            numbers = torch.tensor(key, dtype=torch.float32).T.contiguous()
            self._numbers = {key: upload(numbers, self._device)}
        return self._numbers[key]

    def _target(self, prompt: Prompt) -> torch.Tensor:
        key = f"[{prompt.picture}]" if prompt.picture else prompt.text
        if key not in self._targets:
            with torch.no_grad():
                if prompt.picture:
                    picture = to_tensor(self._pictures[prompt.picture]).to(self._device)
                    vector = self._perceptor.embed_images(picture)
                else:
                    vector = self._perceptor.embed_texts([prompt.text])
            self._targets[key] = vector[0]
        return self._targets[key]


def _cutout_sheet(seen: torch.Tensor) -> Callable[[], np.ndarray]:
    """A sheet of the first cutouts, on its way from their device."""
    shown = seen[:_MOST_SHOWN]
    if shown.shape[-1] > _SIDE_SHOWN:
        shown = F.interpolate(shown, size=(_SIDE_SHOWN,) * 2, mode="bilinear", antialias=True)
    sheet = contact_sheet(shown.clamp(0, 1))
    return start_copy(sheet) or (lambda: to_pixels(sheet))


def _unique_label(label: str, taken: Mapping[str, object]) -> str:
    """The label, numbered if another prompt has the same."""
    number, unique = 2, label
    while unique in taken:
        unique, number = f"{label} ({number})", number + 1
    return unique
