"""The canvas while it is painted: the drawer's latent, its optimizer, its moving average, and how they grow.

A latent is enlarged by way of its picture: values between the codes' own would be decoded as stripes.
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers import make_drawer
from pixgen.synthesis.drawers.base import CodeDrawer, Drawer
from pixgen.synthesis.upscale import enlarge

_FUSED_ON_GPU = ("Adam", "AdamW", "SGD")  # of torch's optimizers


class MovingAverage:
    """The exponential moving average of a latent, for display: single steps flicker.

    Args:
        decay: the share of the average that stays each step; 0 is off.
    """

    def __init__(self, latent: torch.Tensor, *, decay: float) -> None:
        self.decay, self.sum = decay, torch.zeros_like(latent)

    def update(self, latent: torch.Tensor, step: int) -> torch.Tensor | None:
        """Add the latent of a step; returns the average, or None if it is off."""
        if not self.decay:
            return None
        self.sum.lerp_(latent, 1 - self.decay)
        # Corrected for its start at zero, as in arXiv 1412.6980.
        return self.sum / (1 - self.decay ** (step + 1))

    def grow(
        self, smaller: "MovingAverage", grown: Callable[[torch.Tensor], torch.Tensor], *, step: int
    ) -> None:
        """Continue from the average of a smaller latent, which ``grown`` enlarges, when a step begins."""
        if self.decay and step:
            begun = 1 - self.decay**step
            self.sum = begun * grown(smaller.sum / begun)


# The optimizers' moments, by the power of the gradient that they average. The gradient of a place is shared
# by all places that it becomes, so its moments shrink as well: moments of larger gradients would shorten Adam's
# steps for hundreds of steps.
_POWERS = {
    "exp_avg": 1,
    "exp_inf": 1,
    "momentum_buffer": 1,
    "exp_avg_sq": 2,
    "square_avg": 2,
    "sum": 2,
}


@torch.no_grad()
def grow_latent(latent: torch.Tensor, *, drawer: CodeDrawer, larger: CodeDrawer) -> torch.Tensor:
    """The latent for a larger canvas: its picture is drawn, enlarged and encoded."""
    picture = enlarge(drawer.draw(latent), width=larger.width, height=larger.height)
    return larger.encode(picture)


def resize_moments(memory: Mapping, *, old: torch.Size, new: torch.Size) -> dict:
    """Resize the moments in an optimizer's ``state_dict`` to a latent that has grown.

    Args:
        old, new: the latent's shapes, ``(1, C, h, w)`` and ``(1, C, H, W)``.
    """
    share = old.numel() / new.numel()
    state = {
        number: {
            name: F.interpolate(value, size=new[-2:], mode="bilinear") * share ** _POWERS.get(name, 0)
            if isinstance(value, torch.Tensor) and value.shape == old
            else value
            for name, value in values.items()
        }
        for number, values in memory["state"].items()
    }
    return {**memory, "state": state}


class Canvas:
    """The latent, its value at the start, its moving average and its optimizer.

    Args:
        pictures: every path that the recipe names, with its opened picture.
    """

    def __init__(self, recipe: Recipe, drawer: Drawer, *, pictures: Mapping[str, Image.Image]) -> None:
        self._pictures = pictures
        self.start_pixels: torch.Tensor | None = None  # where a loss wants them
        self._prepare(recipe, drawer, recipe.stage(0))

    def _prepare(self, recipe: Recipe, drawer: Drawer, stage: int) -> None:
        self.drawer, self.stage = drawer, stage
        self.start_latent = torch.zeros_like(drawer.latent)
        self.average = MovingAverage(drawer.latent, decay=recipe.average)
        wanted = recipe.optimizer
        kind = getattr(torch.optim, wanted.name)
        # One kernel for a step instead of seven.
        fused = {"fused": True} if drawer.latent.is_cuda and wanted.name in _FUSED_ON_GPU else {}
        self.optimizer = kind([drawer.latent], lr=wanted.learning_rate, **fused)

    @property
    def latent(self) -> torch.Tensor:
        """The tensor that the optimizer moves."""
        return self.drawer.latent

    @torch.no_grad()
    def set_start(self, latent: torch.Tensor, pixels: torch.Tensor | None) -> None:
        """Set the latent and the picture that losses of the start measure from."""
        self.start_latent.copy_(latent)
        self.start_pixels = pixels

    def move(self, rate: float) -> None:
        """Take an optimizer's step with the latent's gradient, then project the latent and drop the
        gradient."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.drawer.project()

    def grow(self, recipe: Recipe, step: int) -> None:
        """Enlarge the canvas if the recipe says so at the beginning of a step."""
        stage = recipe.stage(step)
        if (
            stage <= self.stage
        ):  # a run that got more steps may be ahead of its schedule: a canvas never shrinks
            return
        before, memory = self.drawer, self.optimizer.state_dict()
        latent, start, average = before.latent.detach(), self.start_latent, self.average
        self._resize(recipe, stage)
        assert isinstance(before, CodeDrawer)  # a recipe lets no other grow
        assert isinstance(self.drawer, CodeDrawer)
        grown = partial(grow_latent, drawer=before, larger=self.drawer)
        self.latent.data.copy_(grown(latent))
        self.drawer.project()
        self.start_latent = grown(start)
        self.average.grow(average, grown, step=step)
        shapes = {"old": latent.shape, "new": self.latent.shape}
        self.optimizer.load_state_dict(resize_moments(memory, **shapes))
        if self.start_pixels is not None:
            width, height = recipe.canvas(stage)
            self.start_pixels = enlarge(self.start_pixels, width=width, height=height)

    def _resize(self, recipe: Recipe, stage: int) -> None:
        """An empty canvas of the size at a stage of growth."""
        drawer = make_drawer(recipe, self.drawer.vqgan, pictures=self._pictures, stage=stage)
        self._prepare(recipe, drawer, stage)

    def state(self) -> dict:
        """The state as tensors and numbers, safe to save and to load."""
        moments = self.optimizer.state_dict()
        state = {
            "stage": self.stage,
            "start_pixels": self.start_pixels,
            "latent": self.latent.detach(),
            "start_latent": self.start_latent,
            "average": self.average.sum,
            "optimizer": moments,
        }
        tensors = [*state.values(), *(each for own in moments["state"].values() for each in own.values())]
        # It is taken in every step: a GPU copies all that it has at once. deepcopy takes a tensor's entry in the
        # memo for its copy.
        here = [
            each for each in tensors if isinstance(each, torch.Tensor) and each.device == self.latent.device
        ]
        copies = [torch.empty_like(each) for each in here]
        with torch.no_grad():
            torch._foreach_copy_(copies, here)
        return copy.deepcopy(state, {id(each): made for each, made in zip(here, copies, strict=True)})

    def restore(self, recipe: Recipe, state: dict) -> None:
        """Put a state of the same recipe back."""
        if state.get("stage", self.stage) != self.stage:
            self._resize(recipe, state["stage"])
        if state["start_pixels"] is not None:
            self.start_pixels = state["start_pixels"].to(self.latent.device)
        self.latent.data.copy_(state["latent"])
        self.start_latent.copy_(state["start_latent"])
        self.average.sum.copy_(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
