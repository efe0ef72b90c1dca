"""Settings are declared once: what is shown of them, and where."""

import json
from pathlib import Path

import pytest

from pixgen.cli.app import main
from pixgen.recipe.base import find_setting, settings_of
from pixgen.recipe.options import check_field
from pixgen.recipe.recipe import Recipe

DOCS = Path(__file__).parent.parent / "docs/settings.md"


def test_the_table_of_the_docs_is_what_the_fields_say(capsys):
    assert main(["settings", "--markdown"]) == 0
    assert DOCS.read_text("utf-8").endswith(f"\n\n{capsys.readouterr().out}")


def test_every_setting_is_a_field_that_can_be_set():
    for each in settings_of(Recipe):
        check_field(f"{each.path}=1")


def test_settings_are_found_by_a_part_of_their_name(capsys):
    assert main(["settings", "warmth", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["setting"] for each in found] == ["losses.warmth.weight", "losses.warmth.kelvin"]


def test_what_is_offered_lies_within_what_is_allowed():
    weight = find_setting(Recipe, "losses.symmetry.weight")
    assert (weight.low, weight.high, weight.step) == (0, 50, 0.05)
    kind = find_setting(Recipe, "losses.symmetry.kind")
    assert list(kind.choices) == ["horizontal", "vertical", "rotational"]


def test_a_setting_that_is_none_is_no_setting():
    with pytest.raises(KeyError):
        find_setting(Recipe, "steps.more")
