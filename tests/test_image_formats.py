"""Pictures in formats that Pillow alone does not read: HEIC, AVIF, and TIFFs with several deep channels."""

import io
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixgen import images
from pixgen.errors import PictureError
from pixgen.image_formats import MemoryBudget, bands, largest_value, readable_formats
from pixgen.images import open_picture, open_reduced, picture_size

tifffile = pytest.importorskip("tifffile")

FILES = Path(__file__).parent / "fixtures" / "files"
RED = (208, 32, 32)
DTYPES = ["uint16", "uint32", "float16", "float32", "float64"]


def deep_tiff(values: np.ndarray, dtype: str, **options) -> bytes:
    """Values in [0, 1] as a TIFF of this type."""
    scale = np.iinfo(dtype).max if dtype.startswith("u") else 1
    file = io.BytesIO()
    tifffile.imwrite(file, (values * scale).astype(dtype), **options)
    return file.getvalue()


def near(found, expected, *, by: int = 3) -> bool:
    return bool(np.abs(np.asarray(found, int) - np.asarray(expected, int)).max() <= by)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_deep_tiff_has_its_colours(dtype, compression, planar):
    red = np.broadcast_to(np.array(RED) / 255, (12, 20, 3))
    stored = red if planar == "contig" else np.moveaxis(red, -1, 0)
    data = deep_tiff(stored, dtype, photometric="rgb", compression=compression, planarconfig=planar)
    assert open_picture(data).size == (20, 12)
    assert near(open_picture(data).getpixel((9, 9)), RED)
    assert picture_size(data) == (20, 12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_deep_tiff_keeps_its_transparency(dtype):
    clear = np.zeros((8, 8, 4))
    clear[:, 4:] = [*(each / 255 for each in RED), 1]
    data = deep_tiff(clear, dtype, photometric="rgb", extrasamples=["unassalpha"])
    opened = open_picture(data, transparent=True)
    assert opened.getpixel((1, 1))[3] == 0
    assert near(opened.getpixel((6, 6)), (*RED, 255))
    assert near(open_picture(data).getpixel((1, 1)), (255, 255, 255))


@pytest.mark.parametrize(("turn", "size"), [(1, (20, 12)), (6, (12, 20))])
def test_a_deep_tiff_is_turned_upright(turn, size):
    data = deep_tiff(np.zeros((12, 20, 3)), "float32", photometric="rgb", extratags=[(274, 3, 1, turn, True)])
    assert open_picture(data).size == size


@given(data=st.binary(max_size=200), at=st.integers(0, 700))
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_an_error_or_a_picture(data, at):
    for whole in (
        deep_tiff(np.zeros((8, 8, 3)), "float32", photometric="rgb"),
        (FILES / "photo.heic").read_bytes(),
    ):
        damaged = whole[:at] + data + whole[at + len(data) :]
        with suppress(PictureError):  # and nothing else is raised
            assert open_picture(damaged).mode == "RGB"


def test_a_deep_tiff_of_too_many_pixels_is_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    with pytest.raises(PictureError, match="too large"):
        open_picture(deep_tiff(np.zeros((12, 20, 3)), "float32", photometric="rgb"))


@pytest.mark.skipif("HEIF" not in readable_formats(), reason="needs pi-heif")
class TestHeic:
    """photo.heic: 96 by 64 pixels with EXIF that turns it, in Display P3; clear.heic: half transparent."""

    def test_a_phones_photo_is_upright_and_in_srgb(self):
        opened = open_picture(FILES / "photo.heic")
        assert opened.size == (64, 96)
        assert near(opened.getpixel((32, 56)), RED)
        assert opened.info == {}

    def test_transparency_is_kept_or_put_on_white(self):
        assert open_picture(FILES / "clear.heic", transparent=True).getpixel((9, 30))[3] == 0
        assert near(open_picture(FILES / "clear.heic").getpixel((9, 30)), (255, 255, 255))

    def test_a_large_photo_is_halved(self, monkeypatch):
        monkeypatch.setattr(images, "MAX_PIXELS", 3000)
        assert open_picture(FILES / "photo.heic").size == (32, 48)
        assert open_reduced(FILES / "photo.heic", side=8)[1] == (64, 96)
        monkeypatch.setattr(images, "MAX_PHOTO_PIXELS", 5000)
        with pytest.raises(PictureError, match="too large"):
            open_picture(FILES / "photo.heic")


@pytest.mark.skipif("AVIF" not in readable_formats(), reason="needs Pillow's AVIF")
def test_avif_is_read():
    file = io.BytesIO()
    Image.new("RGB", (32, 24), RED).save(file, "AVIF")
    assert near(open_picture(file.getvalue()).getpixel((9, 9)), RED, by=6)


def test_a_memory_budget_lets_in_what_fits_and_one_that_is_too_large_alone():
    budget, order = MemoryBudget(100), []

    def use(name, size):
        with budget.take(size):
            order.append(name)

    with budget.take(60), budget.take(40):
        waiting = threading.Thread(target=use, args=("large", 1000))
        waiting.start()
        waiting.join(0.05)
        assert not order
    waiting.join(5)
    assert order == ["large"]
    assert not budget._taken


def test_bands_and_their_largest_value_are_those_of_the_whole_picture():
    values = np.arange(1000.0)[:, None]
    values[700] = np.inf
    values[3] = np.nan
    assert largest_value(values) == 999
    assert np.concatenate([values[rows] for rows in bands(1000)]).tobytes() == values.tobytes()
    assert largest_value(np.full((3, 1), -1.0)) == 0
