"""The studio with a real optimization: tiny models, real pixels."""

import numpy as np
import pytest
from PIL import Image

from pixgen.recipe.recipe import make_recipe
from tests.studio.fakes import stopped


@pytest.fixture
def recipe(tmp_path, red_picture):
    """What needs everything that is saved: chance, moments, an average, a picture, a schedule."""
    red_picture.save(tmp_path / "red.png")
    return make_recipe({
        "prompts": f"a fox | [{tmp_path}/red.png]:0.5", "width": 32, "height": 32, "steps": 6, "seed": 3,
        "cutouts": {"count": 4}, "average": 0.5,
        "init": {"kind": "picture", "picture": f"{tmp_path}/red.png"},
    })  # fmt: skip


def test_a_real_run_resumes_to_the_very_same_pixels(open_studio, real, recipe):
    studio = open_studio(real)
    whole = studio.submit(recipe)
    assert whole.wait(60)
    assert (whole.state, whole.error) == ("done", None)
    job = stopped(studio, recipe, 2)
    studio.close()
    resumed = open_studio(real).resume(job.id)
    assert resumed.wait(60)
    assert (resumed.frame.picture == whole.frame.picture).all()
    assert (np.asarray(Image.open(resumed.run.picture)) == whole.frame.picture).all()
    assert resumed.run.similarities == whole.run.similarities
    assert [label for label, _ in resumed.run.similarities] == ["a fox", "red.png"]


def test_a_real_run_is_given_a_picture_while_it_paints(open_studio, real, tmp_path, red_picture):
    red_picture.save(tmp_path / "red.png")
    studio = open_studio(real)
    plain = make_recipe({"prompts": "a fox", "width": 32, "height": 32, "steps": 40})
    job = studio.submit(plain)
    next(job_status for job_status in job.watch(rate=1e6) if job_status.frame is not None)
    job.change(prompts=f"[{tmp_path}/red.png]", learning_rate=0.01)
    assert job.wait(60)
    assert (job.state, job.error) == ("done", None)
    assert [label for label, _ in job.frame.similarities] == ["red.png"]


TURNS = [{"prompts": "a blue car"}, {"weights": {2: 3.0}}, {"learning_rate": 0.9}]


def small(**fields):
    base = {"prompts": "a fox | snow:0.5", "width": 32, "height": 32, "steps": 8, "seed": 3}
    return make_recipe(base, {"cutouts": {"count": 4}, "optimizer": {"learning_rate": 0.6}}, fields)


def whole(studio, recipe):
    job = studio.submit(recipe)
    assert job.wait(60)
    assert job.error is None
    return job.frame.picture


@pytest.mark.parametrize("turn", TURNS)
def test_what_turned_while_it_was_painted_is_painted_the_same_anew(open_studio, real, turn):
    def turning(recipe, pictures, device, models):
        painter = real(recipe, pictures, device, models)
        first = next(painter)
        if not recipe.changes:
            jobs[0].change(**turn)
        return Rest(first, painter)

    jobs = []
    studio = open_studio(turning)
    plain = whole(open_studio(real), small())
    job = studio.submit(small(), on_load=jobs.append)
    assert job.wait(60)
    assert [change.step for change in job.recipe.changes] == [1]
    assert (job.frame.picture != plain).any()
    assert (whole(open_studio(real), job.recipe) == job.frame.picture).all()


class Rest:
    """A painter whose first frame was taken already."""

    def __init__(self, first, painter):
        self.first, self.painter = first, painter

    def __getattr__(self, name):
        return getattr(self.painter, name)

    def __next__(self):
        first, self.first = self.first, None
        return next(self.painter) if first is None else first


@pytest.mark.parametrize("turn", TURNS)
def test_a_fork_is_painted_the_same_anew(open_studio, real, turn):
    studio = open_studio(real)
    parent = stopped(studio, small(), 3)
    fork = studio.fork(parent.id, **turn)
    assert fork.wait(60)
    assert (whole(studio, fork.recipe) == fork.frame.picture).all()


@pytest.mark.parametrize("schedule", ["constant", "cosine", "drop"])
def test_more_steps_paint_what_the_longer_recipe_paints(open_studio, real, schedule):
    studio = open_studio(real)
    short = small(optimizer={"schedule": schedule}, average=0.5)
    job = studio.submit(short)
    assert job.wait(60)
    longer = studio.resume(job.id, steps=12)
    assert longer.wait(60)
    assert (whole(studio, longer.recipe) == longer.frame.picture).all()
    at_once = whole(studio, short.model_copy(update={"steps": 12}))
    assert (at_once == longer.frame.picture).all() == (schedule == "constant")


def test_a_picture_that_has_grown_goes_on_as_large_as_it_is(open_studio, real):
    studio = open_studio(real)
    grows = {"width": 64, "height": 64, "grow": {"at": [0.8]}}
    job = studio.submit(small(**grows, optimizer={"schedule": "constant"}))
    assert job.wait(60)
    longer = studio.resume(job.id, steps=12)
    assert longer.wait(60)
    assert longer.error is None
    assert (whole(studio, longer.recipe) == longer.frame.picture).all()


def test_a_run_that_is_stopped_while_it_is_sketched_has_done_no_step(
    open_studio, tiny_vqgan, tiny_perceptor, tiny_sketcher
):
    from pixgen.synthesis import Optimization, SketchModel, make_drawer

    def sketched(recipe, pictures, device, models):
        sketch_model = SketchModel(tiny_sketcher, tiny_vqgan, tiny_perceptor)
        return Optimization(
            recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor, sketch_model=sketch_model
        )

    recipe = make_recipe(
        {
            "prompts": "a fox",
            "width": 32,
            "height": 32,
            "steps": 3,
            "cutouts": {"count": 2},
            "init": {"kind": "sketch", "sketch": {"candidates": 2}},
        }
    )
    studio = open_studio(sketched)
    whole = studio.submit(recipe)
    assert whole.wait(60)
    job = stopped(studio, recipe, -5)
    assert (job.state, job.run.step) == ("stopped", 0)
    resumed = studio.resume(job.id)
    assert resumed.wait(60)
    assert (resumed.frame.picture == whole.frame.picture).all()
    job = stopped(studio, recipe, -5)
    fork = studio.fork(job.id, prompts="an owl")
    assert fork.wait(60)
    assert (fork.state, fork.error) == ("done", None)
