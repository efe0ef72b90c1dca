"""Names of the Python API of earlier versions: scripts that use them still work."""

import pixgen
from pixgen.recipe import make_recipe
from pixgen.studio import Studio
from tests.studio.fakes import Painters


def test_film_is_video():
    assert pixgen.film is pixgen.video


def test_a_job_and_its_run_answer_to_their_earlier_names(tmp_path):
    recipe = make_recipe({"prompts": "a red fox", "width": 32, "height": 32, "steps": 2})
    with Studio(tmp_path, device="cpu", painter=Painters()) as studio:
        job = studio.submit(recipe)
        job.pause()
        job.go_on()
        assert job.wait(10)
        assert job.place == job.position
        assert job.glimpse() == job.status()
        assert job.run.film == job.run.video
