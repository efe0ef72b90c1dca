"""The studio with a real optimization: tiny models, real pixels."""

import numpy as np
import pytest
from PIL import Image

from pixgen.recipe import make_recipe


@pytest.fixture
def real(tiny_vqgan, tiny_perceptor):
    """Makes real painters, with tiny models."""
    from pixgen.synthesis import Optimization, make_drawer

    def make(recipe, pictures, device, models):
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, pictures=pictures)

    return make


@pytest.fixture
def recipe(tmp_path, red_picture):
    """What needs everything that is saved: chance, moments, an average, a picture, a schedule."""
    red_picture.save(tmp_path / "red.png")
    return make_recipe({
        "prompts": f"a fox | [{tmp_path}/red.png]:0.5", "width": 32, "height": 32, "steps": 6, "seed": 3,
        "cutouts": {"count": 4}, "average": 0.5,
        "start": {"kind": "picture", "picture": f"{tmp_path}/red.png"},
    })  # fmt: skip


def stopped(studio, recipe, step):
    job = studio.submit(recipe)
    for glimpse in job.watch(rate=1e6):
        if glimpse.frame is not None and glimpse.frame.step >= step:
            job.stop()
    assert job.error is None
    return job


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
    next(glimpse for glimpse in job.watch(rate=1e6) if glimpse.frame is not None)
    job.change(prompts=f"[{tmp_path}/red.png]", learning_rate=0.01)
    assert job.wait(60)
    assert (job.state, job.error) == ("done", None)
    assert [label for label, _ in job.frame.similarities] == ["red.png"]
