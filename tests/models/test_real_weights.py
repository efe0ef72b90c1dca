"""Published files, where they are at hand: each reads as the network of its authors' own classes.

They lie in ``shared/weights`` beside the checkout, or where ``PIXGEN_TEST_WEIGHTS`` says: VQGANs and CLIPs
under their names in the table, ``imagenet-16384.ckpt`` or ``ViT-B-32--openai.safetensors``, and VQGANs
with a config beside them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from pixgen.models.cache import file_name
from pixgen.models.catalog import Entry, entries
from pixgen.models.checkpoints.layouts import to_taming
from pixgen.models.checkpoints.reading import read_weights
from pixgen.models.clip.perceptor import load_perceptor
from pixgen.models.vqgan.custom import find_config, read_vqgan_config
from pixgen.models.vqgan.vqgan import load_vqgan
from pixgen.paths import CHECKPOINTS
from tests.models import published

FOLDER = Path(
    os.environ.get("PIXGEN_TEST_WEIGHTS") or Path(__file__).parent.parent.parent.parent / "shared" / "weights"
)
PICTURES = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def own(folder: Path) -> Iterator[Path]:
    """Checkpoints with a config beside them."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in CHECKPOINTS and find_config(path) is not None:
            yield path


def named(folder: Path, kind: str) -> Iterator[tuple[Entry, Path]]:
    """Models of the table whose file is there."""
    for entry in entries(kind):
        for suffix in CHECKPOINTS:
            if (path := folder / f"{file_name(entry.name)}{suffix}").is_file():
                yield entry, path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/models").mkdir(parents=True)
    return tmp_path / "cache/models"


def assert_as_tamings(path: Path, config: Path) -> None:
    theirs = published.TamingModel(read_vqgan_config(config)).eval()
    theirs.load_state_dict(to_taming(read_weights(path)))
    published.assert_equal_networks(load_vqgan(str(path), "cpu", str(config)), theirs, PICTURES)


@pytest.mark.parametrize("path", list(own(FOLDER)), ids=lambda path: path.name)
def test_a_checkpoint_with_its_config_is_tamings_network(path):
    assert_as_tamings(path, find_config(path))


@pytest.mark.parametrize(("entry", "path"), list(named(FOLDER, "vqgan")))
def test_a_vqgan_of_the_catalog_loads_and_decodes(cache, entry, path):
    (cache / path.name).symlink_to(path)
    ours = load_vqgan(entry.name, "cpu")
    assert (len(ours.codebook), ours.factor) == (entry.codes, entry.factor)
    assert torch.isfinite(ours.decode(ours.lookup(torch.zeros(1, 4, 4, dtype=torch.long)))).all()


@torch.no_grad()
@pytest.mark.parametrize(("entry", "path"), list(named(FOLDER, "clip")))
def test_a_clip_of_the_catalog_embeds_as_open_clip_does(cache, entry, path):
    import open_clip

    (cache / path.name).symlink_to(path)
    ours = load_perceptor((entry.name,), "cpu")
    architecture = (entry.form or entry.open_clip).partition("/")[0]
    quick = entry.open_clip.endswith("/openai") or "quickgelu" in architecture
    theirs = open_clip.create_model(architecture, pretrained=str(path), force_quick_gelu=quick)
    pictures = torch.rand(2, 3, ours.size, ours.size)
    seen = F.normalize(theirs.eval().encode_image((pictures - ours.mean) / ours.std), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), seen, atol=1e-5)


def test_published_files_are_found_and_compared(tmp_path):
    node = published.config()
    path = published.write(tmp_path / "real/lakes.ckpt", {"state_dict": published.taming(node).state_dict()})
    published.write_yaml(tmp_path / "real/lakes.yaml", node)
    assert list(own(tmp_path / "real")) == [path]
    assert_as_tamings(path, tmp_path / "real/lakes.yaml")
    published.write(tmp_path / "real/imagenet-1024.ckpt", {})
    assert [entry.name for entry, _ in named(tmp_path / "real", "vqgan")] == ["imagenet-1024"]
