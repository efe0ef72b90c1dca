"""The list of augmentations, its preview, and the view of what CLIP sees."""

from types import SimpleNamespace

import numpy as np
import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.kornia_classes import kornia_names
from pixgen.ui.create.form_recipe import MOST_AUGMENTATIONS, chosen_augmentations
from pixgen.ui.create.panels.augmentations import cutouts_html, preview_html
from pixgen.ui.i18n import ENGLISH
from tests.ui.forms import to_recipe

NOBODY = SimpleNamespace(run=lambda studio: None)


def test_what_is_chosen_is_added_to_the_set_of_the_recipe():
    form = {"prompt": "a fox", "cutout_set": "updated", "augment": ["RandomInvert:p=0.1"]}
    own = to_recipe(form).cutouts.own
    assert own.augmentations[:-1] == CUTOUT_SETS["updated"].augmentations
    assert own.augmentations[-1].text == "RandomInvert:p=0.1"
    assert to_recipe({**form, "augment": []}).cutouts.own is None


def test_a_mistake_is_said():
    with pytest.raises(RecipeError, match="no class “Inverted”"):
        to_recipe({"prompt": "a fox", "augment": ["Inverted"]})


def test_what_a_browser_kept_is_only_taken_as_far_as_it_may_be():
    assert chosen_augmentations(["RandomInvert", 3, "", "x" * 301]) == ("RandomInvert",)
    assert len(chosen_augmentations(["RandomInvert"] * 20)) == MOST_AUGMENTATIONS


def test_the_preview_shows_what_was_chosen_or_all_that_there_is():
    one = preview_html(None, NOBODY, ["RandomInvert:p=0.1"])
    assert one.count("<figure>") == 1
    assert "RandomInvert</figcaption>" in one
    assert preview_html(None, NOBODY, []).count("<figure>") == len(kornia_names())


def test_the_cutouts_of_a_job_are_asked_for_and_shown():
    wanted = []
    job = SimpleNamespace(ended=False, request_cutouts=lambda: wanted.append(1), cutouts=lambda: (7, None))
    assert ENGLISH("The cutouts appear with the next step.") in cutouts_html(job, ENGLISH)
    job.cutouts = lambda: (7, np.zeros((8, 8, 3), np.uint8))
    assert 'alt="Cutouts of step 7"' in cutouts_html(job, ENGLISH)
    assert wanted == [1, 1]
    assert ENGLISH("Nothing is being painted at the moment.") in cutouts_html(None, ENGLISH)
