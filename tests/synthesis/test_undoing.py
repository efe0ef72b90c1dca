"""A step that memory breaks off anywhere is as if it had not begun."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import OutOfMemory
from pixgen.models.sketchers.pocket import CellHead
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, SketchModel, canvas, make_drawer
from pixgen.synthesis.cutouts.cutouts import CutoutBatch
from pixgen.synthesis.drawers.masked import MaskedDrawer

BASE = {
    "prompts": "a red fox",
    "width": 32,
    "height": 32,
    "steps": 4,
    "seed": 3,
    "average": 0.5,
    "cutouts": {"count": 3},
    "optimizer": {"learning_rate": 0.6},
    "losses": {"start_latent": 0.1, "start_pixels": 0.1},
}


class Fault:
    """Memory runs out when it is passed for the ``at``-th time, and so on for ``times`` times."""

    def __init__(self, at: int, *, times: int = 1) -> None:
        self.passed, self.faults = 0, range(at, at + times)

    def pass_by(self, *_):
        self.passed += 1
        if self.passed in self.faults:
            raise torch.OutOfMemoryError("out of memory (injected)")

    def after(self, function):
        def done(*arguments, **named):
            found = function(*arguments, **named)
            self.pass_by()
            return found

        return done

    def on_the_way_back(self, function):
        def done(*arguments, **named):
            found = function(*arguments, **named)
            if found.requires_grad:
                found.register_hook(self.pass_by)
            return found

        return done


def half_stepped(fault: Fault):
    """An Adam that is broken off when one of its moments has moved and the other has not."""
    whole = torch.optim.Adam.step

    def step(self):
        for state in self.state.values():
            kept = state["exp_avg"].clone()
            state["exp_avg"].mul_(0.5)
            state["step"] += 1
            fault.pass_by()
            state["exp_avg"].copy_(kept)
            state["step"] -= 1
        whole(self)

    return step


def put(fault: Fault, where: str, painting: Optimization, monkeypatch) -> None:
    """Let memory run out in a part of a step."""
    drawer, perceptor = painting.canvas.drawer, painting._objective._perceptor
    match where:
        case "the decoder":
            monkeypatch.setattr(drawer, "draw", fault.after(drawer.draw))
        case "the cutouts":
            see = CutoutBatch.see
            monkeypatch.setattr(CutoutBatch, "see", fault.after(see))
        case "CLIP":
            monkeypatch.setattr(perceptor, "embed_images", fault.after(perceptor.embed_images))
        case "the way back through CLIP":
            looking = fault.on_the_way_back(perceptor.embed_images)
            monkeypatch.setattr(perceptor, "embed_images", looking)
        case "the way back through the decoder":
            monkeypatch.setattr(drawer, "draw", fault.on_the_way_back(drawer.draw))
        case "the middle of the optimizer's step":
            monkeypatch.setattr(torch.optim.Adam, "step", half_stepped(fault))
        case "the bounds":
            monkeypatch.setattr(drawer, "project", fault.after(drawer.project))
        case "the figures":
            monkeypatch.setattr(painting, "_frame", fault.after(painting._frame))
        case "what comes after a step":
            monkeypatch.setattr(painting._camera, "advance", fault.after(painting._camera.advance))


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor, tiny_sketcher):
    def start(*parts, **options) -> Optimization:
        recipe = parts[0] if isinstance(parts[0], Recipe) else make_recipe(BASE, *parts)
        drawer = make_drawer(recipe, tiny_vqgan, pictures=options.get("pictures"))
        sketch_model = SketchModel(tiny_sketcher, tiny_vqgan, tiny_perceptor)
        return Optimization(recipe, drawer, tiny_perceptor, sketch_model=sketch_model, **options)

    return start


def pictures(painting) -> list[np.ndarray]:
    return [frame.picture for frame in painting]


def same(first, second) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


@pytest.mark.parametrize(
    "where",
    [
        "the decoder",
        "the cutouts",
        "CLIP",
        "the way back through CLIP",
        "the way back through the decoder",
        "the middle of the optimizer's step",
        "the bounds",
        "the figures",
        "what comes after a step",
    ],
)
def test_a_step_that_was_broken_off_once_is_done_again_and_paints_the_same(where, paint, monkeypatch):
    whole = pictures(paint({}))
    painting, fault = paint({}), Fault(at=2)
    put(fault, where, painting, monkeypatch)
    frames = list(painting)
    assert fault.passed > fault.faults.start  # it was there, and was passed again
    assert same([frame.picture for frame in frames], whole)
    assert painting.recipe == make_recipe(BASE)  # nothing had to be done with less
    assert not any(frame.notice for frame in frames)


@pytest.mark.parametrize("motion", [{"zoom": "1.1"}, {"zoom": "1.1", "where": "latent"}])
def test_on_a_journey_the_view_moves_once(motion, paint, monkeypatch):
    part = {"average": 0, "losses": {"start_pixels": 0}, "journey": {"every": 2, "smooth": 0.3, **motion}}
    whole = pictures(paint(part))
    painting = paint(part)
    put(Fault(at=2), "what comes after a step", painting, monkeypatch)
    assert same(pictures(painting), whole)


def test_a_canvas_that_could_not_grow_grows_at_the_next_try(paint, monkeypatch):
    part = {"grow": {"at": "0.5"}, "width": 64, "height": 64}
    whole = pictures(paint(part))
    painting, fault = paint(part), Fault(at=1)
    monkeypatch.setattr(canvas, "resize_moments", fault.after(canvas.resize_moments))
    assert same(pictures(painting), whole)
    assert fault.passed == 2


def test_when_nothing_helps_what_is_left_is_the_last_whole_step(paint, monkeypatch):
    painting = paint({})
    next(painting), next(painting)
    before = painting.state()
    put(Fault(at=1, times=99), "the middle of the optimizer's step", painting, monkeypatch)
    with pytest.raises(OutOfMemory):
        next(painting)
    monkeypatch.undo()
    other = paint({})
    other.restore(before)
    lighter = painting.recipe
    resumed = paint(lighter)
    resumed.restore(painting.state())
    for name in ("latent", "average", "generator", "start_pixels"):
        assert torch.equal(painting.state()[name], before[name])
    assert same(pictures(resumed), pictures(painting))


def test_a_picture_that_cannot_be_read_as_a_whole_is_read_in_tiles(paint, monkeypatch):
    photo = Image.radial_gradient("L").convert("RGB")
    part = {
        "width": 160,
        "height": 160,
        "steps": 0,
        "init": {"kind": "picture", "picture": "a.png"},
    }
    encode = Vqgan._encode

    def short(self, read):
        if max(read.shape[-2:]) > 32 * 4:
            raise torch.OutOfMemoryError("out of memory (injected)")
        return encode(self, read)

    monkeypatch.setattr(Vqgan, "_encode", short)
    painting = paint(part, pictures={"a.png": photo})
    frame = next(painting)
    assert painting.recipe.engine.encode_tile == 32
    assert "encoded in tiles of 32 codes" in frame.notice
    assert same([frame.picture], pictures(paint(painting.recipe, pictures={"a.png": photo})))


def test_sketches_that_do_not_fit_are_sampled_fewer_at_once(paint, monkeypatch):
    part = {
        "steps": 1,
        "losses": {"start_pixels": 0},
        "init": {"kind": "sketch", "sketch": {"candidates": 4}},
    }
    cell = CellHead.cell

    def short(self, hidden, before, number):
        if len(hidden) > 4:  # two candidates, each with and without what is wanted
            raise torch.OutOfMemoryError("out of memory (injected)")
        return cell(self, hidden, before, number)

    monkeypatch.setattr(CellHead, "cell", short)
    painting = paint(part)
    frames = list(painting)
    assert painting.recipe.engine.sketches == 2
    assert [frame.step for frame in frames] == [-4, -3, -2, -1, 0, 1]
    assert "sketches are sampled 2 at a time" in frames[0].notice
    assert len(frames[-1].candidates) == 4
    again = paint(painting.recipe)
    assert same([frame.picture for frame in frames], pictures(again))


def test_what_is_kept_of_a_picture_is_read_where_too_little_memory_is_answered(
    paint, monkeypatch, red_picture
):
    mask = Image.new("L", (160, 160), 0)
    mask.paste(255, (0, 0, 80, 80))
    given = {"a.png": red_picture.resize((160, 160)), "m.png": mask.convert("RGB")}
    part = {
        "width": 160,
        "height": 160,
        "steps": 1,
        "losses": {"start_pixels": 0},
        "init": {"kind": "picture", "picture": "a.png", "mask": "m.png", "fill": "codes"},
    }
    encode = Vqgan._encode
    monkeypatch.setattr(Vqgan, "_encode", Fault(at=1).after(encode))
    painting = paint(part, pictures=given)
    assert isinstance(painting.canvas.drawer, MaskedDrawer)
    assert [frame.step for frame in painting] == [0, 1]
