"""Grids: what varies, cells that are runs of their own, stopping, going on, and the sheet."""

import json

import pytest

from pixgen.cli.app import main
from pixgen.errors import RecipeError, StudioError
from pixgen.images import open_picture
from pixgen.recipe.options import Options
from pixgen.studio.grids.grid import EMPTY, Grid, draw_sheet, mean_similarity
from pixgen.studio.grids.plans import Axis, make_axes, plan_grid, read_axis

SMALL = Options(prompt="a red fox | snow:0.5", seed=7, size="32x32", steps=3)


def planned(*texts, options=SMALL):
    return plan_grid(options, [read_axis(text) for text in texts])


def colours(picture):
    """Every colour in a picture."""
    return {colour for _, colour in picture.convert("RGB").getcolors(2**24)}


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("seed=1-4", "seed", (1, 2, 3, 4)),
        ("weight of prompt 2: 0.2, 0.5, 1", "weight of prompt 2", (0.2, 0.5, 1)),
        ("preset=draft,best", "preset", ("draft", "best")),
        ('prompt=["a, b", "c"]', "prompt", ("a, b", "c")),
    ],
)
def test_an_axis_is_read(text, field, values):
    assert read_axis(text) == Axis(field, values)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["seed"], "write for example seed=1-4"),
        (["seed="], "has no values"),
        (["sead=1-3"], "choose prompts, translations, width"),
        (["seed=0-99999"], "at most 256"),
        (["seed=1-20", "steps=1-20"], "at most 256 pictures, not 400"),
        (["seed=1-2", "steps=1,2", "width=32,64"], "one or two fields"),
        (["seed=1-2", "seed=3-4"], "given twice"),
        (["weight of prompt 3=1,2"], "no prompt 3: .* has 2"),
        (["weight of prompt 2=1,9999"], "less than or equal to 1000"),
        (["prompt=[a"], "not a JSON list"),
        ([], "one or two fields"),
    ],
)
def test_a_bad_axis_is_one_clear_sentence(texts, said):
    with pytest.raises(RecipeError, match=said):
        planned(*texts)


def test_the_first_axis_goes_down_and_the_second_across():
    plan = planned("seed=1-2", "weight of prompt 2=0.2,1,3")
    assert plan.rows == ("seed 1", "seed 2")
    assert plan.columns == tuple(f"weight of prompt 2 {weight}" for weight in (0.2, 1, 3))
    cells = [(cell.recipe.seed, cell.recipe.prompts[0][1].weight) for cell in plan.cells]
    assert cells == [(1, 0.2), (1, 1), (1, 3), (2, 0.2), (2, 1), (2, 3)]


def test_alternatives_are_an_axis_and_all_cells_share_a_drawn_seed():
    plan = planned("steps=1,2", options=Options(prompt=r"a {red|blue} fox \{x|y\}"))
    assert plan.rows == ("a red fox {x|y}", "a blue fox {x|y}")
    assert len({cell.recipe.seed for cell in plan.cells}) == 1


def test_beside_two_axes_the_seed_draws_the_alternative():
    plan = planned("seed=1-12", "steps=1,2", options=Options(prompt="a {red|blue} fox"))
    drawn = [cell.recipe.prompt for cell in plan.cells]
    assert set(drawn) == {"a red fox", "a blue fox"}
    assert drawn[0::2] == drawn[1::2]


def test_every_cell_is_in_the_style():
    plan = plan_grid(Options(prompt="a {red|blue} fox", styles=("neon",)), [read_axis("seed=1-2")])
    words = [cell.recipe.prompt for cell in plan.cells]
    assert words == ["neon sign of a red fox"] * 2 + ["neon sign of a blue fox"] * 2


def test_python_names_values_by_field():
    plan = plan_grid(SMALL, make_axes({"size": ["32x32", "64x32"], "init": ["snow"]}))
    assert [cell.recipe.width for cell in plan.cells] == [32, 64]


def test_every_cell_is_a_run_with_its_own_recipe(studio):
    grid = Grid.make(studio, planned("seed=1-2", "steps=2,3"))
    for _, job in grid.paint():
        job.wait()
    runs = grid.runs()
    assert [run.state for run in runs] == ["done"] * 4
    assert len({run.id for run in runs}) == 4
    assert [run.recipe for run in runs] == [cell.recipe for cell in grid.plan.cells]
    assert Grid.read(studio, grid.id).plan == grid.plan


def test_a_stopped_grid_keeps_what_is_done_and_goes_on(studio):
    grid = Grid.make(studio, planned("seed=1-3"))
    for index, job in grid.paint():
        job.wait()
        if index == 0:
            grid.stop()
    first = grid.runs()[0]
    assert (first.state, grid.runs()[1:]) == ("done", [None, None])

    again = Grid.read(studio, grid.id)
    painted = [index for index, _ in again.paint()]
    assert painted == [1, 2]
    assert again.runs()[0].id == first.id
    assert {run.state for run in again.runs()} == {"done"}


def test_who_leaves_stops_the_cell_at_hand(studio):
    grid = Grid.make(studio, planned("seed=1-2", options=Options(prompt="fox", size="32x32", steps=2000)))
    painting = grid.paint()
    _, job = next(painting)
    painting.close()
    assert job.ended
    assert [run and run.id for run in grid.runs()] == [job.id, None]


def test_a_grid_is_painted_by_one_at_a_time(studio):
    grid = Grid.make(studio, planned("seed=1-2"))
    painting = grid.paint()
    next(painting)
    with pytest.raises(StudioError, match="is being painted"):
        next(Grid.read(studio, grid.id).paint())
    painting.close()


@pytest.mark.parametrize("name", ["", "..", "grid-20260101-000000-abcdef"])
def test_a_grid_that_is_not_there_is_said(studio, name):
    with pytest.raises(StudioError, match="There is no grid"):
        Grid.read(studio, name)


def test_the_sheet_shows_every_cell_and_leaves_the_missing_ones_empty(studio):
    grid = Grid.make(studio, planned("seed=1-2"))
    for _, job in grid.paint():
        job.wait()
        grid.stop()
    done, missing = grid.runs()
    sheet = draw_sheet(grid.plan, [done, missing])
    assert EMPTY in colours(sheet)
    assert colours(open_picture(done.picture)) <= colours(sheet)
    assert EMPTY not in colours(draw_sheet(grid.plan, [done, done]))


def test_the_similarity_is_of_what_pulls(studio):
    job = studio.submit(planned("seed=1").cells[0].recipe)
    job.wait()
    cosines = dict(job.run.similarities)
    expected = (cosines["a red fox"] + 0.5 * cosines["snow"]) / 1.5
    assert mean_similarity(job.run) == pytest.approx(expected)


def test_the_command_writes_one_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = [
        "grid", "a {red|blue} fox", "--over", "seed=1-2", "--size", "32x32", "--steps", "1",
        "--set", "cutouts.count=1", "--init", "codes", "--device", "cpu", "--json",
        "--out", "sheet.png",
    ]  # fmt: skip
    assert main(command) == 0
    *cells, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert [cell["cell"] for cell in cells[:2]] == [
        ["a red fox", "seed 1"],
        ["a red fox", "seed 2"],
    ]
    assert last["cells"] == [cell["run"] for cell in cells]
    assert open_picture(tmp_path / "sheet.png").width > 64
    assert main(["grid", "--resume", last["grid"], "--json", "--out", "sheet.png"]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grid", "a fox"], "varies one or two fields"),
        (["grid", "a fox", "--over", "seed"], "seed=1-4"),
        (["grid", "a fox", "--resume", "x"], "own recipes"),
        (["grid", "--style", "neon", "--resume", "x"], "own recipes"),
        (["grid", "--seed", "0", "--resume", "x"], "own recipes"),
        (["grid", "a fox", "--over", "seed=1-2", "--style", "cubist"], "cubist"),
        (["grid", "--resume", "x", "--device", "cpu"], "There is no grid"),
        (["grid", "__nothing__", "--over", "seed=1-2"], "no word list"),
    ],
)
def test_bad_input_is_one_clear_sentence(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
