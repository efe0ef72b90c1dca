"""A recipe's field ``init`` was called ``start`` in earlier versions, and is read by both names."""

import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixgen import api
from pixgen.recipe.base import current_path, set_field
from pixgen.recipe.options import Options, check_field, recipe_from
from pixgen.recipe.recipe import make_recipe, read_recipe
from pixgen.studio.grids.plans import make_axes, plan_grid, read_axis
from pixgen.studio.metadata.picture_info import KEY, read_info
from pixgen.studio.runs.run import read_run
from pixgen.studio.studio import Studio
from pixgen.ui.create.form_recipe import BaseRecipe
from tests.studio.fakes import Painters, a_recipe

FOX = {"prompts": "a red fox"}
SNOW = make_recipe(FOX, {"init": {"kind": "snow", "fit": "contain"}})
OLD_SNOW = make_recipe({"version": 1, **FOX}, {"init": {"kind": "snow", "fit": "contain"}})  # stored then
EARLIER = json.dumps({**FOX, "start": {"kind": "snow", "fit": "contain"}})


def test_a_recipe_in_json_is_read_by_the_earlier_name_and_written_by_todays():
    assert read_recipe(EARLIER) == OLD_SNOW
    assert json.loads(SNOW.to_json())["init"] == {"kind": "snow", "fit": "contain"}
    assert "start" not in json.loads(SNOW.to_json())


def test_partial_recipes_are_merged_across_both_names():
    assert make_recipe(FOX, {"start": {"kind": "snow"}}, {"init": {"fit": "contain"}}) == SNOW
    assert make_recipe(FOX, {"init": {"fit": "contain"}}, {"start": {"kind": "snow"}}) == SNOW
    both = {"init": {"kind": "snow"}, "start": {"kind": "grey", "fit": "contain"}}
    assert make_recipe(FOX, both) == SNOW


def test_only_the_first_name_of_a_path_is_an_earlier_one():
    assert current_path("start.sketch.pick") == "init.sketch.pick"
    assert current_path("losses.start_pixels") == "losses.start_pixels"
    assert current_path("start_pixels") == "start_pixels"


def test_fields_are_set_by_the_earlier_path():
    partial = {}
    set_field(partial, "start.kind=snow")
    set_field(partial, "init.fit=contain")
    assert make_recipe(FOX, partial) == SNOW
    check_field("start.sketch.pick=1")
    options = Options(prompt="a red fox", seed=0, assignments=("start.kind=snow", "start.fit=contain"))
    init = recipe_from(options).init
    assert (init.kind, init.fit) == ("snow", "contain")


@pytest.mark.parametrize("field", ["start", "init"])
def test_a_grid_varies_the_field_by_both_names(field):
    axes = make_axes({f"{field}.fit": ["contain", "cover"], field: ["snow", "grey"]})
    options = Options(prompt="a red fox", seed=0)
    cells = plan_grid(options, axes).cells
    assert [(cell.recipe.init.fit, cell.recipe.init.kind) for cell in cells] == [
        ("contain", "snow"),
        ("contain", "grey"),
        ("cover", "snow"),
        ("cover", "grey"),
    ]
    assert read_axis(f"{field}=snow").title(0) == "init snow"


def test_a_picture_of_an_earlier_version_is_read(tmp_path):
    texts = PngInfo()
    texts.add_itxt(KEY, EARLIER)
    Image.new("RGB", (4, 4)).save(tmp_path / "fox.png", pnginfo=texts)
    assert read_info(tmp_path / "fox.png").recipe == OLD_SNOW


def test_a_run_folder_of_an_earlier_version_is_read(tmp_path):
    with Studio(tmp_path, device="cpu", painter=Painters()) as studio:
        job = studio.submit(a_recipe(init={"kind": "snow"}))
        job.wait(20)
        path = job.run.folder / "recipe.json"
        kept = json.loads(path.read_text("utf-8"))
        kept["start"] = kept.pop("init")
        path.write_text(json.dumps(kept), "utf-8")
        assert read_run(studio.folder, job.id).recipe == job.recipe


def test_what_a_browser_kept_is_read():
    kept = json.dumps({"recipe": json.loads(EARLIER), "shown": {}, "name": "fox.png"})
    assert BaseRecipe.read(kept).recipe == OLD_SNOW


def test_python_takes_both_keywords():
    options = api._options(prompt="a red fox", start="snow")
    assert options == api._options(prompt="a red fox", init="snow")
    own, moves = api._split_options({"start": "snow", "zoom": 1.02})
    assert (own, moves) == ({"start": "snow"}, {"zoom": 1.02})
