"""The objective that a step minimises: the distance of a picture's cutouts to the prompts, and a recipe's losses.

Losses that a recipe leaves at 0 are not computed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.losses import Compute, Losses
from pixgen.losses.layout import tiling_loss
from pixgen.models.clip.aesthetics import load_aesthetic_predictor
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.merged import replace_grad, spherical_distance
from pixgen.recipe.prompts import NO_STOP, Prompt, Scene, is_video_path
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.cutouts.cutouts import CutoutSampler, pixel_centres, plan_cutouts
from pixgen.synthesis.cutouts.regions import RELEVANCE_EVERY, Regions, relevance_map
from pixgen.synthesis.cutouts.sampler import make_sampler
from pixgen.synthesis.cutouts.sheets import contact_sheet
from pixgen.synthesis.filters import wall_window
from pixgen.synthesis.precision import GradientScale, full_precision
from pixgen.synthesis.scenes import sound_at, targets_at
from pixgen.synthesis.tensors import main_colours, start_copy, to_pixels, to_tensor, upload

Metrics = dict[str, torch.Tensor]  # scalars by name

_MOST_SHOWN, _SIDE_SHOWN = 16, 112  # cutouts on a sheet, and their side in pixels
_SIDE_FOR_COLOURS = 128
# Of a picture whose patterns are compared: those of a phone photo's pixels are noise, and need gigabytes.
_LARGEST_SIDE = 1024
_OTHER_REGIONS = ("a picture", "a texture", "the background")  # what a region in words is compared with


def spherical_dist_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The squared great-circle distance of unit vectors, times two, ``(N, D), (P, D) -> (N, P)``.

    0 when they are one, about 0.8 at a cosine of 0.3, 1.23 at a right angle. Source: Crowson's
    VQGAN+CLIP (arXiv 2204.08583).
    """
    return spherical_distance(x @ y.T)


@dataclass(frozen=True)
class PromptWeights:
    """The weights and stops of P prompts, ``(P,)`` on a device; None where they change nothing, so that a GPU
    launches nothing for them. ``total`` is the sum of the weights' magnitudes."""

    signs: torch.Tensor | None
    magnitudes: torch.Tensor | None
    stops: torch.Tensor | None
    total: float

    @classmethod
    def of(cls, prompts: Scene, device: torch.device) -> "PromptWeights":
        """Those of prompts."""
        weights = torch.tensor([prompt.weight for prompt in prompts])
        stops = torch.tensor([prompt.stop for prompt in prompts])
        magnitudes = weights.abs()
        return cls(
            upload(weights.sign(), device) if bool((weights <= 0).any()) else None,
            upload(magnitudes, device) if bool((magnitudes != 1).any()) else None,
            upload(stops, device) if bool((stops > NO_STOP).any()) else None,
            float(magnitudes.sum().clamp(min=1e-9)),
        )


def prompt_loss(
    distances: torch.Tensor, prompts: PromptWeights, shares: torch.Tensor | None = None
) -> torch.Tensor:
    """The weighted loss of P prompts over N cutouts, a scalar.

    Args:
        distances: from ``spherical_dist_loss``, ``(N, P)``.
        prompts: negative weights push away, and a prompt no longer pulls below its stop, a signed distance. The
            sum of the weights' magnitudes is divided out, so that other losses keep their strength.
        shares: how much each cutout counts for each prompt, ``(N, P)``, mean 1 a prompt; None: alike.
    """
    held = distances if prompts.signs is None else distances * prompts.signs
    if prompts.stops is not None:
        held = replace_grad(held, torch.maximum(held, prompts.stops))
    if shares is not None:
        held = held * shares
    if prompts.magnitudes is not None:
        held = held * prompts.magnitudes
    mean = held.mean(0)
    total = mean.squeeze(0) if len(mean) == 1 else mean.sum()
    return total if prompts.total == 1 else total / prompts.total


def sum_losses(losses: Metrics) -> torch.Tensor:
    """The sum of at least one loss, a scalar."""
    return reduce(torch.add, losses.values())


class LossPictures:
    """The pictures that a recipe names, for losses that compare with them.

    Args:
        pictures: every path that the losses name, with its opened picture.
    """

    def __init__(self, pictures: Mapping[str, Image.Image], device: torch.device) -> None:
        self._pictures, self.device = pictures, device

    def picture(self, path: str) -> torch.Tensor:
        """An opened picture, ``(1, 3, H, W)`` in [0, 1], at most ``_LARGEST_SIDE`` pixels wide and high."""
        found = self._pictures[path].convert("RGB")
        found.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE), Image.Resampling.LANCZOS)
        return to_tensor(found).to(self.device)

    def main_colours(self, path: str, *, count: int) -> torch.Tensor:
        """The main colours ``(count, 3)`` of a picture."""
        small = self._pictures[path].convert("RGB")
        small.thumbnail((_SIDE_FOR_COLOURS, _SIDE_FOR_COLOURS))
        return main_colours(to_tensor(small), count=count)


class LossPerceptor:
    """The run's CLIPs, in the order of ``names``, for losses of their vectors."""

    def __init__(self, perceptor: Perceptor | Perceptors, names: Sequence[str]) -> None:
        self._perceptor, self._names = perceptor, names

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of texts, ``(N, D)``."""
        return self._perceptor.embed_texts(list(texts))

    def aesthetic_scores(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The aesthetic predictor for vectors ``(N, D)``. Raises ModelError if its file is missing."""
        return load_aesthetic_predictor(self._perceptor, self._names).scores


class ImageLosses:
    """A recipe's losses of the whole picture and of the latent.

    Args:
        pictures: every path that the losses name, with its opened picture.
    """

    def __init__(self, losses: Losses, *, pictures: Mapping[str, Image.Image], device: torch.device) -> None:
        given = LossPictures(pictures, device)
        self._of_picture = list(losses.prepare("picture", given))
        self._of_start = list(losses.prepare("picture and start", given))
        self._of_latent = list(losses.prepare("latent and start", given))

    def of_picture(self, picture: torch.Tensor, start: torch.Tensor | None) -> Metrics:
        """The weighted losses of a picture ``(1, 3, H, W)`` by name; ``start`` is the initial picture, where
        a loss needs it."""
        found = {name: weight * loss(picture) for name, weight, loss in self._of_picture}
        return found | {name: weight * loss(picture, start) for name, weight, loss in self._of_start}

    def of_latent(self, latent: torch.Tensor, start: torch.Tensor) -> Metrics:
        """The weighted losses of a latent by name; ``start`` is its initial value."""
        return {name: weight * loss(latent, start) for name, weight, loss in self._of_latent}


def clip_losses(recipe: Recipe, perceptor: Perceptor | Perceptors) -> dict[str, Compute]:
    """A recipe's weighted losses of CLIP's vectors ``(N, D)``, by name. Raises ModelError if a file that one
    of them needs is missing."""
    given = LossPerceptor(perceptor, recipe.clip_names)
    return {
        name: partial(_weighted, weight, loss)
        for name, weight, loss in recipe.losses.prepare("vectors", given)
    }


def _weighted(weight: float, loss: Compute, vectors: torch.Tensor) -> torch.Tensor:
    return weight * loss(vectors)


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
        self._targets: dict[tuple, torch.Tensor] = {}  # (D,) by prompt
        self.watch_cutouts = False  # whether a frame brings a sheet of its cutouts
        self.cutout_sheet: Callable[[], np.ndarray] | None = None  # of the latest step
        self._samplers: dict[tuple, CutoutSampler] = {}  # of the recipe in force
        self.relevance: dict[str, torch.Tensor] = {}  # maps of the regions in words, by these
        self._regions: dict[tuple, Regions] = {}  # of the scene in force, by its regions
        self._numbers: dict[tuple, PromptWeights] = {}  # of the prompts in force
        self._stacked: tuple[tuple[torch.Tensor, ...], torch.Tensor] = (), torch.empty(0)
        self._points = pixel_centres(perceptor.size, self._device)
        self._one = torch.ones((), device=self._device)  # the gradient that a backward pass begins with
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
        prompts, target_vectors = targets_at(
            recipe, step, self._target, sound=sound_at(recipe, step, self._pictures)
        )
        if not prompts:
            return {}, {}
        cutouts, targets = recipe.cutouts, self._stack(target_vectors)  # (P, D)
        regions = self._find_regions(prompts, picture, recipe, step)
        sampler = self._find_sampler(recipe)
        placed = regions.place(sampler.place, cutouts.count, aspect=recipe.width / recipe.height)
        placed = sampler.warp(placed, step=step)
        shares = regions.shares(placed)  # (N, P)
        source = picture if regions.boxes else self._roll_for_tiling(picture, recipe)
        weights = self._on_device(prompts)
        totals: Metrics = {}
        cosines: list[torch.Tensor] = []  # (P,) of each batch
        for batch in plan_cutouts(
            sampler,
            placed,
            shares,
            step=step,
            batches=cutouts.batches,
            size=self._perceptor.size,
            height=picture.shape[-2],
            width=picture.shape[-1],
            device=self._device,
            points=self._points,
        ):
            seen = batch.see(source)  # (n, 3, S, S), n of the N cutouts
            if self.watch_cutouts and self.cutout_sheet is None:
                self.cutout_sheet = _cutout_sheet(seen.detach())
            self._mark("cutouts")
            vectors = self._perceptor.embed_images(seen)  # (n, D)
            self._mark("clip")
            with full_precision(self._device):
                cosine = vectors @ targets.T  # (n, P)
                distances = spherical_distance(cosine)
            shared = batch.shares if regions.boxes else None  # without regions, all are 1
            losses = {"prompts": prompt_loss(distances, weights, shared)}
            losses |= {name: clip_loss(vectors) for name, clip_loss in self._clip_losses.items()}
            part = batch.count / cutouts.count
            for name, value in losses.items():
                own = value.detach() if part == 1 else value.detach() * part
                totals[name] = totals[name] + own if name in totals else own
            if backward:
                loss = sum_losses(losses)
                self._backward(loss if part == 1 else loss * part, recipe)
                self._mark("backward")
            seen_cosine = cosine.detach()
            cosines.append((seen_cosine if shared is None else seen_cosine * shared).sum(0))
        similarities: Metrics = {}
        mean = reduce(torch.add, cosines) / cutouts.count
        for prompt, similarity in zip(prompts, mean.unbind(), strict=True):
            similarities[_unique_label(prompt.label, similarities)] = similarity
        return similarities, totals

    def _backward(self, loss: torch.Tensor, recipe: Recipe) -> None:
        """Add the gradient of a loss, scaled, to the picture's."""
        self._scale.scale_loss(loss, recipe).backward(self._one)

    def _evaluate_image_losses(
        self, picture: torch.Tensor, recipe: Recipe, *, start: torch.Tensor | None, backward: bool
    ) -> Metrics:
        """The losses of the whole picture."""
        losses = self.losses.of_picture(picture, start)
        if recipe.wall.seams and (axes := recipe.wall.seam_axes):
            losses["wall"] = recipe.wall.seams * tiling_loss(picture, axes)
        if backward and losses:
            self._backward(sum_losses(losses), recipe)
        return {name: loss.detach() for name, loss in losses.items()}

    def _roll_for_tiling(self, picture: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        """The picture, rolled by a random offset where it is to tile, so that CLIP sees across its seams."""
        if recipe.wall.kind:
            return wall_window(picture, recipe.wall, self._host_generator)
        if not recipe.losses.tiling:
            return picture
        part = torch.rand(2, generator=self._host_generator).tolist()
        moves = [int(each * side) for each, side in zip(part, picture.shape[-2:], strict=True)]
        return picture.roll(moves, (-2, -1))

    def _find_sampler(self, recipe: Recipe) -> CutoutSampler:
        """The sampler of the cutouts; it keeps what it sampled for the next steps."""
        key = (recipe.version, recipe.seed, recipe.cutouts, recipe.engine.augmentations)
        if key not in self._samplers:
            sampler = make_sampler(
                recipe,
                size=self._perceptor.size,
                generator=self._host_generator,
                noise=self._generator,
            )
            self._samplers = {key: sampler}
        return self._samplers[key]

    def _find_regions(self, prompts: Scene, picture: torch.Tensor, recipe: Recipe, step: int) -> Regions:
        """The regions of the prompts in force. Those of a video and those in words change over the steps."""
        self._look_for_words(prompts, picture, step)
        frame = recipe.journey.moment(step).frame if any(is_video_path(each.mask) for each in prompts) else 0
        areas = tuple(each.area for each in prompts)  # without their weights, which may change each step
        key = (areas, frame, tuple(id(self.relevance[each.where]) for each in prompts if each.where))
        if key not in self._regions:
            cpu = torch.device("cpu")  # where cutouts are placed
            made = Regions(prompts, pictures=self._pictures, device=cpu, frame=frame, found=self.relevance)
            self._regions = {key: made}
        return self._regions[key]

    def _look_for_words(self, prompts: Scene, picture: torch.Tensor, step: int) -> None:
        """Find the regions in words, again every few steps."""
        words = {each.where for each in prompts if each.where}
        due = [each for each in sorted(words) if step % RELEVANCE_EVERY == 0 or each not in self.relevance]
        if not due:
            return
        others = self._perceptor.embed_texts(_OTHER_REGIONS)
        for where in due:
            target = self._target(Prompt(text=where))
            self.relevance[where] = relevance_map(picture.detach(), target, others, self._perceptor)

    def _on_device(self, prompts: Scene) -> PromptWeights:
        """The weights and the stops of prompts, kept while they are in force."""
        key = tuple((prompt.weight, prompt.stop) for prompt in prompts)
        if key not in self._numbers:
            self._numbers = {key: PromptWeights.of(prompts, self._device)}
        return self._numbers[key]

    def _stack(self, vectors: Sequence[torch.Tensor]) -> torch.Tensor:
        """Targets ``(P, D)`` from those of the prompts ``(D,)``, kept while these are the same tensors."""
        before, stacked = self._stacked
        if len(before) != len(vectors) or any(a is not b for a, b in zip(before, vectors, strict=True)):
            stacked = torch.stack(list(vectors))
            self._stacked = tuple(vectors), stacked
        return stacked

    def _noise_target(self, seed: int) -> torch.Tensor:
        """A random direction ``(1, D)`` in CLIP's space; the seed alone decides it, on every device."""
        width = self._perceptor.embed_texts(["noise"]).shape[-1]
        drawn = torch.randn(1, width, generator=torch.Generator().manual_seed(seed))
        return F.normalize(drawn, dim=-1).to(self._device)

    def _target(self, prompt: Prompt) -> torch.Tensor:
        key = (prompt.text, prompt.origin, prompt.picture, prompt.noise)
        if key not in self._targets:
            with torch.no_grad():
                if prompt.picture:
                    picture = to_tensor(self._pictures[prompt.picture]).to(self._device)
                    vector = self._perceptor.embed_images(picture)
                elif prompt.noise is not None:
                    vector = self._noise_target(prompt.noise)
                else:
                    vector = self._perceptor.embed_texts([prompt.text])
                if prompt.origin:
                    vector = F.normalize(vector - self._perceptor.embed_texts([prompt.origin]), dim=-1)
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
