"""The line about memory."""

import pytest

from pixgen.studio.memory_check import MemoryCheck
from pixgen.ui.create.prompt_help import memory_line
from pixgen.ui.i18n import ENGLISH
from tests.ui.forms import estimated


@pytest.mark.parametrize(
    ("needed", "free", "said"),
    [
        (230_000_000, 10**9, "<span>Takes about 230 MB of memory</span> · <b>fits</b>"),
        (900_000_000, 10**9, "<b>tight</b>"),
        (2_500_000_000, 10**9, "<b>will not fit: smaller batches will be used"),
    ],
)
def test_it_says_how_much_and_whether_it_fits(needed, free, said):
    assert said in memory_line(ENGLISH, MemoryCheck(needed, free))


@pytest.mark.parametrize("found", [None, MemoryCheck(10**9, None)])
def test_it_says_nothing_where_nothing_is_known(found):
    assert memory_line(ENGLISH, found) == ""


def test_it_is_of_what_the_form_asks_for():
    asked = []

    def look(recipe, device):
        asked.append((recipe.width, recipe.height, recipe.cutouts.count, device))
        return MemoryCheck(230_000_000, 10**9)

    form = {"preset": "best", "size": "256x128", "cutouts": 20, "start": "picture"}
    assert "230 MB" in estimated(form, lambda: "cpu", ENGLISH, look=look)
    assert asked == [(256, 128, 20, "cpu")]
    assert estimated({**form, "size": "huge"}, lambda: "cpu", ENGLISH, look=look) == ""
