"""Pictures that people bring: opened if they are pictures of a bounded size, refused otherwise."""

import io

import numpy as np
import pytest
from PIL import Image

from pixgen import images
from pixgen.errors import PictureError
from pixgen.images import open_picture, open_reduced


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_opens_every_allowed_format(kind, red_picture):
    opened = open_picture(encoded(red_picture, kind))
    assert (opened.mode, opened.size) == ("RGB", red_picture.size)


def test_transparent_becomes_white():
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert open_picture(encoded(clear, "PNG")).getpixel((0, 0)) == (255, 255, 255)


def test_turned_photographs_stand_upright(red_picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert open_picture(encoded(red_picture, "JPEG", exif=exif)).size == red_picture.size[::-1]


def test_no_metadata_is_kept(red_picture):
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    opened = open_picture(encoded(red_picture, "JPEG", exif=exif))
    assert not opened.getexif()
    assert "exif" not in opened.info


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n"],
)
def test_refuses_what_is_no_picture(data):
    with pytest.raises(PictureError, match="use PNG, JPEG"):
        open_picture(data)


def test_refuses_a_broken_picture(red_picture):
    data = encoded(red_picture.resize((200, 200)), "BMP")
    with pytest.raises(PictureError, match="broken"):
        open_picture(data[: len(data) // 2])


def test_refuses_too_many_pixels_from_the_header_alone():
    bomb = encoded(Image.new("1", (7000, 7000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(PictureError, match="24 megapixels"):
        open_picture(bomb)


def test_refuses_too_many_bytes(monkeypatch, red_picture):
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    with pytest.raises(PictureError, match="too large"):
        open_picture(encoded(red_picture, "PNG"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PictureError, match="“fox.png” cannot be read"):
        open_picture(tmp_path / "fox.png")


def test_a_path_with_a_null_byte_is_refused():
    with pytest.raises(PictureError):
        open_picture("a\0b.png")


@pytest.mark.parametrize("turn", [None, 3, 6])
def test_a_large_photograph_is_decoded_at_a_part_of_its_size(turn):
    rows, columns = np.mgrid[0:600, 0:900] * 255 // 900
    photograph = Image.fromarray(np.stack([rows, columns, rows], axis=-1).astype(np.uint8))
    exif = Image.Exif()
    if turn:
        exif[0x0112] = turn
    data = encoded(photograph, "JPEG", quality=95, exif=exif)
    whole = open_picture(data)
    reduced, size = open_reduced(data, side=64)
    assert size == whole.size
    assert 128 <= min(reduced.size) < min(whole.size)
    small = [np.asarray(each.resize((64, 64), reducing_gap=3), float) for each in (whole, reduced)]
    assert abs(small[0] - small[1]).mean() < 1.5


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_small_picture_is_opened_as_it_is(kind, red_picture):
    opened, size = open_reduced(encoded(red_picture, kind), side=64)
    assert size == opened.size == red_picture.size
    assert opened.tobytes() == open_picture(encoded(red_picture, kind)).tobytes()
