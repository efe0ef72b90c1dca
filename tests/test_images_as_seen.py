"""Pictures look as a viewer shows them, whatever mode, profile or EXIF they were saved with."""

import io
import logging
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from pixgen import images
from pixgen.errors import PictureError
from pixgen.images import open_picture, open_reduced

FILES = Path(__file__).parent / "fixtures" / "files"
RED = (208, 32, 32)


def encoded(picture: Image.Image, kind: str = "TIFF", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def near(found, expected, *, by: int = 2) -> bool:
    return bool(np.abs(np.asarray(found, int) - np.asarray(expected, int)).max() <= by)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + chunk(kind, body) + png[33:]


@pytest.mark.parametrize("name", ["exif_negrat.jpg", "bigicc.png", "p3.png"])
def test_a_file_that_was_got_wrong_is_red_in_its_middle(name):
    opened = open_picture(FILES / name)
    assert near(opened.getpixel((opened.width // 2, opened.height // 2)), RED)
    reduced, size = open_reduced(FILES / name, side=32)
    assert size == opened.size
    assert near(reduced.getpixel((reduced.width // 2, reduced.height // 2)), RED, by=3)


def test_16_bits_of_grey_are_grey():
    assert np.asarray(open_picture(FILES / "gray16.png")).mean() == pytest.approx(146.5, abs=0.5)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "CMYK"])
def test_the_colours_of_a_tiff_are_its_own(mode, compression):
    picture = Image.new("RGB", (48, 32), RED).convert(mode)
    assert near(open_picture(encoded(picture, compression=compression)).getpixel((9, 9)), RED, by=4)


def test_a_tiff_in_lab_is_read():
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.new("RGB", (8, 8), RED), to_lab)
    assert near(open_picture(encoded(lab)).getpixel((4, 4)), RED, by=5)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@given(levels=st.lists(st.integers(0, 65535), min_size=16, max_size=16))
@settings(max_examples=25)
def test_16_bits_become_8_in_proportion(kind, levels):
    deep = np.array(levels, np.uint16).reshape(4, 4)
    found = np.asarray(open_picture(encoded(Image.fromarray(deep), kind)))
    assert near(found[..., 0], deep / 257, by=1)


def test_12_bits_fill_their_range():
    """Two values in three bytes; 4095 is white."""
    values = [0, 4095, 2048, 1024]
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x04, 0x00])
    tags = [(256, 4, 2), (257, 4, 2), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 8),
            (277, 3, 1), (278, 4, 2), (279, 4, 6)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    data = b"II*\0" + struct.pack("<I", 14) + packed + struct.pack("<H", len(tags)) + entries + bytes(4)
    found = np.asarray(open_picture(data))[..., 0].ravel()
    assert near(found, np.array(values) / 4095 * 255, by=1)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floats_are_seen_in_the_range_that_they_fill(white, inverted):
    ramp = np.linspace(0, white, 64, dtype=np.float32).reshape(8, 8)
    data = encoded(Image.fromarray(ramp), tiffinfo={262: 0 if inverted else 1})
    expected = ramp / white * 255
    assert near(np.asarray(open_picture(data))[..., 0], 255 - expected if inverted else expected, by=1)


def test_light_above_1_is_white_and_what_is_no_number_is_black():
    values = np.array([[0.5, 1.7, np.nan, -3, np.inf]], np.float32)
    found = np.asarray(open_picture(encoded(Image.fromarray(values))))[0, :, 0]
    assert found.tolist() == [128, 255, 0, 0, 255]


@pytest.mark.parametrize("white", [255, 65535])
def test_32_bit_integers_are_seen_in_the_range_that_they_fill(white):
    ramp = np.linspace(0, white, 64).astype(np.int32).reshape(8, 8)
    found = np.asarray(open_picture(encoded(Image.fromarray(ramp))))
    assert near(found[..., 0], ramp / white * 255, by=1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_profile_is_applied_in_every_container(kind):
    with Image.open(FILES / "p3.png") as picture:
        stored, profile = picture.getpixel((48, 48)), picture.info["icc_profile"]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.new("RGB", (32, 32), stored), kind, icc_profile=profile, **options)
    assert near(open_picture(data).getpixel((9, 9)), RED, by=3)


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_transparency_survives_a_profile(mode):
    with Image.open(FILES / "p3.png") as picture:
        profile = picture.info["icc_profile"]
    clear = Image.new("RGBA", (16, 16), (190, 55, 48, 0))
    clear.paste((190, 55, 48, 255), (0, 0, 8, 16))
    data = encoded(clear.convert(mode), "PNG", icc_profile=profile)
    opened = open_picture(data, transparent=True)
    assert opened.mode == "RGBA"
    assert opened.getpixel((12, 8))[3] == 0
    assert opened.getpixel((4, 8))[3] == 255
    if mode != "LA":
        assert near(opened.getpixel((4, 8))[:3], RED, by=4)


def test_a_picture_in_srgb_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.fromarray(pixels), "PNG", icc_profile=profile)
    assert (np.asarray(open_picture(data)) == pixels).all()


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "CMYK"])
@given(profile=st.binary(max_size=200))
@settings(max_examples=15)
def test_a_profile_that_is_none_changes_nothing(mode, profile):
    picture = Image.new("RGB", (8, 8), "white").convert(mode)
    assert open_picture(encoded(picture, icc_profile=profile)).getpixel((4, 4)) == (255, 255, 255)


def test_a_gamma_that_is_not_srgbs_is_applied():
    png = encoded(Image.new("L", (8, 8), 55), "PNG")
    linear = with_chunk(png, b"gAMA", struct.pack(">I", 100_000))
    usual = with_chunk(png, b"gAMA", struct.pack(">I", 45_455))
    told_apart = with_chunk(linear, b"sRGB", b"\0")
    assert near(open_picture(linear).getpixel((4, 4)), (127,) * 3, by=2)
    assert open_picture(usual).getpixel((4, 4)) == (55,) * 3
    assert open_picture(told_apart).getpixel((4, 4)) == (55,) * 3


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * (3 * 2**20))),
        (b"tEXt", b"Comment\0" + b"x" * (3 * 2**20)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * (80 * 2**20))),
        (b"iCCP", b"icc\0\0" + zlib.compress(bytes(3 * 2**20))),
        (b"iCCP", b"icc\0\0no zlib"),
        (b"iCCP", b"icc\0\7" + zlib.compress(bytes(9))),
        (b"eXIf", b"no exif"),
        (b"eXIf", b"MM\0*" + bytes(2**20)),
    ],
)
def test_long_and_broken_chunks_are_skipped(kind, body):
    png = encoded(Image.new("RGB", (8, 8), RED), "PNG")
    assert open_picture(with_chunk(png, kind, body)).getpixel((4, 4)) == RED


def test_a_damaged_chunk_that_says_nothing_of_the_look_is_skipped():
    png = bytearray(with_chunk(encoded(Image.new("RGB", (8, 8), RED), "PNG"), b"tEXt", b"Title\0fox"))
    png[46] ^= 1
    assert open_picture(bytes(png)).getpixel((4, 4)) == RED


def exif_block(orientation: int, kind: int, value: bytes) -> bytes:
    """An EXIF block with an orientation and one more entry, of any kind, whose value lies behind."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack("<HHII", 0x9204, kind, 1, 38)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4) + value


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@given(orientation=st.integers(1, 8), entry=st.integers(0, 13), value=st.binary(min_size=8, max_size=8))
@settings(max_examples=40)
def test_of_exif_only_the_orientation_counts(kind, orientation, entry, value):
    pixels = np.zeros((24, 40, 3), np.uint8)
    pixels[:8, :8] = 255  # one corner
    exif = exif_block(orientation, entry, value)
    options = {"lossless": True} if kind == "WEBP" else {}
    opened = open_picture(encoded(Image.fromarray(pixels), kind, exif=exif, **options))
    plain = Image.Exif()
    plain[0x0112] = orientation
    upright = open_picture(encoded(Image.fromarray(pixels), kind, exif=plain, **options))
    assert opened.size == ((40, 24) if orientation < 5 else (24, 40))
    assert (np.asarray(opened) == np.asarray(upright)).all()
    assert "exif" not in opened.info


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once(orientation):
    pixels = np.zeros((24, 40, 3), np.uint8)
    pixels[:8, :8] = 255
    jpeg = Image.Exif()
    jpeg[0x0112] = orientation
    expected = open_picture(encoded(Image.fromarray(pixels), "PNG", exif=jpeg))
    opened = open_picture(encoded(Image.fromarray(pixels), tiffinfo={0x0112: orientation}))
    assert (np.asarray(opened) == np.asarray(expected)).all()


def test_a_phones_48_megapixels_are_read_at_a_fraction():
    data = encoded(Image.new("RGB", (8064, 6048), RED), "JPEG")
    opened = open_picture(data)
    assert opened.size == (4032, 3024)
    assert near(opened.getpixel((9, 9)), RED)
    reduced, size = open_reduced(data, side=64)
    assert size == (8064, 6048)
    assert reduced.size == (1008, 756)


def test_a_jpeg_of_far_too_many_pixels_is_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_JPEG_PIXELS", 1000)
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    data = encoded(Image.new("RGB", (64, 64)), "JPEG")
    for open_it in (open_picture, lambda each: open_reduced(each, side=2)):
        with pytest.raises(PictureError, match="too large"):
            open_it(data)


SEEDS = [
    encoded(Image.effect_mandelbrot((32, 32), (-2, -1, 1, 1), 20).convert("RGB"), kind, **options)
    for kind, options in (
        ("PNG", {}),
        ("JPEG", {"exif": exif_block(6, 5, bytes(8))}),
        ("GIF", {}),
        ("WEBP", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
    )
]


@given(
    data=st.sampled_from(SEEDS),
    cut=st.integers(0, 4000),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
)
@settings(max_examples=300)
def test_a_damaged_file_is_a_picture_or_one_sentence(data, cut, changes):
    damaged = bytearray(data[: cut or None])
    for place, value in changes:
        if place < len(damaged):
            damaged[place] = value
    try:
        said, mode = "", open_picture(bytes(damaged), name="“a.png”").mode
    except PictureError as error:
        said, mode = str(error), ""
    assert mode == "RGB" or said.startswith("“a.png” is ")


def test_decoders_print_and_warn_of_nothing(capfd, caplog):
    lzw = bytearray(encoded(Image.effect_noise((64, 64), 90), compression="tiff_lzw"))
    lzw[40:3000] = bytes(2960)
    tags = encoded(Image.new("RGB", (8, 8)), tiffinfo={700: b"x", 305: "y" * 9})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for data in (bytes(lzw), tags[:-40] + bytes(20), exif_block(1, 5, b"")):
            with pytest.raises(PictureError):
                open_picture(data)
    logging.getLogger("PIL").warning("this one is not ours")
    assert not caught
    assert capfd.readouterr() == ("", "")
    assert [record.message for record in caplog.records] == ["this one is not ours"]


def test_threads_that_decode_at_once_leave_the_warnings_as_they_were():
    data, before = encoded(Image.new("RGB", (64, 64)), "PNG"), list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_picture, [data] * 64))
    assert warnings.filters == before
    assert logging.getLogger("PIL").level == logging.NOTSET
