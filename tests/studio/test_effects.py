"""Effects through the studio: their files are copied into the run, and what is finished can be saved as shapes."""

import numpy as np
import pytest
from PIL import Image

import pixgen
from pixgen.cli.app import main
from pixgen.errors import PictureError, RecipeError, StudioError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.grids.plans import plan_batch
from pixgen.studio.runs.inputs import keep_pictures
from pixgen.studio.runs.record import run_svg

SMALL = {"prompts": "a fox", "width": 32, "height": 32, "steps": 3, "seed": 3, "cutouts": {"count": 2}}
CUBE = "LUT_3D_SIZE 2\n" + "0.2 0.4 0.6\n" * 8


def painted(studio, fields, trusted=()):
    job = studio.submit(make_recipe(SMALL, fields), trusted=set(trusted))
    assert job.wait(120)
    assert job.error is None, job.error
    return job


def test_the_files_of_effects_are_kept_with_the_run(open_studio, real, tmp_path):
    (tmp_path / "a.cube").write_text(CUBE)
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(tmp_path / "o.png")
    paths = [str(tmp_path / name) for name in ("a.cube", "o.png")]
    fields = {"colouring": {"lookup": paths[0]}, "overlay": {"picture": paths[1], "every": 1}}
    job = painted(open_studio(real), fields, paths)
    assert job.recipe.colouring.lookup.startswith("inputs/")
    assert job.recipe.overlay.picture.startswith("inputs/")
    assert (np.asarray(Image.open(job.run.picture)) == (51, 102, 153)).all()


def test_a_broken_lookup_is_refused_before_anything_is_painted(open_studio, real, tmp_path):
    (tmp_path / "a.cube").write_text("hello")
    path = str(tmp_path / "a.cube")
    with pytest.raises(PictureError, match="is not a colour lookup"):
        open_studio(real).submit(make_recipe(SMALL, {"colouring": {"lookup": path}}), trusted={path})


def test_a_finished_picture_is_saved_as_svg(open_studio, real, tmp_path, capsys):
    def paint_cells(recipe, pictures, device, models):
        from pixgen.synthesis import Optimization, make_drawer

        tiny = real(make_recipe(SMALL), pictures, device, models)
        return Optimization(recipe, make_drawer(recipe), tiny._objective._perceptor, pictures=pictures)

    studio = open_studio(paint_cells)
    job = painted(studio, {"drawer": "pixels", "pixels": {"shape": "knit"}})
    pixgen.svg(job.run.folder, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<svg")
    arguments = ["svg", job.id, "--out", str(tmp_path / "b.svg"), "--output-dir", str(studio.folder)]
    assert main(arguments) == 0
    assert (tmp_path / "b.svg").read_text() == run_svg(job.run)
    assert "SVG: " in capsys.readouterr().out


def test_what_has_no_shapes_cannot_be_svg(open_studio, real):
    job = painted(open_studio(real), {})
    with pytest.raises(StudioError, match="Only pictures of the drawing method pixels or lines"):
        run_svg(job.run)


def test_a_batch_has_successive_seeds_on_an_even_sheet():
    plan = plan_batch(Options(prompt="a fox", seed=5), count=6)
    assert [cell.recipe.seed for cell in plan.cells] == [5, 6, 7, 8, 9, 10]
    assert (len(plan.columns), len(plan.rows)) == (3, 2)
    assert {cell.recipe.prompt for cell in plan.cells} == {"a fox"}
    assert plan_batch(Options(prompt="a fox"), count=1).columns == ("",)
    with pytest.raises(RecipeError, match="A batch has 1 to"):
        plan_batch(Options(prompt="a fox"), count=0)


def test_options_name_effects():
    recipe = recipe_from(Options(prompt="a", wall="both", overlay="a.png", lookup="b.cube", audio="c.mp3"))
    assert recipe.wall.kind == "both"
    assert recipe.overlay.picture == "a.png"
    assert recipe.colouring.lookup == "b.cube"
    assert recipe.journey.audio == "c.mp3"
    with pytest.raises(RecipeError, match="either from a .cube file or from a picture"):
        recipe_from(Options(prompt="a", lookup="b.cube", colours_of="a.png"))


@pytest.mark.parametrize(
    "fields",
    [
        {"init": {"kind": "picture", "picture": "walk.mp4"}},
        {"init": {"kind": "picture", "picture": "fox.png", "mask": "walk.mp4"}},
        {"losses": {"style": {"weight": 1, "picture": "walk.mp4"}}},
        {"losses": {"palette": {"weight": 1, "picture": "walk.mp4"}}},
        {"overlay": {"every": 5, "picture": "walk.mp4"}},
        {"prompts": "a fox @[walk.mp4] | [walk.mp4]"},
    ],
)
def test_a_video_is_a_region_and_no_other_picture(tmp_path, fields):
    def find(name):
        return tmp_path / name

    Image.new("RGB", (8, 8)).save(tmp_path / "fox.png")
    (tmp_path / "walk.mp4").write_bytes(b"a video")
    recipe = make_recipe({"prompts": "a fox"}, fields)
    with pytest.raises(PictureError, match=r"“walk\.mp4” is a video"):
        keep_pictures(recipe, tmp_path / "run", find=find)
