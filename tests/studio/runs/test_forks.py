"""Forks: another run that goes on from a state, and leaves its parent as it is."""

import pytest

from pixgen.errors import PictureError, RecipeError, StudioError
from pixgen.studio import Policy
from pixgen.studio.runs.edits import MORE_STEPS
from tests.studio.fakes import Painters, a_recipe


def painted(studio, recipe, **order):
    job = studio.submit(recipe, **order)
    assert job.wait(20)
    return job


def stopped(open_studio, step, **fields):
    painters = Painters(hold_at=step)
    job = open_studio(painters).submit(a_recipe(**fields))
    assert painters.held.wait(20)
    job.stop()
    painters.go_on.set()
    assert job.wait(20)
    return job


def ended(job):
    assert job.wait(20)
    assert job.error is None
    return job


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_fork_goes_on_with_other_words_and_its_recipe_paints_the_same_anew(open_studio):
    parent, studio = stopped(open_studio, 5), open_studio()
    before = files(parent.run.folder)
    fork = ended(studio.fork(parent.id, prompts="an owl", learning_rate=0.3))
    (change,) = fork.recipe.changes
    assert (change.step, change.learning_rate) == (6, 0.3)
    assert (fork.state, fork.frame.step, studio.run(fork.id).parent) == ("done", 12, parent.id)
    assert (fork.frame.picture == painted(studio, fork.recipe).frame.picture).all()
    assert (fork.frame.picture != ended(studio.resume(parent.id)).frame.picture).any()
    assert files(parent.run.folder)["recipe.json"] == before["recipe.json"]


def test_the_parent_stays_as_it_is(open_studio):
    studio = open_studio()
    parent = painted(studio, a_recipe())
    before = files(parent.run.folder)
    fork = ended(studio.fork(parent.id, prompts="an owl"))
    assert fork.recipe.steps == 12 + MORE_STEPS
    assert files(parent.run.folder) == before


def test_a_fork_of_weights_keeps_all_else(open_studio):
    studio = open_studio()
    prompts = [[{"text": "a fox", "region": "left"}, {"text": "snow", "stop": 0.5}]]
    parent = painted(studio, a_recipe(prompts=prompts))
    fork = ended(studio.fork(parent.id, weights={2: 0.25}, steps=14))
    first, second = fork.recipe.scene(13)
    assert (first.region, first.weight) == ("left", 1)
    assert (second.text, second.weight, second.stop) == ("snow", 0.25, 0.5)
    assert fork.recipe.scene(11)[1].weight == 1


def test_a_fork_of_a_fork_knows_its_own_parent(open_studio):
    studio = open_studio()
    first = painted(studio, a_recipe())
    second = ended(studio.fork(first.id, prompts="an owl", steps=14))
    third = ended(studio.fork(second.id, prompts="a hen", steps=16))
    assert [studio.run(each.id).parent for each in (first, second, third)] == [
        "",
        first.id,
        second.id,
    ]
    assert (third.frame.picture == painted(studio, third.recipe).frame.picture).all()


def test_a_killed_fork_goes_on_as_the_fork(open_studio):
    parent = stopped(open_studio, 5)
    painters = Painters(hold_at=0)
    studio = open_studio(painters)
    studio.submit(a_recipe())  # takes the turn
    fork = studio.fork(parent.id, prompts="an owl")
    fork.stop()
    assert fork.wait(20)
    assert fork.run.picture.read_bytes() == parent.run.picture.read_bytes()
    painters.go_on.set()
    resumed = ended(studio.resume(fork.id))
    assert (resumed.frame.picture == painted(studio, resumed.recipe).frame.picture).all()
    assert resumed.recipe.changes[0].prompts[0][0].text == "an owl"


def test_a_forks_pictures_are_its_own(open_studio, tmp_path, red_picture):
    red_picture.save(tmp_path / "red.png")
    studio = open_studio()
    parent = painted(studio, a_recipe(prompts=f"a fox | [{tmp_path}/red.png]"))
    red_picture.rotate(90).save(tmp_path / "red.png")
    fork = ended(studio.fork(parent.id, prompts=f"[{tmp_path}/red.png]", steps=13))
    kept = {prompt.picture for step in (0, 12) for prompt in fork.recipe.scene(step)} - {""}
    assert len(kept) == 2
    assert all((fork.run.folder / path).is_file() for path in kept)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"prompts": " "}, RecipeError, "empty"),
        ({"weights": {2: 1}}, RecipeError, "no prompt 2: “a red fox” has 1"),
        ({"weights": {1: 1e9}}, RecipeError, "weight"),
        ({"learning_rate": -1}, RecipeError, "learning_rate"),
        ({"steps": 11}, StudioError, "at least as many"),
        ({"steps": 12}, StudioError, "is finished: to continue"),
        ({"steps": 99}, RecipeError, "at most 60 steps"),
        ({"prompts": "[/nothing/there.png]"}, PictureError, "there.png"),
    ],
)
def test_what_is_not_allowed_leaves_no_folder(open_studio, asked, error, said):
    studio = open_studio(policy=Policy(most_steps=60))
    parent = painted(studio, a_recipe())
    with pytest.raises(error, match=said):
        studio.fork(parent.id, **asked)
    assert [run.id for run in studio.runs()] == [parent.id]


def test_a_run_without_a_state_or_in_the_making_cannot_be_forked(open_studio):
    painters = Painters(hold_at=3)
    studio = open_studio(painters)
    job, waiting = studio.submit(a_recipe()), studio.submit(a_recipe())
    assert painters.held.wait(20)
    with pytest.raises(StudioError, match="change it while it paints"):
        studio.fork(job.id)
    waiting.stop()
    assert waiting.wait(20)
    with pytest.raises(StudioError, match="no saved state"):
        studio.fork(waiting.id)


def test_in_public_nobody_forks_anothers_run(open_studio):
    studio = open_studio(policy=Policy.for_public())
    parent = painted(studio, a_recipe(), owner="ada")
    with pytest.raises(StudioError, match="There is no run"):
        studio.fork(parent.id, owner="grace")
    assert ended(studio.fork(parent.id, owner="ada")).owner == "ada"
