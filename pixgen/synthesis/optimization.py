"""The optimization loop: move a latent until CLIP finds that the decoded picture matches the prompts.

One step is: quantize, decode, cutouts, CLIP, loss, backward to the latent, the optimizer's step, and a
clamp to the codebook's bounds. Source of the method: Crowson et al., arXiv 2204.08583.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeVar

import torch

from pixgen.messages import _, join_messages
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.runtime import use_engine
from pixgen.recipe.prompts import Scene, parse
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.canvas import Canvas
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.filters import blend_overlay, colour_filter, overlay_picture
from pixgen.synthesis.frames import Frame, PendingMetrics
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
from pixgen.synthesis.objective import Metrics, Objective, sum_losses
from pixgen.synthesis.precision import GradientScale, arithmetic, resolve_precision
from pixgen.synthesis.scenes import SceneSketches, sound_at
from pixgen.synthesis.sketch.session import SketchModel, UnClipModel
from pixgen.synthesis.tensors import start_copy, upload
from pixgen.synthesis.upscale import enlarge

LowerMemory = Callable[[Recipe, torch.device, Stage], Recipe | None]  # as ``lower_memory``
T = TypeVar("T")


class Optimization(Iterator[Frame]):
    """Paints a recipe: an iterator of frames. Frame 0 shows the initial picture, then one follows each step.

    While a transformer samples the initial picture, there are frames before frame 0: their step counts up
    from below 0.

    Args:
        recipe: what to paint.
        drawer: the drawer that the recipe names, on the device of the models; its latent is initialised here.
        perceptor: one CLIP or several, on the same device.
        pictures: every path that the recipe names, with its opened picture, or ``VideoFrames`` for a video.
        sketch_model: samples the initial picture, for recipes that ask for a sketch.
        mark: called with a stage's name when the stage ends: decode, cutouts, clip, backward, rest.

    Every random number comes from generators that the recipe seeds. Use an object on one thread only.
    Raises OutOfMemory.
    """

    def __init__(
        self,
        recipe: Recipe,
        drawer: Drawer,
        perceptor: Perceptor | Perceptors,
        *,
        pictures: Mapping[str, Any] | None = None,
        sketch_model: SketchModel | UnClipModel | None = None,
        mark: Callable[[str], None] = lambda stage: None,
    ) -> None:
        recipe = resolve_precision(recipe, drawer.latent.device)
        self.recipe, self.step = recipe, 0
        # Not copied: a caller may add pictures while painting.
        self._pictures, self._mark = {} if pictures is None else pictures, mark
        self._device = drawer.latent.device
        self._generator = torch.Generator(self._device).manual_seed(recipe.seed)
        # Cutouts are placed on the CPU: they are the same on every device, and no device waits for the host.
        self._host_generator = (
            self._generator if self._device.type == "cpu" else torch.Generator().manual_seed(recipe.seed)
        )
        self._finished = False
        self._stage: Stage = (
            "drawing"  # what runs now, so that running out of memory is answered by its cause
        )
        self._scale = GradientScale(self._device)
        self._reported_recipe = recipe  # as the newest frame's notice knows it
        self._notices: list[str] = []  # for the next frame
        self._previous_metrics, self._reported_dropped = PendingMetrics({}, {}), 0
        self._objective = Objective(
            recipe,
            perceptor,
            pictures=self._pictures,
            generator=self._generator,
            host_generator=self._host_generator,
            scale=self._scale,
            mark=mark,
        )
        self._colours = colour_filter(recipe.colouring, self._pictures, self._device)
        self._overlay: torch.Tensor | None = None  # fitted to the canvas
        self.canvas = Canvas(recipe, drawer, pictures=self._pictures)
        self._sketch_model = sketch_model
        self._restart(self._generator.get_state())
        if not recipe.init.needs_sketcher:  # takes a moment, and has no frames
            self._initialise(perf_counter())
        self._scenes = SceneSketches(
            recipe,
            drawer,
            pictures=self._pictures,
            similarity=self._objective.similarity,
            sketch_model=sketch_model,
        )
        self._camera = CameraMotion(recipe, drawer, pictures=self._pictures, optimizer=self.canvas.optimizer)

    def __next__(self) -> Frame:
        if self._finished:
            raise StopIteration
        begun = perf_counter()
        if self._init_stages is not None and (frame := self._initialise(begun)) is not None:
            return self._with_notices(frame)
        if self.step < self.recipe.steps:
            frame = self._retry_with_less_memory(self._step, begun)
            self.step += 1
        else:
            frame = self._retry_with_less_memory(self._evaluate_last, begun, lower=lower_memory_of_final)
            self._finished = True
        return self._with_notices(frame)

    # The initial picture

    def _restart(self, generator_state: torch.Tensor) -> None:
        """Go back to before the initial picture, with the generator in a state."""
        self._generator.set_state(generator_state)
        width, height = self.recipe.canvas(self.canvas.stage)
        self._initialisation = Initialisation(
            self.recipe.model_copy(update={"width": width, "height": height}),
            self.canvas.drawer,
            pictures=self._pictures,
            generator=self._generator,
            similarity=self._objective.similarity,
            sketch_model=self._sketch_model,
        )
        self._first_generator_state = generator_state
        self._init_stages: Iterator[tuple[int, torch.Tensor]] | None = iter(self._initialisation)

    def _initialise(self, begun: float) -> Frame | None:
        """The next frame of the initialisation, or None when the canvas holds the initial picture. If memory
        runs out, the initialisation starts again."""
        return self._retry_with_less_memory(
            self._next_init_frame, begun, save=lambda: self._first_generator_state, undo=self._restart
        )

    def _next_init_frame(self, begun: float) -> Frame | None:
        self._stage = "sketching" if self.recipe.init.needs_sketcher else "encoding"
        assert self._init_stages is not None
        step, picture = next(self._init_stages, (0, None))
        if picture is not None:
            seconds, draw = perf_counter() - begun, self._full_size(lambda: picture)
            return Frame(step, self.recipe.steps, PendingMetrics({}, {}), seconds, draw)
        self.canvas.set_start(self.canvas.latent.detach(), self._initialisation.pixels)
        self._init_stages = None
        return None

    # One step

    def _step(self, begun: float) -> Frame:
        """One step: grow if it is time, evaluate and optimize, then move on in the story or the journey."""
        self._stage = "encoding"
        self.canvas.grow(self.recipe, self.step)
        frame = self._optimize(begun)
        self._advance()
        return frame

    def _optimize(self, begun: float) -> Frame:
        """Evaluate the picture of this step, then move the latent by its gradient."""
        smoothed = self._smoothed()
        latent = self.canvas.latent  # (1, C, h, w) of a VQGAN; other drawers have their own shapes
        with torch.enable_grad(), arithmetic(self.recipe, self._device):
            drawn = self._draw()  # (1, 3, H, W) in [0, 1]
            self._mark("decode")
            # Detached: cutouts may come in batches, each with its backward pass to the picture; the decoder
            # is passed backwards once, with their sum.
            picture = drawn.detach().requires_grad_()
            similarities, losses = self._evaluate(picture, backward=True)  # picture.grad: (1, 3, H, W)
            self._stage = "drawing"
            drawn.backward(picture.grad)  # latent.grad: the latent's shape
        assert latent.grad is not None
        self._scale.unscale(latent.grad, self.recipe)
        self._mark("backward")
        losses |= self._latent_losses()
        self.canvas.move(self._learning_rate())
        self._mark("rest")
        return self._frame(begun, similarities, losses, smoothed, drawn.detach())

    @torch.no_grad()
    def _evaluate_last(self, begun: float) -> Frame:
        """The last frame: the picture is evaluated and nothing moves. Generators and the average are put
        back, so that a run that gets more steps later paints what a longer run would have painted."""
        self._stage = "encoding"
        self.canvas.grow(self.recipe, self.step)
        device_state, host_state = self._generator.get_state(), self._host_generator.get_state()
        average = self.canvas.average.sum.clone()
        smoothed = self._smoothed()
        with arithmetic(self.recipe, self._device):
            drawn = self._draw()
            similarities, losses = self._evaluate(drawn, backward=False)
        self._generator.set_state(device_state)
        self._host_generator.set_state(host_state)
        self.canvas.average.sum = average
        return self._frame(begun, similarities, losses, smoothed, drawn)

    def _draw(self) -> torch.Tensor:
        self._stage = "drawing"
        drawn = self._coloured(self.canvas.drawer.draw())
        self._stage = "looking"
        return drawn

    def _coloured(self, drawn: torch.Tensor) -> torch.Tensor:
        """A picture with its colours looked up, where the recipe says so."""
        return drawn if self._colours is None else self._colours(drawn)

    def _evaluate(self, picture: torch.Tensor, *, backward: bool) -> tuple[Metrics, Metrics]:
        start = self.canvas.start_pixels
        return self._objective.evaluate(picture, self.recipe, self.step, start=start, backward=backward)

    def _latent_losses(self) -> Metrics:
        """Losses of the latent itself; their gradients are added to the latent's."""
        losses = self._objective.losses.of_latent(self.canvas.latent, self.canvas.start_latent)
        if losses:
            sum_losses(losses).backward()
        return {name: loss.detach() for name, loss in losses.items()}

    def _learning_rate(self) -> float:
        """The learning rate of this step: the one in force, times the schedule over all steps."""
        recipe, step = self.recipe, self.step
        moment = replace(recipe.journey.moment(step), sound=sound_at(recipe, step, self._pictures))
        factor = recipe.optimizer.rate_factor(recipe.progress(step)) * recipe.optimizer.factor_at(moment)
        return recipe.learning_rate(step) * factor

    def _advance(self) -> None:
        """Move on after a step: in a story towards the next scene, on a journey to the next frame. On a
        journey over a video, losses that hold the picture near the start hold it near the video's frame."""
        self._stage = "sketching" if self.recipe.story.sketch else "encoding"
        self._scenes.advance(self.recipe, self.step)
        if self.recipe.overlay.applies(self.step + 1, self.recipe.progress(self.step)):
            self._blend_overlay()
        picture = self._camera.advance(self.step)
        if picture is not None:
            needs_pixels = self.canvas.start_pixels is not None
            assert self._camera.video_latent is not None
            self.canvas.set_start(self._camera.video_latent, picture if needs_pixels else None)

    @torch.no_grad()
    def _blend_overlay(self) -> None:
        """Blend the recipe's overlay into the canvas."""
        drawer = self.canvas.drawer
        drawn = drawer.draw().float()
        height, width = drawn.shape[-2:]
        if self._overlay is None or self._overlay.shape[-2:] != drawn.shape[-2:]:
            made = overlay_picture(self.recipe, self._pictures, width=width, height=height)
            self._overlay = upload(made, self._device)
        drawer.start_from(blend_overlay(drawn, self._overlay))

    # Frames

    def _frame(
        self,
        begun: float,
        similarities: Metrics,
        losses: Metrics,
        smoothed: Callable[[], torch.Tensor] | None,
        drawn: torch.Tensor,
    ) -> Frame:
        """The frame of a step, from the picture ``(1, 3, H, W)`` that was drawn in it: no second decode,
        unless a smoothed latent is shown."""
        full_size = drawn.shape[-2:] == (self.recipe.height, self.recipe.width)
        copied = start_copy(drawn[0]) if full_size and smoothed is None else None
        metrics = PendingMetrics(similarities, losses, self._scale.dropped)
        seconds = perf_counter() - begun
        return Frame(
            self.step,
            self.recipe.steps,
            metrics,
            seconds,
            self._full_size(smoothed or (lambda: drawn)),
            self._initialisation.candidates,
            copied=copied,
            cutouts=self._objective.cutout_sheet,
        )

    def _full_size(self, draw: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """Draw a picture in the recipe's size, however far the canvas has grown."""
        width, height = self.recipe.width, self.recipe.height
        return lambda: enlarge(draw(), width=width, height=height)

    def _smoothed(self) -> Callable[[], torch.Tensor] | None:
        """What draws the latent that a frame shows where this is not the canvas's: the moving average, or on
        a journey the blend with the frame before."""
        latent = self.canvas.average.update(self.canvas.latent.detach(), self.step)
        if latent is None:
            latent = self._camera.smoothed()
        if latent is None:
            return None

        def draw() -> torch.Tensor:
            with torch.no_grad(), arithmetic(self.recipe, self._device):
                return self._coloured(self.canvas.drawer.draw(latent))

        return draw

    def _with_notices(self, frame: Frame) -> Frame:
        """A frame with a notice of what changed since the last one because memory was short, and of anything
        else that a person should know."""
        before, self._reported_recipe = self._reported_recipe, self.recipe
        self._report_dropped(frame.metrics)
        notices, self._notices = dict.fromkeys(self._notices), []
        sentences = [each for each in (describe_changes(before, self.recipe), *notices) if each]
        return replace(frame, notice=join_messages(sentences, _("{first} {second}")) if sentences else "")

    def _report_dropped(self, metrics: PendingMetrics) -> None:
        """Add a notice if gradients were dropped. Their number may come a step late: nothing waits for a
        GPU."""
        newest = next((each for each in (metrics, self._previous_metrics) if each.is_ready()), None)
        self._previous_metrics = metrics
        if newest is not None and newest.dropped > self._reported_dropped:
            self._reported_dropped = newest.dropped
            self._notices.append(
                _(
                    "A gradient was not finite, so its step was skipped ({count} so far). If this "
                    "continues, lower the weights of the losses or set precision=float32.",
                    count=self._reported_dropped,
                )
            )

    # Memory

    def _retry_with_less_memory(
        self,
        work: Callable[[float], T],
        begun: float,
        *,
        lower: LowerMemory = lower_memory,
        save: Callable[[], Any] | None = None,
        undo: Callable[[Any], None] | None = None,
    ) -> T:
        """Do some work. Where memory runs out, undo it and try again: once unchanged, as cached memory may
        have been all that was in the way, then with a recipe that needs less, as long as there is one.

        Args:
            save, undo: take a state before the work, and go back to it; by default ``state`` and ``restore``.

        Raises OutOfMemory.
        """
        lighter: Recipe | None = self.recipe
        unchanged = True
        with memory_guard(self.recipe):
            while True:
                before = None
                try:
                    before = (save or self.state)()
                    with use_engine(self.recipe.engine, tell=self._notices.append):
                        return work(begun)
                except RuntimeError as error:
                    if not is_out_of_memory(error):
                        raise
                # Outside of the except clause, whose error holds on to the tensors of the failed work.
                if not unchanged:
                    lighter = lower(self.recipe, self._device, self._stage)
                self.recipe, unchanged = lighter or self.recipe, False
                self.canvas.latent.grad = None
                free_cache(self._device)
                if before is not None:
                    (undo or self.restore)(before)
                if lighter is None:
                    raise torch.OutOfMemoryError("nothing helps any more")

    # Changes and states

    def watch_cutouts(self, watch: bool) -> None:
        """Whether the next frames bring a sheet of the cutouts that CLIP saw; it costs a small copy."""
        self._objective.watch_cutouts = watch

    def change(
        self,
        *,
        prompts: str | tuple[Scene, ...] | None = None,
        learning_rate: float | None = None,
        translations: Mapping[str, str] | None = None,
    ) -> None:
        """Change prompts, as a text or as scenes, or the learning rate from the next step on; the
        recipe records it.

        Args:
            translations: as for ``Recipe.with_change``.

        Raises RecipeError if the prompts are not allowed.
        """
        scenes = parse(prompts) if isinstance(prompts, str) else prompts
        self.recipe = self.recipe.with_change(
            self.step, prompts=scenes, learning_rate=learning_rate, translations=translations
        )

    def state(self) -> dict:
        """All that the next frames depend on: tensors and numbers, safe to save and to load.

        An initial picture that is still being sampled is not part of it: it is sampled again, which is quick
        and gives the same picture.
        """
        if self._init_stages is not None:
            return {"step": self.step, "beginning": True}
        return {
            "step": self.step,
            **self.canvas.state(),
            "journey": self._camera.state(),
            "relevance": dict(self._objective.relevance),
            "generator": self._generator.get_state(),
            "host_generator": self._host_generator.get_state(),
            "device": self._device.type,
            "gradient_scale": self._scale.state(),
        }

    def restore(self, state: dict) -> None:
        """Continue from a state of the same recipe: the next frames are those that would have followed."""
        if state.get("beginning"):
            return  # as a new Optimization does
        self.step, self._finished, self._init_stages = state["step"], False, None
        self.canvas.restore(self.recipe, state)
        self._camera.restore(state.get("journey"))
        self._objective.relevance = dict(state.get("relevance", {}))
        if "gradient_scale" in state:
            self._scale.restore(state["gradient_scale"])
            self._reported_dropped = round(float(self._scale.dropped))
        self._restore_generators(state)

    def _restore_generators(self, state: dict) -> None:
        """Put the generators back. A state of another kind of device has numbers that this one cannot draw:
        then they are seeded by the recipe's seed and the step."""
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
                "This run was started on another kind of device: from here on its random numbers differ, "
                "so the picture differs from what that device would have painted."
            )
        )
