"""The loop: draw, cut, look, and move the latent to where CLIP sees the prompts.

One step is quantize, decode, cutouts, CLIP, loss, backward to the latent, the optimizer's step and a
clamp to the codebook's bounds. Source of the method: Crowson et al., arXiv 2204.08583.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeVar

import torch
from PIL import Image

from pixgen.messages import _, join_messages
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.runtime import use_engine
from pixgen.recipe.prompts import Scene, parse
from pixgen.recipe.recipe import Change, Recipe
from pixgen.synthesis.canvas import Canvas
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.frames import Frame, PendingMetrics
from pixgen.synthesis.gradients import GradientScale
from pixgen.synthesis.init.initialise import Initialisation
from pixgen.synthesis.memory.out_of_memory import (
    Stage,
    describe_changes,
    free_cache,
    is_out_of_memory,
    lower_memory,
    lower_memory_of_final,
    memory_guard,
)
from pixgen.synthesis.motion import CameraMotion
from pixgen.synthesis.objective import Metrics, Objective
from pixgen.synthesis.precision import arithmetic
from pixgen.synthesis.scenes import SceneSketches
from pixgen.synthesis.sketch.session import SketchModel
from pixgen.synthesis.sketch.unclip import UnClipModel
from pixgen.synthesis.tensors import start_copy
from pixgen.synthesis.upscale import enlarge

LowerMemory = Callable[[Recipe, torch.device, Stage], Recipe | None]  # as ``lower_memory``
T = TypeVar("T")


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
        self,
        recipe: Recipe,
        drawer: Drawer,
        perceptor: Perceptor | Perceptors,
        *,
        pictures: Mapping[str, Image.Image] | None = None,
        sketch_model: SketchModel | UnClipModel | None = None,
        mark: Callable[[str], None] = lambda stage: None,
    ) -> None:
        self.recipe, self.step = recipe, 0
        # Kept as it is given: pictures may be added to it while painting.
        self._pictures, self._mark = {} if pictures is None else pictures, mark
        self._device = drawer.latent.device
        self._generator = torch.Generator(self._device).manual_seed(recipe.seed)
        # Cutouts are placed on the CPU: alike on every device, and no device waits for its host.
        self._host_generator = (
            self._generator if self._device.type == "cpu" else torch.Generator().manual_seed(recipe.seed)
        )
        self._done, self._told = False, recipe  # the recipe, as far as its changes were told
        self._doing: Stage = "drawing"
        self._scale = GradientScale(self._device)
        self._notices: list[str] = []  # what is to be told with the next frame
        self._metrics, self._dropped = (
            PendingMetrics({}, {}),
            0,
        )  # of the step before; what was told
        self._judge = Objective(
            recipe,
            perceptor,
            pictures=self._pictures,
            generator=self._generator,
            host_generator=self._host_generator,
            scale=self._scale,
            mark=mark,
        )
        self.canvas = Canvas(recipe, drawer, pictures=self._pictures)
        self._sketch_model = sketch_model
        self._start_anew(self._generator.get_state())
        if not recipe.init.needs_sketcher:  # nothing to see, and a moment's work
            self._begin(perf_counter())
        self._scenes = SceneSketches(
            recipe,
            drawer,
            pictures=self._pictures,
            judge=self._judge.liking,
            sketch_model=sketch_model,
        )
        self._travel = CameraMotion(recipe, drawer, pictures=self._pictures, optimizer=self.canvas.optimizer)

    def _start_anew(self, chance: torch.Tensor) -> None:
        """Be before the start, with the generator in that state."""
        self._generator.set_state(chance)
        width, height = self.recipe.canvas(self.canvas.stage)
        self._beginning = Initialisation(
            self.recipe.model_copy(update={"width": width, "height": height}),
            self.canvas.drawer,
            pictures=self._pictures,
            generator=self._generator,
            judge=self._judge.liking,
            sketch_model=self._sketch_model,
        )
        self._first_chance = chance
        self._stages: Iterator[tuple[int, torch.Tensor]] | None = iter(self._beginning)

    def _begin(self, begun: float) -> Frame | None:
        """What there is to see of the start's making; None when the start is made. If memory does not
        suffice, the start is made anew."""
        return self._sparing(
            self._stage_of_start, begun, kept=lambda: self._first_chance, undo=self._start_anew
        )

    def _stage_of_start(self, begun: float) -> Frame | None:
        self._doing = "sketching" if self.recipe.init.needs_sketcher else "encoding"
        step, picture = next(self._stages, (0, None))
        if picture is not None:
            seconds, draw = perf_counter() - begun, self._whole(lambda: picture)
            return Frame(step, self.recipe.steps, PendingMetrics({}, {}), seconds, draw)
        self.canvas.starts(self.canvas.latent.detach(), self._beginning.pixels)
        self._stages = None
        return None

    def __next__(self) -> Frame:
        if self._done:
            raise StopIteration
        begun = perf_counter()
        if self._stages is not None and (frame := self._begin(begun)) is not None:
            return self._telling(frame)
        if self.step < self.recipe.steps:
            frame = self._sparing(self._step, begun)
            self.step += 1
        else:
            frame = self._sparing(self._look, begun, lighter=lower_memory_of_final)
            self._done = True
        return self._telling(frame)

    def _telling(self, frame: Frame) -> Frame:
        """A frame that tells what changed since the last one because memory was short, and what else there
        is to know."""
        told, self._told = self._told, self.recipe
        self._tell_dropped(frame.metrics)
        notices, self._notices = dict.fromkeys(self._notices), []
        said = [each for each in (describe_changes(told, self.recipe), *notices) if each]
        return replace(frame, notice=join_messages(said, _("{first} {second}")) if said else "")

    def _tell_dropped(self, metrics: PendingMetrics) -> None:
        """Count the gradients that were dropped, once their number has come: a GPU is not waited for, so
        that may be a step later."""
        newest = next((each for each in (metrics, self._metrics) if each.is_ready()), None)
        self._metrics = metrics
        if newest is not None and newest.dropped > self._dropped:
            self._dropped = newest.dropped
            self._notices.append(
                _(
                    "A gradient was not finite and was left out (steps so far: {count}): if it goes on, lower what "
                    "the losses weigh, or choose precision=float32.",
                    count=self._dropped,
                )
            )

    def _sparing(
        self,
        work: Callable[[float], T],
        begun: float,
        *,
        lighter: LowerMemory = lower_memory,
        kept: Callable[[], Any] | None = None,
        undo: Callable[[Any], None] | None = None,
    ) -> T:
        """What ``work`` gives. Where memory does not suffice, what it has done is undone, and it is done
        again: first as it was, for what lay about may have been all that was in the way, then with less
        at once for as long as that is possible.

        Args:
            kept, undo: what there is before the work, and what goes back to it; by default a step's.

        Raises OutOfMemory.
        """
        found, again = self.recipe, True
        with memory_guard(self.recipe):
            while True:
                before = None
                try:
                    before = (kept or self.state)()
                    with use_engine(self.recipe.engine, tell=self._notices.append):
                        return work(begun)
                except RuntimeError as error:
                    if not is_out_of_memory(error):
                        raise
                # Outside of the except clause, whose error holds on to the tensors of the failed work.
                if not again:
                    found = lighter(self.recipe, self._device, self._doing)
                self.recipe, again = found or self.recipe, False
                self.canvas.latent.grad = None
                free_cache(self._device)
                if before is not None:
                    (undo or self.restore)(before)
                if found is None:
                    raise torch.OutOfMemoryError("nothing helps any more")

    def _step(self, begun: float) -> Frame:
        self._doing = "encoding"
        self.canvas.grow(self.recipe, self.step)
        frame = self._move(begun)
        self._go_on()
        return frame

    def _go_on(self) -> None:
        """In a story: towards the next scene. On a journey: to the next frame, and what is to stay near
        the start stays near the video's."""
        self._doing = "sketching" if self.recipe.story.sketch else "encoding"
        self._scenes.go_on(self.recipe, self.step)
        picture = self._travel.go_on(self.step)
        if picture is not None:
            wanted = self.canvas.start_pixels is not None
            self.canvas.starts(self._travel.painted_over, picture if wanted else None)

    def _move(self, begun: float) -> Frame:
        """Judge the picture of this step, then move the latent."""
        shown = self._shown()
        with torch.enable_grad(), arithmetic(self.recipe, self._device):
            drawn = self._draw()
            self._mark("decode")
            # The picture is cut from the graph: cutouts may come in batches, the decoder is passed
            # backwards once.
            picture = drawn.detach().requires_grad_()
            similarities, losses = self._judged(picture, backward=True)
            self._doing = "drawing"
            drawn.backward(picture.grad)
        self._scale.unscale(self.canvas.latent.grad, self.recipe)
        self._mark("backward")
        losses |= self._latent_losses()
        self.canvas.move(self._rate())
        self._mark("rest")
        return self._frame(begun, similarities, losses, shown, drawn.detach())

    @torch.no_grad()
    def _look(self, begun: float) -> Frame:
        """The last picture is only looked at. What that changes is given back, so that a run that later
        goes on draws what it would have drawn."""
        self._doing = "encoding"
        self.canvas.grow(self.recipe, self.step)
        chance, host = self._generator.get_state(), self._host_generator.get_state()
        average = self.canvas.average.sum.clone()
        shown = self._shown()
        with arithmetic(self.recipe, self._device):
            drawn = self._draw()
            similarities, losses = self._judged(drawn, backward=False)
        self._generator.set_state(chance)
        self._host_generator.set_state(host)
        self.canvas.average.sum = average
        return self._frame(begun, similarities, losses, shown, drawn)

    def _draw(self) -> torch.Tensor:
        self._doing = "drawing"
        drawn = self.canvas.drawer.draw()
        self._doing = "looking"
        return drawn

    def _judged(self, picture: torch.Tensor, *, backward: bool) -> tuple[Metrics, Metrics]:
        start = self.canvas.start_pixels
        return self._judge.judge(picture, self.recipe, self.step, start=start, backward=backward)

    def _latent_losses(self) -> Metrics:
        """Losses of the latent itself; their gradients are added to the latent's."""
        found = self._judge.losses.of_latent(self.canvas.latent, self.canvas.start_latent)
        if found:
            sum(found.values()).backward()
        return {name: loss.detach() for name, loss in found.items()}

    def _rate(self) -> float:
        """The learning rate of this step: the one in force, times the schedule over all steps."""
        recipe, step = self.recipe, self.step
        return recipe.learning_rate(step) * recipe.optimizer.rate_factor(recipe.progress(step))

    def _frame(self, begun, similarities, losses, shown, drawn) -> Frame:
        whole = drawn.shape[-2:] == (self.recipe.height, self.recipe.width)
        copied = start_copy(drawn[0]) if whole and shown is None else None
        metrics = PendingMetrics(similarities, losses, self._scale.dropped)
        seconds = perf_counter() - begun
        return Frame(
            self.step,
            self.recipe.steps,
            metrics,
            seconds,
            self._whole(shown or (lambda: drawn)),
            self._beginning.candidates,
            copied=copied,
            cutouts=self._judge.seen,
        )

    def _whole(self, draw: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """What draws a picture in the recipe's size, however far it has grown."""
        width, height = self.recipe.width, self.recipe.height
        return lambda: enlarge(draw(), width=width, height=height)

    def _shown(self) -> Callable[[], torch.Tensor] | None:
        """With averaging, what draws the moving average of the latent so far; on a journey, the latent
        that the frame before has calmed."""
        latent = self.canvas.average.follow(self.canvas.latent.detach(), self.step)
        if latent is None:
            latent = self._travel.shown()
        if latent is None:
            return None

        def draw() -> torch.Tensor:
            with torch.no_grad(), arithmetic(self.recipe, self._device):
                return self.canvas.drawer.draw(latent)

        return draw

    def watch_cutouts(self, wanted: bool) -> None:
        """Whether the next frames bring a sheet of the cutouts that CLIP saw; it costs a small copy."""
        self._judge.watched = wanted

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
        return {
            "step": self.step,
            **self.canvas.state(),
            "journey": self._travel.state(),
            "generator": self._generator.get_state(),
            "host_generator": self._host_generator.get_state(),
            "device": self._device.type,
            "gradient_scale": self._scale.state(),
        }

    def restore(self, state: dict) -> None:
        """Go on from a state of the same recipe: the next frames are those that would have come."""
        if state.get("beginning"):
            return  # as a new Optimization does
        self.step, self._done, self._stages = state["step"], False, None
        self.canvas.restore(self.recipe, state)
        self._travel.restore(state.get("journey"))
        if "gradient_scale" in state:
            self._scale.restore(state["gradient_scale"])
            self._dropped = round(float(self._scale.dropped))
        self._restore_chance(state)

    def _restore_chance(self, state: dict) -> None:
        """The generators as they were; where the state comes from another kind of device, whose numbers
        this one cannot draw, seeded anew by the recipe's seed and the step."""
        if self._host_generator is not self._generator and "host_generator" in state:
            self._host_generator.set_state(state["host_generator"].cpu())
        if state.get("device", self._device.type) == self._device.type:
            # States of earlier versions do not name their device: CUDA's are 16 bytes, the CPU's 5056.
            with contextlib.suppress(RuntimeError):
                self._generator.set_state(state["generator"].cpu())
                return
        self._generator.manual_seed(hash((self.recipe.seed, self.step)) % 2**63)
        if self._host_generator is self._generator and "host_generator" in state:
            self._host_generator.set_state(state["host_generator"].cpu())
        self._notices.append(
            _(
                "This run was begun on another kind of device: its chance is drawn anew from here on, so the "
                "picture differs from what it would have become there."
            )
        )
