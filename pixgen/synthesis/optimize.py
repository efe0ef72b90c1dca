"""The loop: draw, cut, look, and move the latent to where CLIP sees the prompts.

One step is quantize, decode, cutouts, CLIP, loss, backward to the latent, the optimizer's step and a
clamp to the codebook's bounds. Source of the method: Crowson et al., arXiv 2204.08583.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from time import perf_counter

import torch
from PIL import Image

from pixgen.models.clip import Perceptor, Perceptors
from pixgen.models.working import working
from pixgen.prompts import Prompt, Scene, parse
from pixgen.recipe import Change, Recipe
from pixgen.synthesis.beginning import Beginning
from pixgen.synthesis.cutouts import Placement, disturb, sample
from pixgen.synthesis.drawers import Drawer
from pixgen.synthesis.enlarge import enlarge
from pixgen.synthesis.frames import Frame, copying
from pixgen.synthesis.growth import grown_latent, grown_memory
from pixgen.synthesis.losses import prompt_loss, spherical_dist_loss
from pixgen.synthesis.making import make_drawer
from pixgen.synthesis.memory import (
    free,
    is_out_of_memory,
    lightened,
    lightened_look,
    memory_guard,
    what_changed,
)  # fmt: skip
from pixgen.synthesis.regions import Regions
from pixgen.synthesis.scenes import Scenes
from pixgen.synthesis.sketching import Sketchbook
from pixgen.synthesis.starts import as_tensor
from pixgen.synthesis.story import pulls
from pixgen.synthesis.travel import Travel
from pixgen.synthesis.wishes import Wishes, opinions

Lighter = Callable[..., Recipe | None]  # as ``lightened``
_HALF_SCALE = 2.0**12  # keeps float16 gradients of pixels above their smallest number


class Optimization(Iterator[Frame]):
    """Paints a recipe: yields frame 0, the start, then one frame after each step. A start that is
    sketched comes with frames of its own, which count up from below 0.

    Args:
        recipe: what to paint.
        drawer: draws on the device where the models are; its latent is started here.
        perceptor: judges the cutouts, on the same device.
        pictures: every path that the recipe names, with its opened picture; a video as its ``Footage``.
        sketchbook: what sketches the start, for recipes that ask for it.
        mark: called with a stage's name when the stage ends: decode, cutouts, clip, backward, rest.

    All chance comes from one generator, seeded by the recipe. The object belongs to one thread.
    Raises OutOfMemory.
    """

    def __init__(
        self, recipe: Recipe, drawer: Drawer, perceptor: Perceptor | Perceptors, *,
        pictures: Mapping[str, Image.Image] | None = None,
        sketchbook: Sketchbook | None = None,
        mark: Callable[[str], None] = lambda stage: None,
    ) -> None:  # fmt: skip
        self.recipe, self.drawer, self.perceptor = recipe, drawer, perceptor
        self.step = 0
        # Kept as it is given: pictures may be added to it while painting.
        self._pictures, self._mark = {} if pictures is None else pictures, mark
        self._targets: dict[str, torch.Tensor] = {}
        self._regions: dict[Scene, Regions] = {}  # of the scene in force
        self._device = drawer.latent.device
        self._generator = torch.Generator(self._device).manual_seed(recipe.seed)
        self._done = self._drawing = False
        self._wishes = Wishes(recipe.losses, pictures=self._pictures, device=self._device)
        self._opinions = opinions(recipe, perceptor)
        self._stage = recipe.stage(0)
        self._start_latent = torch.zeros_like(drawer.latent)
        width, height = recipe.canvas(self._stage)
        self._beginning = Beginning(
            recipe.model_copy(update={"width": width, "height": height}), drawer,
            pictures=self._pictures, generator=self._generator, judge=self._liking,
            sketchbook=sketchbook,
        )  # fmt: skip
        self._stages: Iterator[tuple[int, torch.Tensor]] | None = iter(self._beginning)
        if not recipe.start.sketched:  # nothing to see, and a moment's work
            with memory_guard(recipe):
                self._begin(perf_counter())
        self._average = torch.zeros_like(self._start_latent)
        self._optimizer = self._new_optimizer()
        self._scenes = Scenes(
            recipe, drawer, pictures=self._pictures, judge=self._liking, sketchbook=sketchbook
        )
        self._travel = Travel(recipe, drawer, pictures=self._pictures, optimizer=self._optimizer)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        wanted = self.recipe.optimizer
        return getattr(torch.optim, wanted.name)([self.drawer.latent], lr=wanted.learning_rate)

    @torch.no_grad()
    def _liking(self, pictures: torch.Tensor, prompts: Scene | None = None) -> torch.Tensor:
        """How well pictures ``(N, 3, H, W)`` fit prompts, by default the first: cosines by weight,
        ``(N,)``."""
        prompts = prompts or self.recipe.opening
        liking = torch.zeros(len(pictures), device=self._device)
        vectors = self.perceptor.embed_images(pictures)
        for prompt in prompts:
            liking += prompt.weight * (vectors @ self._target(prompt))
        return liking / max(1e-6, sum(abs(prompt.weight) for prompt in prompts))

    def _begin(self, begun: float) -> Frame | None:
        """What there is to see of the start's making; None when the start is made."""
        step, picture = next(self._stages, (0, None))
        if picture is not None:
            seconds, draw = perf_counter() - begun, self._whole(lambda: picture)
            return Frame(step, self.recipe.steps, (), {}, seconds, draw)
        self._stages = None
        self._start_latent.copy_(self.drawer.latent.detach())
        return None

    def __next__(self) -> Frame:
        if self._done:
            raise StopIteration
        begun = perf_counter()
        with memory_guard(self.recipe):
            if self._stages is not None and (frame := self._begin(begun)) is not None:
                return frame
            self._grow()
            if self.step < self.recipe.steps:
                frame = self._sparing(self._move, lightened, begun)
                self._go_on()
                self.step += 1
            else:
                # The last picture is only looked at. What that changes is given back, so that a run
                # that later goes on draws what it would have drawn.
                chance, average = self._generator.get_state(), self._average.clone()
                frame = self._sparing(self._look, lightened_look, begun)
                self._generator.set_state(chance)
                self._average = average
                self._done = True
        return frame

    def _sparing(self, work: Callable[[float], Frame], lighter: Lighter, begun: float) -> Frame:
        """A step's ``work``, again with less at once for as long as memory does not suffice."""
        wanted = self.recipe
        while True:
            chance, average = self._generator.get_state(), self._average.clone()
            try:
                return replace(work(begun), notice=what_changed(wanted, self.recipe))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                found = lighter(self.recipe, self._device, drawing=self._drawing)
                if found is None:
                    raise
            # Outside of the except clause, whose error holds on to the tensors of the failed step.
            self.recipe = found
            self.drawer.latent.grad = None
            self._generator.set_state(chance)
            self._average = average
            free(self._device)

    def _go_on(self) -> None:
        """In a story: towards the next scene. On a journey: to the next frame, and what is to stay near
        the start stays near the video's."""
        self._scenes.go_on(self.recipe, self.step)
        picture = self._travel.go_on(self.step)
        if picture is not None:
            self._start_latent.copy_(self._travel.painted_over)
            if self._beginning.pixels is not None:
                self._beginning.pixels = picture

    def _move(self, begun: float) -> Frame:
        """Judge the picture of this step, then move the latent."""
        latent = self.drawer.latent
        shown = self._shown()
        with torch.enable_grad(), self._precision():
            drawn = self._draw()
            self._mark("decode")
            # The picture is cut from the graph: cutouts may come in batches, the decoder is passed
            # backwards once.
            picture = drawn.detach().requires_grad_()
            similarities, losses = self._judge(picture, backward=True)
            self._drawing = True
            drawn.backward(picture.grad)
        latent.grad.div_(self._gradient_scale)
        self._mark("backward")
        losses |= self._latent_losses()
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.drawer.project()
        self._mark("rest")
        return self._frame(begun, similarities, losses, shown, drawn.detach())

    @torch.no_grad()
    def _look(self, begun: float) -> Frame:
        shown = self._shown()
        with self._precision():
            drawn = self._draw()
            similarities, losses = self._judge(drawn, backward=False)
        return self._frame(begun, similarities, losses, shown, drawn)

    def _draw(self) -> torch.Tensor:
        """The picture; whether it is drawing is known if memory runs out."""
        self._drawing = True
        drawn = self.drawer.draw()
        self._drawing = False
        return drawn

    def _frame(self, begun, similarities, losses, shown, drawn) -> Frame:
        whole = drawn.shape[-2:] == (self.recipe.height, self.recipe.width)
        copied = copying(drawn[0]) if whole and shown is None else None
        figures = [*similarities.values(), *losses.values()]
        values = torch.stack(figures).tolist() if figures else []  # one wait for the device
        seconds = perf_counter() - begun
        count = len(similarities)
        return Frame(
            self.step, self.recipe.steps, tuple(zip(similarities, values[:count], strict=True)),
            dict(zip(losses, values[count:], strict=True)), seconds,
            self._whole(shown or (lambda: drawn)), self._beginning.candidates, copied=copied,
        )  # fmt: skip

    def _whole(self, draw: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """What draws a picture in the recipe's size, however far it has grown."""
        width, height = self.recipe.width, self.recipe.height
        return lambda: enlarge(draw(), width=width, height=height)

    def _grow(self) -> None:
        """When it is time, go on with a larger canvas and all that belongs to it."""
        stage = self.recipe.stage(self.step)
        if stage <= self._stage:  # with more steps than before it may be less: nothing ever shrinks
            return
        before, memory = self.drawer, self._optimizer.state_dict()
        latent, start = before.latent.detach(), self._start_latent
        begun = 1 - self.recipe.average**self.step  # the average began at nought
        average = self._average / begun if self.recipe.average and self.step else None
        self._resize(stage)
        grown = partial(grown_latent, drawer=before, larger=self.drawer)
        self.drawer.latent.data.copy_(grown(latent))
        self.drawer.project()
        self._start_latent = grown(start)
        if average is not None:
            self._average = begun * grown(average)
        shapes = {"old": latent.shape, "new": self.drawer.latent.shape}
        self._optimizer.load_state_dict(grown_memory(memory, **shapes))
        if self._beginning.pixels is not None:
            width, height = self.recipe.canvas(stage)
            self._beginning.pixels = enlarge(self._beginning.pixels, width=width, height=height)

    def _resize(self, stage: int) -> None:
        """A canvas that has grown so often, still empty."""
        self._stage = stage
        self.drawer = make_drawer(
            self.recipe, self.drawer.vqgan, pictures=self._pictures, stage=stage
        )
        self._start_latent = torch.zeros_like(self.drawer.latent)
        self._average = torch.zeros_like(self.drawer.latent)
        self._optimizer = self._new_optimizer()

    def _shown(self) -> Callable[[], torch.Tensor] | None:
        """With averaging, what draws the moving average of the latent so far; on a journey, the latent
        that the frame before has calmed."""
        decay, latent = self.recipe.average, self._travel.shown()
        if decay:
            self._average.lerp_(self.drawer.latent.detach(), 1 - decay)
            latent = self._average / (
                1 - decay ** (self.step + 1)
            )  # corrected for its start at zero
        if latent is None:
            return None

        def draw() -> torch.Tensor:
            with torch.no_grad(), self._precision():
                return self.drawer.draw(latent)

        return draw

    def _judge(self, picture: torch.Tensor, *, backward: bool):
        """Similarities by prompt and losses by name; with ``backward``, the gradient of the whole is
        added to ``picture.grad``."""
        cutouts, (prompts, vectors) = (
            self.recipe.cutouts,
            pulls(self.recipe, self.step, self._target),
        )
        losses: dict[str, torch.Tensor] = {}
        similarities = {}
        if prompts:
            targets = torch.stack(vectors)
            regions = self._where(prompts)
            placed = regions.place(
                cutouts.set, cutouts.count, aspect=self.recipe.width / self.recipe.height,
                generator=self._generator,
            )  # fmt: skip
            shares = regions.shares(placed)
            looked_at = picture if regions.boxes else self._tiled(picture)
            weights = torch.tensor([prompt.weight for prompt in prompts], device=self._device)
            stops = torch.tensor([prompt.stop for prompt in prompts], device=self._device)
            cosines, total, opined = 0.0, 0.0, dict.fromkeys(self._opinions, 0.0)
            pieces = torch.arange(cutouts.count).chunk(min(cutouts.batches, cutouts.count))
            for rows in pieces:
                places = Placement(
                    placed.matrices[rows], tuple(placed.paddings[row] for row in rows.tolist())
                )
                seen = disturb(
                    sample(looked_at, places, size=self.perceptor.size),
                    cutouts.set.augmentations, self._generator,
                )  # fmt: skip
                self._mark("cutouts")
                vectors = self.perceptor.embed_images(seen).float()
                self._mark("clip")
                distances = spherical_dist_loss(vectors, targets)
                loss = prompt_loss(distances, weights=weights, stops=stops, shares=shares[rows])
                part = len(rows) / cutouts.count
                total = total + loss.detach() * part
                for name, opinion in self._opinions.items():
                    found = opinion(vectors)
                    opined[name] = opined[name] + found.detach() * part
                    loss = loss + found
                loss = loss * part
                if backward:
                    (loss * self._gradient_scale).backward()
                    self._mark("backward")
                cosines = cosines + (vectors.detach() @ targets.T * shares[rows]).sum(0)
            losses |= {"prompts": total, **opined}
            for index, prompt in enumerate(prompts):
                similarities[_unused(prompt.label, similarities)] = cosines[index] / cutouts.count
        losses |= self._pixel_losses(picture, backward=backward)
        if backward and picture.grad is None:
            picture.grad = torch.zeros_like(picture)
        return similarities, losses

    def _tiled(self, picture: torch.Tensor) -> torch.Tensor:
        """What cutouts are taken from: for tiles, the picture moved round by chance, so that CLIP sees
        across its seams."""
        if not self.recipe.losses.tiling:
            return picture
        part = torch.rand(2, generator=self._generator, device=self._device).tolist()
        moves = [int(each * side) for each, side in zip(part, picture.shape[-2:], strict=True)]
        return picture.roll(moves, (-2, -1))

    def _pixel_losses(self, picture: torch.Tensor, *, backward: bool) -> dict[str, torch.Tensor]:
        wanted, found = self.recipe.losses, self._wishes.of_picture(picture)
        if wanted.start_pixels:
            found["start_pixels"] = (
                wanted.start_pixels * (picture - self._beginning.pixels).square().mean()
            )
        if backward and found:
            (sum(found.values()) * self._gradient_scale).backward()
        return {name: loss.detach() for name, loss in found.items()}

    def _latent_losses(self) -> dict[str, torch.Tensor]:
        """Losses of the latent itself; their gradients are added to the latent's."""
        wanted, latent, found = self.recipe.losses, self.drawer.latent, {}
        if wanted.start_latent:
            found["start_latent"] = (
                wanted.start_latent * (latent - self._start_latent).square().mean()
            )
        if wanted.latent_decay:
            found["latent_decay"] = wanted.latent_decay * latent.square().mean()
        if found:
            sum(found.values()).backward()
        return {name: loss.detach() for name, loss in found.items()}

    def _where(self, prompts: Scene) -> Regions:
        if prompts not in self._regions:
            self._regions = {
                prompts: Regions(prompts, pictures=self._pictures, device=self._device)
            }
        return self._regions[prompts]

    def _target(self, prompt: Prompt) -> torch.Tensor:
        key = f"[{prompt.picture}]" if prompt.picture else prompt.text
        if key not in self._targets:
            with torch.no_grad():
                if prompt.picture:
                    picture = as_tensor(self._pictures[prompt.picture]).to(self._device)
                    vector = self.perceptor.embed_images(picture)
                else:
                    vector = self.perceptor.embed_texts([prompt.text])
            self._targets[key] = vector[0]
        return self._targets[key]

    def _rate(self) -> float:
        """The learning rate of this step: the one in force, times the schedule over all steps."""
        wanted = self.recipe.optimizer
        base, part = self.recipe.learning_rate(self.step), self.recipe.part(self.step)
        if wanted.schedule == "drop" and part >= wanted.drop_at:
            return base * wanted.floor
        if wanted.schedule == "cosine":
            return base * (wanted.floor + (1 - wanted.floor) * (1 + math.cos(math.pi * part)) / 2)
        return base

    @property
    def _gradient_scale(self) -> float:
        return _HALF_SCALE if self.recipe.precision == "float16" else 1.0

    def _precision(self):
        """How the arithmetic is done, while it is entered."""
        ways = ExitStack()
        ways.enter_context(working(self.recipe.engine))
        if self.recipe.precision != "float32":
            precision = getattr(torch, self.recipe.precision)
            ways.enter_context(torch.autocast(self._device.type, precision))
        return ways

    def change(
        self, *, prompts: str | tuple[Scene, ...] | None = None, learning_rate: float | None = None
    ) -> None:
        """Change prompts, as a text or as scenes, or the learning rate from the next step on; the
        recipe records it.

        Raises RecipeError if the prompts are not allowed.
        """
        scenes = parse(prompts) if isinstance(prompts, str) else prompts
        change = Change(step=self.step, prompts=scenes, learning_rate=learning_rate)
        self.recipe = self.recipe.model_copy(update={"changes": (*self.recipe.changes, change)})

    def state(self) -> dict:
        """All that the next frames depend on: tensors and numbers, safe to save and to load.

        A start that is still being sketched is sketched anew: that is quick, and gives the same.
        """
        if self._stages is not None:
            return {"step": self.step, "beginning": True}
        pixels = self._beginning.pixels
        return {
            "step": self.step,
            "stage": self._stage,
            "start_pixels": None if pixels is None else pixels.clone(),
            "latent": self.drawer.latent.detach().clone(),
            "start_latent": self._start_latent.clone(),
            "average": self._average.clone(),
            "journey": self._travel.state(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
        }

    def restore(self, state: dict) -> None:
        """Go on from a state of the same recipe: the next frames are those that would have come."""
        if state.get("beginning"):
            return  # as a new Optimization does
        self.step, self._done, self._stages = state["step"], False, None
        if state.get("stage", self._stage) != self._stage:
            self._resize(state["stage"])
        if state["start_pixels"] is not None:
            self._beginning.pixels = state["start_pixels"].to(self._device)
        self.drawer.latent.data.copy_(state["latent"])
        self._start_latent.copy_(state["start_latent"])
        self._average.copy_(state["average"])
        self._travel.restore(state.get("journey"))
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"].cpu())


def _unused(label: str, taken: Mapping[str, object]) -> str:
    """The label, numbered if another prompt has the same."""
    number, unique = 2, label
    while unique in taken:
        unique, number = f"{label} ({number})", number + 1
    return unique
