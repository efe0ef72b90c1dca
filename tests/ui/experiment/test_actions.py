"""The Experiment tab: grids, strips, and two runs compared."""

import json
import re
from contextlib import ExitStack

import pytest
from PIL import Image

from pixgen.errors import PixgenError, RecipeError, StudioError
from pixgen.studio import Policy
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.grids.grid import Grid
from pixgen.ui.create.drawn import DrawnInputs
from pixgen.ui.create.form import CreateForm, form_fields
from pixgen.ui.experiment import view
from pixgen.ui.experiment.actions import GridJobs, come_back, go_on, stop, with_errors
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.info.tab import filled_form
from pixgen.ui.session import BrowserSession
from tests.ui.create.test_actions import painted, session_after
from tests.ui.create.test_drawing import address, drawn
from tests.ui.forms import paint_grid as paint
from tests.ui.forms import plan_of, to_recipe

SAY = ENGLISH
FORM = {
    "kind": "grid", "prompt": "a red fox | snow", "preset": "draft", "size": "32x32", "steps": 2,
    "seed": "7", "start": "codes", "across": "seed", "across_values": "1-2",
}  # fmt: skip


def screens_of(screens):
    return list(with_errors(screens, say=ENGLISH))


def planned(**values):
    return plan_of({**FORM, **values})


def runs_in(html):
    return re.findall(r'data-open-run="([^"]+)"', html)


def test_a_grid_varies_what_is_chosen_and_takes_the_rest_from_create():
    plan = planned(down="weight of prompt 2", down_values="0.2, 1")
    assert (plan.rows, plan.columns) == (
        ("weight of prompt 2 0.2", "weight of prompt 2 1"),
        ("seed 1", "seed 2"),
    )
    cell = plan.cells[1].recipe
    assert (cell.seed, cell.prompts[0][1].weight, cell.steps, cell.width) == (2, 0.2, 2, 32)


def test_alternatives_expand_and_keep_what_is_left_out():
    plan = planned(grid_prompt="a {red|blue} owl", across="", leave_out="text")
    assert plan.columns == ("a red owl", "a blue owl")
    assert [len(cell.recipe.prompts[0]) for cell in plan.cells] == [2, 2]
    assert {cell.recipe.seed for cell in plan.cells} == {7}


def test_a_preset_wins_over_the_forms_settings():
    plan = planned(across="preset", across_values="draft, waves")
    assert [cell.recipe.preset for cell in plan.cells] == ["draft", "waves"]
    assert plan.cells[1].recipe.drawer == "fourier"


def test_a_picture_of_ones_own_is_in_every_cell(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "up.png")
    for prompt in ("", "a {red|blue} owl"):
        plan = planned(grid_prompt=prompt, pictures=[str(tmp_path / "up.png")])
        assert all(cell.recipe.prompts[0][-1].picture == str(tmp_path / "up.png") for cell in plan.cells)


def test_a_strip_lies_between_words_and_pictures(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "up.png")
    ends = {
        "first": "a red fox",
        "last_picture": str(tmp_path / "up.png"),
        "count": 3,
        "strip_steps": 1,
    }
    plan = planned(kind="strip", **ends)
    assert plan.columns == ("0%", "50%", "100%")
    assert [cell.recipe.steps for cell in plan.cells] == [1, 1, 1]
    assert [prompt.label for prompt in plan.cells[1].recipe.prompts[0]] == ["a red fox", "up.png"]
    assert planned(kind="strip", first="a", last="b", count=2, strip_steps=0).cells[0].recipe.steps == 0


def test_a_strip_of_texts_starts_from_sketches_of_its_things_and_goes_to_the_mixture():
    plan = planned(kind="strip", first="a red fox", last="an owl", count=5, strip_steps=15)
    recipes = [cell.recipe for cell in plan.cells]
    assert [recipe.init.kind for recipe in recipes] == ["sketch"] * 5
    assert [recipe.positive_texts for recipe in recipes] == [
        ["a red fox"], ["a red fox"], ["a red fox", "an owl"], ["an owl"], ["an owl"],
    ]  # fmt: skip
    assert [[prompt.weight for prompt in recipe.scene(1)] for recipe in recipes] == [
        [1], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [1],
    ]  # fmt: skip


@pytest.mark.parametrize(("first", "steps"), [("a red fox", 0), ("a red fox | winter:-1", 15)])
def test_other_strips_start_from_sketches_of_the_mixture(first, steps):
    plan = planned(kind="strip", first=first, last="an owl", count=3, strip_steps=steps)
    assert {cell.recipe.init.kind for cell in plan.cells} == {"idea"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"across": ""}, "Nothing varies in this grid"),
        ({"across_values": " "}, "“seed” has no values"),
        ({"across": "colour"}, "no field “colour”"),
        ({"across_values": "1-999"}, "at most 256"),
        ({"prompt": ""}, "The prompt is empty"),
        ({"across": "init.picture", "across_values": '["/etc/hostname"]'}, "path of a picture|by path"),
        ({"across": "start", "across_values": '["picture:/etc/hostname"]'}, "by path"),
        ({"across": "model", "across_values": '["/etc/hostname"]'}, "by path"),
        ({"across": "clip", "across_values": '["/etc/hostname"]'}, "by path"),
        ({"across": "init.sketch.model", "across_values": '["/etc"]'}, "by path"),
        ({"across": "prompt", "across_values": '["[/etc/hostname]"]'}, "by path"),
        ({"across": "losses.style.picture", "across_values": '["/etc/hostname"]'}, "by path"),
        ({"kind": "strip", "first": "a", "last": " ", "count": 3}, "two ideas"),
        ({"kind": "strip", "first": "[/etc/hostname]", "last": "b", "count": 3}, "by path"),
        ({"kind": "strip", "first": "a", "last": "b", "count": 1}, "2 to 64"),
    ],
)
def test_what_is_not_allowed_is_one_clear_sentence(values, said):
    with pytest.raises(RecipeError, match=said):
        planned(**values)


def test_a_grid_is_painted_drawn_and_kept(studio, visitor):
    screens = screens_of(paint(GridJobs(studio), FORM, visitor, say=ENGLISH))
    assert (screens[0].busy, screens[-1].busy, screens[-1].resumable) == (True, False, False)
    last = screens[-1]
    runs = [studio.run(run) for run in runs_in(last.sheet)]
    assert (
        BrowserSession.from_browser(screens[0].session, None).owner == visitor.owner
    )  # the browser keeps it
    assert [run.recipe.seed for run in runs] == [1, 2]
    assert {run.owner for run in runs} == {visitor.owner}
    assert SAY.pgettext("grid", "{done} of {total} pictures", done=2, total=2) in last.status
    with Image.open(last.file) as sheet:
        assert sheet.info["pixgen grid"].split() == [run.id for run in runs]


def test_the_cell_that_is_painted_says_what_and_which_step(make_studio, visitor):
    studio = make_studio(seconds=0.05)
    form = {**FORM, "steps": 30, "across_values": "1"}
    sheets = [screen.sheet or "" for screen in paint(GridJobs(studio), form, visitor, say=ENGLISH)]
    assert any(re.search(r'aria-label="seed 1, step \d+ of 30"', sheet) for sheet in sheets)


def test_a_stopped_grid_shows_what_there_is_and_goes_on(make_studio, visitor):
    studio = make_studio(seconds=0.02)
    jobs, name = GridJobs(studio), ""
    screens = paint(jobs, {**FORM, "steps": 20, "across_values": "1-3"}, visitor, say=ENGLISH)
    for screen in screens:
        name = screen.grid or name
        if screen.sheet and runs_in(screen.sheet):
            stop(jobs, name, visitor)
    last = screen
    assert (last.busy, last.resumable) == (False, True)
    assert 0 < len(runs_in(last.sheet)) < 3
    done = screens_of(go_on(jobs, name, visitor, say=ENGLISH))[-1]
    assert (len(runs_in(done.sheet)), done.resumable) == (3, False)
    assert runs_in(done.sheet)[0] == runs_in(last.sheet)[0]


def test_leaving_a_grid_does_not_stop_it_and_coming_back_finds_it(make_studio, visitor):
    studio = make_studio(seconds=0.01)
    jobs = GridJobs(studio)
    screens = paint(jobs, FORM, visitor, say=ENGLISH)
    name = next(screen.grid for screen in screens if screen.grid)
    screens.close()
    assert jobs.job(name, owner=visitor.owner).wait(20)
    for known in (jobs, GridJobs(studio)):  # and after a restart
        last = screens_of(come_back(known, name, visitor, say=ENGLISH))[-1]
        assert len(runs_in(last.sheet)) == 2


def test_nobody_sees_or_stops_anothers_grid(studio, visitor):
    jobs, stranger = GridJobs(studio), BrowserSession.from_browser(None, None)
    screens = screens_of(paint(jobs, FORM, visitor, say=ENGLISH))
    name = next(screen.grid for screen in screens if screen.grid)
    assert [screen.sheet for screen in come_back(jobs, name, stranger, say=ENGLISH)] == [None]
    assert "There is no grid" in screens_of(go_on(jobs, name, stranger, say=ENGLISH))[-1].notice
    stop(jobs, name, stranger)
    assert not Grid.read(studio, name).stopping


@pytest.mark.parametrize("name", [None, "", 7, "grid-x", "../..", "x" * 5000])
def test_whatever_a_browser_sends_as_its_grid_is_borne(studio, visitor, name):
    assert screens_of(come_back(GridJobs(studio), name, visitor, say=ENGLISH))[0].sheet is None


def test_what_ends_a_grid_is_said(make_studio, visitor):
    studio = make_studio(breaks_at=1, error=StudioError("It broke."))
    last = screens_of(paint(GridJobs(studio), FORM, visitor, say=ENGLISH))[-1]
    assert (last.notice, last.resumable) == ("It broke.", True)
    assert "It broke." in last.status


def test_in_public_a_grid_is_smaller(make_studio, visitor):
    studio = make_studio(policy=Policy.for_public())
    last = screens_of(paint(GridJobs(studio), {**FORM, "across_values": "1-17"}, visitor, say=ENGLISH))[-1]
    assert last.notice == SAY(
        "A grid may have at most {most} pictures here, not {count}: give fewer values.",
        most=16,
        count=17,
    )
    assert studio.runs() == []


def test_a_cell_opens_with_its_very_recipe(studio, visitor):
    values = {"across": "optimizer.name", "across_values": "RAdam, Adamax"}
    last = screens_of(paint(GridJobs(studio), {**FORM, **values}, visitor, say=ENGLISH))[-1]
    for run in map(studio.run, runs_in(last.sheet)):
        form = filled_form(run.recipe, form_fields(Policy()), name=run.id)
        assert to_recipe(form) == run.recipe
    assert run.recipe.optimizer.name == "Adamax"


def test_a_drawn_start_and_regions_are_in_every_cell(make_studio, visitor):
    studio = make_studio(policy=Policy.for_public())
    form = {
        **FORM,
        "start": "drawn",
        "start_strength": 0.3,
        "drawn": drawn(address("red"), _2=address("white")),
        "down": "init.strength",
        "down_values": "0.1, 0.6",
    }
    jobs = GridJobs(studio)
    last = screens_of(paint(jobs, form, visitor, say=ENGLISH))[-1]
    runs = [studio.run(run) for run in runs_in(last.sheet)]
    assert [run.recipe.init.strength for run in runs] == [0.1, 0.1, 0.6, 0.6]
    for run in runs:
        with Image.open(run.folder / run.recipe.init.picture) as start:
            assert start.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
        assert (run.folder / run.recipe.prompts[0][1].mask).is_file()


@pytest.mark.parametrize(
    ("across", "values", "kinds"),
    [
        ("preset", "draft, waves", ["picture", "picture"]),
        ("prompt", '["a cat | rain", "a hen | fog"]', ["picture", "picture"]),
        ("start", "grey, snow", ["grey", "snow"]),
    ],
)
def test_what_is_drawn_stays_whatever_else_varies(across, values, kinds, visitor):
    form = {"start": "drawn", "across": across, "across_values": values}
    with ExitStack() as files:
        sent = drawn(address("red"), _1=address("white"))
        given = DrawnInputs.read(CreateForm(drawn=sent), files=files)
        cells = [cell.recipe for cell in plan_of({**FORM, **form}, drawn=given).cells]
    assert [cell.init.kind for cell in cells] == kinds
    assert {cell.prompts[0][0].mask for cell in cells} == {given.files[1]}


def test_a_grid_starts_from_the_last_picture_and_keeps_it(make_studio, visitor):
    studio = make_studio(seconds=0.01)
    first = session_after(painted(studio, visitor, steps=1))
    jobs, form = GridJobs(studio), {**FORM, "start": "last", "across_values": "1-2"}
    screens = paint(jobs, form, first, say=ENGLISH)
    name = next(screen.grid for screen in screens if screen.grid)
    stop(jobs, name, first)
    screens_of(screens)
    first.run(studio).picture.write_bytes(b"")  # it is not needed any more
    last = screens_of(go_on(GridJobs(studio), name, first, say=ENGLISH))[-1]
    assert [studio.run(run).recipe.init.kind for run in runs_in(last.sheet)] == ["picture"] * 2


@pytest.mark.parametrize(("start", "said"), [("drawn", "draw it first"), ("last", "no last picture")])
def test_a_grid_never_falls_back_to_another_start(studio, visitor, start, said):
    (*_, last) = screens_of(paint(GridJobs(studio), {**FORM, "start": start}, visitor, say=ENGLISH))
    assert said in last.notice
    assert studio.runs() == []


def test_titles_cannot_become_html(studio, visitor):
    values = {"across": "prompt", "across_values": '["<b>bold</b>", "a fox"]'}
    last = screens_of(paint(GridJobs(studio), {**FORM, **values}, visitor, say=ENGLISH))[-1]
    assert "<b>bold" not in last.sheet
    assert "&lt;b&gt;bold" in last.sheet


def test_two_runs_are_chosen_and_compared(studio, visitor):
    first = session_after(painted(studio, visitor))
    second = session_after(painted(studio, first, seed="8"))
    ids = [each.stored["job"] for each in (first, second)]
    assert {run for _, run in view.run_choices(Gallery(studio), visitor, ENGLISH)} == set(ids)
    html = view.comparison_html(studio, *ids, second, say=ENGLISH)
    assert "<dt>Seed</dt><dd>7 → 8</dd>" in html
    assert html.count("data:image/png;base64,") == 2
    assert SAY("The recipes are the same.") in view.comparison_html(
        studio, ids[0], ids[0], second, say=ENGLISH
    )
    with pytest.raises(PixgenError, match="There is no run"):
        view.comparison_html(studio, ids[0], None, second, say=ENGLISH)


def test_in_public_nobody_compares_anothers_run(make_studio, visitor):
    studio = make_studio(policy=Policy.for_public())
    own = session_after(painted(studio, visitor))
    stranger = BrowserSession.from_browser(json.dumps({"job": own.stored["job"]}), None)
    assert view.run_choices(Gallery(studio), stranger, ENGLISH) == []
    with pytest.raises(StudioError, match="no longer exists"):
        view.comparison_html(studio, own.stored["job"], own.stored["job"], stranger, say=ENGLISH)
