"""Which presets the page offers."""

import pytest

from pixgen.recipe.presets import DEFAULT, available_presets
from pixgen.studio.policy import Policy
from pixgen.ui.create import form as create_form
from pixgen.ui.create.form import offered_presets, preset_size
from pixgen.ui.create.panels.presets import quality_controls
from pixgen.ui.i18n import TURKISH


@pytest.fixture
def fetched(monkeypatch):
    """As if every model were on this machine."""
    monkeypatch.setattr(create_form, "state_of", lambda entry: "here")


def test_what_must_be_fetched_first_is_not_offered(monkeypatch):
    monkeypatch.setattr(create_form, "state_of", lambda entry: "bundled" if entry.bundled else "to fetch")
    assert list(offered_presets(Policy()))[:3] == ["draft", "balanced", "best"]
    assert not any(name.startswith("full") for name in offered_presets(Policy()))


def test_what_is_on_this_machine_is_offered(fetched):
    assert list(offered_presets(Policy())) == list(available_presets())


def test_strangers_get_what_they_are_allowed_alone(fetched):
    policy = Policy(models=("pocket", "imagenet-16384", "ViT-B-32-256/datacomp_s34b_b86k"))
    full = [name for name in offered_presets(policy) if name.startswith("full")]
    assert full == ["full-draft"]


def test_a_preset_brings_its_size_where_it_names_one():
    assert (preset_size("full-best"), preset_size("balanced")) == ("512x512", "256x256")


def test_the_sentence_of_the_chosen_preset_is_in_the_pages_language():
    shown = quality_controls(Policy(), TURKISH)["preset_about"].value
    assert TURKISH(available_presets()[DEFAULT].about) in shown
