"""The loop: draw, cut, look, and move the latent to where CLIP sees the prompts.

One step is quantize, decode, cutouts, CLIP, loss, backward to the latent, the optimizer's step and a
clamp to the codebook's bounds. Source of the method: Crowson et al., arXiv 2204.08583.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from time import perf_counter

import torch
from PIL import Image

from pixgen.models.clip import Perceptor, Perceptors
from pixgen.prompts import Scene, parse
from pixgen.recipe import Change, Recipe
from pixgen.synthesis.beginning import Beginning
from pixgen.synthesis.canvas import Canvas
from pixgen.synthesis.drawers import Drawer
from pixgen.synthesis.enlarge import enlarge
from pixgen.synthesis.frames import Frame, copying
from pixgen.synthesis.judging import Figures, Judge
from pixgen.synthesis.memory import (
    free,
    is_out_of_memory,
    lightened,
    lightened_look,
    memory_guard,
    what_changed,
)  # fmt: skip
from pixgen.synthesis.precision import arithmetic, gradient_scale
from pixgen.synthesis.scenes import Scenes
from pixgen.synthesis.sketching import Sketchbook
from pixgen.synthesis.travel import Travel

Lighter = Callable[..., Recipe | None]  # as ``lightened``


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
        self.recipe, self.step = recipe, 0
        # Kept as it is given: pictures may be added to it while painting.
        self._pictures, self._mark = {} if pictures is None else pictures, mark
        self._device = drawer.latent.device
        self._generator = torch.Generator(self._device).manual_seed(recipe.seed)
        self._done = self._drawing = False
        self._judge = Judge(
            recipe, perceptor, pictures=self._pictures, generator=self._generator, mark=mark
        )
        self.canvas = Canvas(recipe, drawer, pictures=self._pictures)
        width, height = recipe.canvas(self.canvas.stage)
        self._beginning = Beginning(
            recipe.model_copy(update={"width": width, "height": height}), drawer,
            pictures=self._pictures, generator=self._generator, judge=self._judge.liking,
            sketchbook=sketchbook,
        )  # fmt: skip
        self._stages: Iterator[tuple[int, torch.Tensor]] | None = iter(self._beginning)
        if not recipe.start.sketched:  # nothing to see, and a moment's work
            with memory_guard(recipe):
                self._begin(perf_counter())
        self._scenes = Scenes(
            recipe, drawer, pictures=self._pictures, judge=self._judge.liking, sketchbook=sketchbook
        )
        self._travel = Travel(
            recipe, drawer, pictures=self._pictures, optimizer=self.canvas.optimizer
        )

    def _begin(self, begun: float) -> Frame | None:
        """What there is to see of the start's making; None when the start is made."""
        step, picture = next(self._stages, (0, None))
        if picture is not None:
            seconds, draw = perf_counter() - begun, self._whole(lambda: picture)
            return Frame(step, self.recipe.steps, (), {}, seconds, draw)
        self._stages = None
        self.canvas.starts(self.canvas.latent.detach(), self._beginning.pixels)
        return None

    def __next__(self) -> Frame:
        if self._done:
            raise StopIteration
        begun = perf_counter()
        with memory_guard(self.recipe):
            if self._stages is not None and (frame := self._begin(begun)) is not None:
                return frame
            self.canvas.grow(self.recipe, self.step)
            if self.step < self.recipe.steps:
                frame = self._sparing(self._move, lightened, begun)
                self._go_on()
                self.step += 1
            else:
                # The last picture is only looked at. What that changes is given back, so that a run
                # that later goes on draws what it would have drawn.
                give_back = self._kept()
                frame = self._sparing(self._look, lightened_look, begun)
                give_back()
                self._done = True
        return frame

    def _sparing(self, work: Callable[[float], Frame], lighter: Lighter, begun: float) -> Frame:
        """A step's ``work``, again with less at once for as long as memory does not suffice."""
        wanted = self.recipe
        while True:
            give_back = self._kept()
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
            self.canvas.latent.grad = None
            give_back()
            free(self._device)

    def _kept(self) -> Callable[[], None]:
        """What gives the chance and the average back as they are now."""
        chance, average = self._generator.get_state(), self.canvas.average.sum.clone()

        def give_back() -> None:
            self._generator.set_state(chance)
            self.canvas.average.sum = average

        return give_back

    def _go_on(self) -> None:
        """In a story: towards the next scene. On a journey: to the next frame, and what is to stay near
        the start stays near the video's."""
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
            self._drawing = True
            drawn.backward(picture.grad)
        self.canvas.latent.grad.div_(gradient_scale(self.recipe))
        self._mark("backward")
        losses |= self._latent_losses()
        self.canvas.move(self._rate())
        self._mark("rest")
        return self._frame(begun, similarities, losses, shown, drawn.detach())

    @torch.no_grad()
    def _look(self, begun: float) -> Frame:
        shown = self._shown()
        with arithmetic(self.recipe, self._device):
            drawn = self._draw()
            similarities, losses = self._judged(drawn, backward=False)
        return self._frame(begun, similarities, losses, shown, drawn)

    def _draw(self) -> torch.Tensor:
        """The picture; whether it is drawing is known if memory runs out."""
        self._drawing = True
        drawn = self.canvas.drawer.draw()
        self._drawing = False
        return drawn

    def _judged(self, picture: torch.Tensor, *, backward: bool) -> tuple[Figures, Figures]:
        start = self.canvas.start_pixels
        return self._judge.judge(picture, self.recipe, self.step, start=start, backward=backward)

    def _latent_losses(self) -> Figures:
        """Losses of the latent itself; their gradients are added to the latent's."""
        found = self._judge.wishes.of_latent(self.canvas.latent, self.canvas.start_latent)
        if found:
            sum(found.values()).backward()
        return {name: loss.detach() for name, loss in found.items()}

    def _rate(self) -> float:
        """The learning rate of this step: the one in force, times the schedule over all steps."""
        recipe, step = self.recipe, self.step
        return recipe.learning_rate(step) * recipe.optimizer.factor(recipe.part(step))

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
        }

    def restore(self, state: dict) -> None:
        """Go on from a state of the same recipe: the next frames are those that would have come."""
        if state.get("beginning"):
            return  # as a new Optimization does
        self.step, self._done, self._stages = state["step"], False, None
        self.canvas.restore(self.recipe, state)
        self._travel.restore(state.get("journey"))
        self._generator.set_state(state["generator"].cpu())
