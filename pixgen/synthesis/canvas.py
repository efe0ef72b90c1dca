"""The moving average of a latent, for display: it holds still where single steps flicker."""

# MERGED pixgen.synthesis.growth: A canvas that grows while it is painted: its latent, averages and the optimizer's memory with it.
#
#   A latent is scaled by way of its picture: between the codes' own values the decoder draws stripes.
# MERGED pixgen.synthesis.canvas: The canvas while it is painted: a drawer's latent, and all that goes by its shape and grows with it.
import copy
from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers.base import CodeDrawer, Drawer
from pixgen.synthesis.drawers.factory import make_drawer
from pixgen.synthesis.upscale import enlarge


class MovingAverage:
    """Follows a latent step by step.

    Args:
        decay: how much of it stays each step; with 0 there is none.
    """

    def __init__(self, latent: torch.Tensor, *, decay: float) -> None:
        self.decay, self.sum = decay, torch.zeros_like(latent)

    def follow(self, latent: torch.Tensor, step: int) -> torch.Tensor | None:
        """The average at a step, in which the latent has come to be this."""
        if not self.decay:
            return None
        self.sum.lerp_(latent, 1 - self.decay)
        # Corrected for its start at zero, as in arXiv 1412.6980.
        return self.sum / (1 - self.decay ** (step + 1))

    def go_on(
        self, smaller: "MovingAverage", grown: Callable[[torch.Tensor], torch.Tensor], *, step: int
    ) -> None:
        """Go on, when a step begins, from the average of a smaller latent, of which ``grown`` makes one of
        this size."""
        if self.decay and step:
            begun = 1 - self.decay**step
            self.sum = begun * grown(smaller.sum / begun)


# What optimizers remember of gradients, by the power in which they do. A place's gradient is shared by
# all the places that it becomes, so what is remembered shrinks with it: a memory of large
# gradients would hold an Adam's steps short for hundreds of steps.
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
    """What a latent of ``drawer`` is for the larger canvas: that of its picture, enlarged."""
    picture = enlarge(drawer.draw(latent), width=larger.width, height=larger.height)
    return larger.encode(picture)


def resize_moments(memory: Mapping, *, old: torch.Size, new: torch.Size) -> dict:
    """An optimizer's ``state_dict`` of one latent for the latent that it has become.

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
    """The latent, where it started, its average, and what the optimizer remembers of it.

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
        self.optimizer = kind([drawer.latent], lr=wanted.learning_rate)

    @property
    def latent(self) -> torch.Tensor:
        """What the optimizer moves."""
        return self.drawer.latent

    @torch.no_grad()
    def starts(self, latent: torch.Tensor, pixels: torch.Tensor | None) -> None:
        """What is to stay near the start, stays near this one from now on."""
        self.start_latent.copy_(latent)
        self.start_pixels = pixels

    def move(self, rate: float) -> None:
        """Move the latent by its gradient, which is then gone."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.drawer.project()

    def grow(self, recipe: Recipe, step: int) -> None:
        """Become larger, if it is time when a step begins."""
        stage = recipe.stage(step)
        if stage <= self.stage:  # with more steps than before it may be less: nothing ever shrinks
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
        self.average.go_on(average, grown, step=step)
        shapes = {"old": latent.shape, "new": self.latent.shape}
        self.optimizer.load_state_dict(resize_moments(memory, **shapes))
        if self.start_pixels is not None:
            width, height = recipe.canvas(stage)
            self.start_pixels = enlarge(self.start_pixels, width=width, height=height)

    def _resize(self, recipe: Recipe, stage: int) -> None:
        """Be as large as a canvas that has grown so often, still empty."""
        drawer = make_drawer(recipe, self.drawer.vqgan, pictures=self._pictures, stage=stage)
        self._prepare(recipe, drawer, stage)

    def state(self) -> dict:
        """All of it: tensors and numbers, safe to save and to load."""
        pixels = self.start_pixels
        return {
            "stage": self.stage,
            "start_pixels": None if pixels is None else pixels.clone(),
            "latent": self.latent.detach().clone(),
            "start_latent": self.start_latent.clone(),
            "average": self.average.sum.clone(),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
        }

    def restore(self, recipe: Recipe, state: dict) -> None:
        """Be what it was in a state of the same recipe."""
        if state.get("stage", self.stage) != self.stage:
            self._resize(recipe, state["stage"])
        if state["start_pixels"] is not None:
            self.start_pixels = state["start_pixels"].to(self.latent.device)
        self.latent.data.copy_(state["latent"])
        self.start_latent.copy_(state["start_latent"])
        self.average.sum.copy_(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
