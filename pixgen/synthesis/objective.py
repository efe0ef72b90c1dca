"""The objective that a step minimises: the distance of a picture's cutouts to the prompts, and a recipe's
losses."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.recipe.prompts import Prompt, Scene
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.cutouts.plan import plan_cutouts
from pixgen.synthesis.cutouts.regions import Regions
from pixgen.synthesis.cutouts.sheets import contact_sheet
from pixgen.synthesis.gradients import GradientScale
from pixgen.synthesis.losses import ImageLosses, clip_losses, prompt_loss, spherical_dist_loss, sum_losses
from pixgen.synthesis.precision import full_precision
from pixgen.synthesis.scenes import targets_at
from pixgen.synthesis.tensors import start_copy, to_pixels, to_tensor, upload

_MOST_SHOWN, _SIDE_SHOWN = 16, 112  # cutouts on a sheet, and their side in pixels

Metrics = dict[str, torch.Tensor]  # scalars by name


class Objective:
    """Evaluates the pictures of one recipe: similarities to prompts, losses, and their gradients.

    Args:
        pictures: every path that the recipe names, with its opened picture.
        generator: the run's random numbers, on the device of the perceptor.
        host_generator: those on the CPU, where cutouts are placed; on a CPU the same generator.
        scale: of the gradients that are passed back.
        mark: as of an ``Optimization``.
    """

    def __init__(
        self,
        recipe: Recipe,
        perceptor: Perceptor | Perceptors,
        *,
        pictures: Mapping[str, Any],
        generator: torch.Generator,
        host_generator: torch.Generator,
        scale: GradientScale,
        mark: Callable[[str], None],
    ) -> None:
        self._perceptor, self._pictures = perceptor, pictures
        self._generator, self._device, self._mark = generator, generator.device, mark
        self._host_generator = host_generator
        self._opening, self._scale = recipe.first_scene, scale
        self._targets: dict[str, torch.Tensor] = {}  # (D,) by prompt
        self.watch_cutouts = False  # whether a frame brings a sheet of its cutouts
        self.cutout_sheet: Callable[[], np.ndarray] | None = None  # of the latest step
        self._regions: dict[tuple, Regions] = {}  # of the scene in force, by its regions
        self._numbers: dict[tuple, torch.Tensor] = {}  # of the prompts in force, on the device
        self.losses = ImageLosses(recipe.losses, pictures=pictures, device=self._device)
        self._clip_losses = clip_losses(recipe, perceptor)

    @torch.no_grad()
    def similarity(self, pictures: torch.Tensor, prompts: Scene | None = None) -> torch.Tensor:
        """The mean cosine of pictures ``(N, 3, H, W)`` to prompts, by their weights, ``(N,)``.

        Args:
            prompts: by default those of the first scene.
        """
        prompts = prompts or self._opening
        total = torch.zeros(len(pictures), device=self._device)
        vectors = self._perceptor.embed_images(pictures)  # (N, D)
        for prompt in prompts:
            total += prompt.weight * (vectors @ self._target(prompt))
        return total / max(1e-6, sum(abs(prompt.weight) for prompt in prompts))

    def evaluate(
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
            start: the initial picture, where a loss needs it.
            backward: whether the gradient of all losses is added to ``picture.grad``, scaled.
        """
        similarities, losses = self._evaluate_cutouts(picture, recipe, step, backward=backward)
        losses |= self._evaluate_image_losses(picture, recipe, start=start, backward=backward)
        if backward and picture.grad is None:
            picture.grad = torch.zeros_like(picture)
        return similarities, losses

    def _evaluate_cutouts(
        self, picture: torch.Tensor, recipe: Recipe, step: int, *, backward: bool
    ) -> tuple[Metrics, Metrics]:
        """The losses of the picture's cutouts as CLIP sees them: the prompts', and those of CLIP's
        vectors."""
        self.cutout_sheet = None
        prompts, target_vectors = targets_at(recipe, step, self._target)
        if not prompts:
            return {}, {}
        cutouts, targets = recipe.cutouts, torch.stack(target_vectors)  # (P, D)
        regions = self._find_regions(prompts)
        fused, side = recipe.engine.augmentations == "fused", self._perceptor.size
        placed = regions.place(
            cutouts.set,
            cutouts.count,
            aspect=recipe.width / recipe.height,
            generator=self._host_generator,
            size=side,
            fused=fused,
        )
        shares = regions.shares(placed)  # (N, P)
        source = picture if regions.boxes else self._roll_for_tiling(picture, recipe)
        weights, stops = self._on_device(prompts)  # (P,) each
        cosines = torch.zeros((), device=self._device)
        prompt_total = torch.zeros((), device=self._device)
        clip_totals: Metrics = {}
        for batch in plan_cutouts(
            cutouts.set, placed, shares, batches=cutouts.batches, size=side,
            height=picture.shape[-2], width=picture.shape[-1], generator=self._host_generator,
            device_generator=self._generator, fused=fused,
        ):  # fmt: skip
            seen = batch.see(source)  # (n, 3, S, S), n of the N cutouts
            if self.watch_cutouts and self.cutout_sheet is None:
                self.cutout_sheet = _cutout_sheet(seen.detach())
            self._mark("cutouts")
            vectors = self._perceptor.embed_images(seen)  # (n, D)
            self._mark("clip")
            with full_precision(self._device):
                distances = spherical_dist_loss(vectors, targets)  # (n, P)
            loss = prompt_loss(distances, weights=weights, stops=stops, shares=batch.shares)
            part = batch.count / cutouts.count
            prompt_total = prompt_total + loss.detach() * part
            for name, clip_loss in self._clip_losses.items():
                value = clip_loss(vectors)
                clip_totals[name] = clip_totals.get(name, 0.0) + value.detach() * part
                loss = loss + value
            loss = loss * part
            if backward:
                self._scale.scale_loss(loss, recipe).backward()
                self._mark("backward")
            cosines = cosines + (vectors.detach() @ targets.T * batch.shares).sum(0)  # (P,)
        similarities: Metrics = {}
        for index, prompt in enumerate(prompts):
            similarities[_unique_label(prompt.label, similarities)] = cosines[index] / cutouts.count
        return similarities, {"prompts": prompt_total, **clip_totals}

    def _evaluate_image_losses(
        self, picture: torch.Tensor, recipe: Recipe, *, start: torch.Tensor | None, backward: bool
    ) -> Metrics:
        """The losses of the whole picture."""
        losses = self.losses.of_picture(picture, start)
        if backward and losses:
            self._scale.scale_loss(sum_losses(losses), recipe).backward()
        return {name: loss.detach() for name, loss in losses.items()}

    def _roll_for_tiling(self, picture: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        """The picture, rolled by a random offset where it is to tile, so that CLIP sees across its seams."""
        if not recipe.losses.tiling:
            return picture
        part = torch.rand(2, generator=self._host_generator).tolist()
        moves = [int(each * side) for each, side in zip(part, picture.shape[-2:], strict=True)]
        return picture.roll(moves, (-2, -1))

    def _find_regions(self, prompts: Scene) -> Regions:
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
