"""The page's group of models: what may be chosen, what it asks for, and how a download is shown."""

from dataclasses import replace

import pytest

from pixgen.models.progress import DownloadProgress
from pixgen.studio import JobStatus, Policy
from pixgen.ui import status
from pixgen.ui.create.form import form_fields
from pixgen.ui.i18n import ENGLISH
from tests.models import published
from tests.studio.fakes import a_recipe
from tests.ui.forms import to_recipe

LOADING = JobStatus("loading", 0, None, 0.0, None, 1.0)


pytestmark = pytest.mark.usefixtures("caches")


def choices(policy: Policy, name: str) -> tuple[str, ...]:
    return form_fields(policy)[name].choices


def test_ones_own_page_offers_the_table_and_own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXGEN_MODELS_DIR", str(tmp_path / "own"))
    node = published.config()
    published.write(tmp_path / "own/flowers.ckpt", {"state_dict": published.taming(node).state_dict()})
    published.write_yaml(tmp_path / "own/flowers.yaml", node)
    offered = choices(Policy(), "model")
    assert offered[0] == "pocket-2"
    assert {"imagenet-16384", "gumbel-8192", "flowers"} <= set(offered)
    assert "ViT-B-32/laion2b_s34b_b79k" in choices(Policy(), "clip")
    assert choices(Policy(), "sketcher") == ("pocket", "dalle-mini", "dalle-mega", "karlo")


def test_a_public_page_offers_what_is_here(tmp_path):
    assert choices(Policy.for_public(), "clip") == ("pocket",)
    assert choices(Policy.for_public(), "sketcher") == ("pocket",)
    (tmp_path / "cache/models").mkdir(parents=True)
    (tmp_path / "cache/models/ViT-B-32--openai.safetensors").touch()
    assert choices(Policy.for_public(), "clip") == ("pocket", "ViT-B-32/openai")


def test_what_is_chosen_arrives():
    made = to_recipe({"prompt": "a fox", "model": "amused", "clip": ["robust-ViT-B-32", "ViT-B-32/openai"]})
    assert (made.model, made.clip_names) == ("amused", ("robust-ViT-B-32", "ViT-B-32/openai"))
    assert made.init.sketch.model == "pocket"
    own = to_recipe({"prompt": "a fox", "sketcher": "karlo"})
    assert own.init.sketch.model == "karlo"
    nobody = to_recipe({"prompt": "a fox", "clip": []})
    assert (nobody.model, nobody.clip_names) == ("pocket-2", ("pocket",))  # the preset's


@pytest.mark.parametrize(
    ("fetching", "said", "bar"),
    [
        (DownloadProgress("lakes", 312_000_000, 934_000_000), "312 of 934 MB", 'aria-valuenow="312"'),
        (DownloadProgress("lakes", 12_400_000), "12 MB so far", ""),
        (DownloadProgress("lakes", waiting=True), "another pixgen is downloading it", ""),
    ],
)
def test_a_download_is_shown_in_the_status_line(fetching, said, bar):
    shown = status.status_html(ENGLISH, a_recipe(), replace(LOADING, fetching=fetching))
    assert "Downloading a model" in shown
    assert "lakes" in shown
    assert said in shown
    assert bar in shown
    assert "Fetching" not in status.status_html(ENGLISH, a_recipe(), LOADING)
