"""The list of models: what each is for, and whether it is here."""

from pixgen.models.catalog import entries
from pixgen.ui.create.panels.models import models_html
from pixgen.ui.i18n import ENGLISH, TURKISH


def test_each_model_says_its_purpose_memory_and_whether_it_is_here():
    names = [entry.name for entry in entries() if entry.kind == "clip"]
    shown = models_html(ENGLISH, "clip", names)
    assert shown.count("<li>") == len(names)
    assert 'data-model="clip pocket" data-state="bundled"' in shown
    assert "<img" in shown.split("</li>")[names.index("pocket")]  # painted by it
    assert "the usual CLIP of VQGAN+CLIP" in shown
    assert "9 GFLOPs a cutout · 605 MB of memory" in shown
    assert ENGLISH("downloaded when first used") in shown


def test_names_outside_the_catalogue_are_left_out():
    assert models_html(ENGLISH, "model", ["no-such-model"]) == '<ul class="pg-models"></ul>'


def test_the_list_is_turkish_on_the_turkish_page():
    shown = models_html(TURKISH, "model", ["pocket-2", "faceshq"])
    assert "<em>çizimler; işlemcide saniyeler içinde</em>" in shown
    assert "<em>yüzler</em>" in shown


def test_no_purpose_is_left_in_english():
    assert [entry.name for entry in entries() if TURKISH(entry.paints) == entry.paints] == []
