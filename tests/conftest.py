"""What many tests share: tiny models with random weights, and pictures that they can paint."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from pixgen.logs import JsonFormatter, TextFormatter
from pixgen.paths import ASSETS
from tests.postgres import find_programs, serve
from tests.s3 import make_bucket, serve_s3

TINY_VQGAN = {
    "target": "taming.models.vqgan.VQModel",
    "params": {
        "embed_dim": 8,
        "n_embed": 32,
        "ddconfig": {
            "double_z": False, "z_channels": 16, "resolution": 32, "in_channels": 3, "out_ch": 3,
            "ch": 32, "ch_mult": [1, 1, 1], "num_res_blocks": 1, "attn_resolutions": [],
            "dropout": 0.0,
        },
    },
}  # fmt: skip
TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64},
    "text_cfg": {"context_length": 16, "vocab_size": 4096, "width": 32, "heads": 2, "layers": 1},
}

TINY_SKETCHER = {
    "vqgan": "pocket", "clip": "pocket", "grid": 8, "codes": 32, "code_width": 8,
    "width": 64, "depth": 2, "heads": 2, "places": 6, "text_width": 32, "vector_width": 16,
    "vocabulary": 4096, "memory": 4, "elsewhere": [40], "coloured": [41],
}  # fmt: skip


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests on a cluster unless they are asked for by name: Ray ends a process, minutes later, whose
    cluster was lost as in one of them. scripts/test runs them in a process for themselves."""
    is_cluster = collection_path == Path(__file__).parent / "cluster"
    return True if is_cluster and not any("cluster" in each for each in config.args) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, and say so, what needs a GPU where there is none."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):  # not its keywords: a folder may be called so
                item.add_marker(pytest.mark.skip(reason="there is no CUDA device"))


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """A page that a test serves writes its log to the test's stderr, which is closed afterwards."""
    yield
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, (JsonFormatter, TextFormatter)):
            root.removeHandler(handler)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Workers that share the CPU's cores divide torch's threads, for threads that begin later as well; how a
    picture is rounded depends on their number."""
    yield
    torch.set_num_threads(torch.get_num_threads())  # this thread's number for new threads too


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a database on a PostgreSQL server that is started for the tests."""
    pytest.importorskip("psycopg", reason="the extra “postgres” is not installed")
    if (programs := find_programs()) is None:
        pytest.skip("no PostgreSQL server is installed (on Debian: apt-get install postgresql)")
    with serve(programs) as address:
        yield address


@pytest.fixture
def caches(tmp_path, monkeypatch) -> Path:
    """Models are looked for in empty folders of the test's own, pixgen's (which this is) and Hugging
    Face's; there are no own ones, and there is no network."""
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PIXGEN_MODELS_DIR", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "cache"


@pytest.fixture
def tiny_vqgan():
    """A VQGAN of factor 4 with 32 codes, the same random weights each time."""
    from pixgen.models.vqgan.vqgan import Vqgan

    torch.manual_seed(1)
    model = Vqgan(TINY_VQGAN)
    torch.nn.init.normal_(model.codebook)
    return model.eval().requires_grad_(False)


@pytest.fixture
def tiny_perceptor():
    """A CLIP of 32 pixels, the same random weights each time."""
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer

    from pixgen.models.clip.perceptor import Perceptor

    torch.manual_seed(2)
    model = CLIP(**TINY_CLIP).eval().requires_grad_(False)
    tokenizer = SimpleTokenizer(str(ASSETS / "pocket" / "vocabulary.txt.gz"), context_length=16)
    return Perceptor(model, tokenizer, size=32, mean=(0.5,) * 3, std=(0.3,) * 3).eval()


@pytest.fixture
def tiny_sketcher(tiny_vqgan):
    """A sketcher of 8 by 8 codes of the tiny VQGAN, the same random weights each time."""
    from pixgen.models.sketchers.pocket import Sketcher

    torch.manual_seed(5)
    model = Sketcher(TINY_SKETCHER)
    model.codebook.copy_(tiny_vqgan.codebook)
    for parameter in model.parameters():  # some begin at zero, and would change nothing
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval().requires_grad_(False)


@pytest.fixture
def red_picture() -> Image.Image:
    """A small red picture."""
    return Image.new("RGB", (48, 32), (220, 30, 30))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server that is started for the tests."""
    pytest.importorskip("s3fs", reason="the extra “s3” is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    with serve_s3(server) as address:
        yield address


@pytest.fixture
def bucket(s3_server, monkeypatch) -> str:
    """The address of an empty bucket on that server, whose credentials are in the environment."""
    return make_bucket(s3_server, monkeypatch)
