"""The list of models: what each is for, and whether it is here."""

from types import SimpleNamespace

import pytest

from pixgen.errors import ModelError
from pixgen.models.catalog import entries, get_entry
from pixgen.models.progress import DownloadProgress
from pixgen.ui.create.panels.models import downloads_html, models_html
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


def test_a_model_that_is_not_here_has_a_button_that_downloads_it(caches):
    shown = models_html(ENGLISH, "clip", ["pocket", "ViT-B-32/openai"])
    assert shown.count("data-download=") == 1
    assert 'data-download="start clip ViT-B-32/openai" aria-label="Download: ViT-B-32/openai"' in shown
    (caches / "models").mkdir(parents=True)
    (caches / "models/ViT-B-32--openai.safetensors").touch()
    here = models_html(ENGLISH, "clip", ["pocket", "ViT-B-32/openai"])
    assert "data-download=" not in here
    assert 'data-model="clip ViT-B-32/openai" data-state="here"' in here


def a_download(state: str, progress: DownloadProgress | None = None, error: ModelError | None = None):
    entry = get_entry("imagenet-1024", "vqgan")
    return SimpleNamespace(entry=entry, state=state, progress=progress, error=error)


@pytest.mark.parametrize(
    ("download", "said", "button"),
    [
        (a_download("running"), "the file is being prepared", "cancel"),
        (
            a_download("running", DownloadProgress("imagenet-1024", 312_000_000, 936_000_000)),
            "<span>312 of 936 MB</span><span>33 %</span>",
            "cancel",
        ),
        (a_download("running", DownloadProgress("imagenet-1024", 12_400_000)), "12 MB so far", "cancel"),
        (a_download("done"), "Installed", ""),
        (a_download("cancelled"), "a new download continues from here", "start"),
        (
            a_download("failed", error=ModelError("the disk is full")),
            'role="alert">the disk is full',
            "start",
        ),
    ],
)
def test_a_download_shows_its_share_or_how_it_ended(download, said, button):
    shown = downloads_html(ENGLISH, "model", [download])
    assert said in shown
    assert (f'data-download="{button} model imagenet-1024"' in shown) == bool(button)
    assert downloads_html(ENGLISH, "clip", [download]) == ""  # it is shown at its own field


def test_names_outside_the_catalogue_are_left_out():
    assert models_html(ENGLISH, "model", ["no-such-model"]) == '<ul class="pg-models"></ul>'


def test_the_list_is_turkish_on_the_turkish_page():
    shown = models_html(TURKISH, "model", ["pocket-2", "faceshq"])
    assert "<em>çizimler; işlemcide saniyeler içinde</em>" in shown
    assert "<em>yüzler</em>" in shown


def test_no_purpose_is_left_in_english():
    assert [entry.name for entry in entries() if TURKISH(entry.paints) == entry.paints] == []
