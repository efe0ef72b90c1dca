"""Recipes in files: what is written is read, and nothing read does harm."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pixgen.errors import PictureError, PixgenError, RecipeError, StorageError
from pixgen.studio.metadata.picture_info import read_metadata, save_png
from pixgen.studio.video.export import VideoWriter
from tests.studio.fakes import a_recipe

PICTURE = np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3)
RECIPES = [
    a_recipe(),
    a_recipe(prompts=r"ein Fuchs im Schnee: früh \| spät = # ; \\ 狐 🦊 :2 | [a b.png]:-1:-0.5"),
    a_recipe(prompts="|".join(f"{number} " + "x" * 1990 for number in range(100))),  # 200 KB
]
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize("recipe", RECIPES, ids=["short", "odd", "long"])
def test_a_png_carries_its_recipe_and_its_pixels(tmp_path, recipe):
    save_png(PICTURE, tmp_path / "a.png", recipe)
    assert read_metadata(tmp_path / "a.png") == recipe
    with Image.open(tmp_path / "a.png") as picture:
        assert (np.asarray(picture) == PICTURE).all()
        assert picture.info["Software"].startswith("pixgen ")


@pytest.mark.parametrize("recipe", RECIPES, ids=["short", "odd", "long"])
def test_a_video_carries_its_recipe(tmp_path, recipe):
    with VideoWriter(tmp_path / "a.mp4", recipe=recipe) as film:
        film.add(PICTURE)
    assert read_metadata(tmp_path / "a.mp4") == recipe


def test_a_json_file_is_a_recipe_whatever_its_name(tmp_path):
    (tmp_path / "a.txt").write_text("\ufeff " + a_recipe(seed=4).to_json(), "utf-8")
    assert read_metadata(tmp_path / "a.txt") == a_recipe(seed=4)


@SHARED
@given(text=st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_prompt_survives_a_png(tmp_path, text):
    prompts = [[{"text": text}]]
    try:
        recipe = a_recipe(prompts=prompts)
    except RecipeError:
        return  # white space only, or half a surrogate pair: no prompt
    save_png(PICTURE[:1, :1], tmp_path / "a.png", recipe)
    assert read_metadata(tmp_path / "a.png") == recipe


def test_a_picture_without_a_recipe_says_so(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "plain.png")
    with pytest.raises(PictureError, match=r"“plain.png” contains no recipe"):
        read_metadata(tmp_path / "plain.png")


def test_a_video_without_a_recipe_says_so(tmp_path):
    with VideoWriter(tmp_path / "plain.mp4") as film:
        film.add(PICTURE)
    with pytest.raises(PictureError, match="contains no recipe"):
        read_metadata(tmp_path / "plain.mp4")


@pytest.mark.parametrize("name", ["nothing.png", "", "a\0b.png"])
def test_a_file_that_is_not_there_says_so(tmp_path, name):
    with pytest.raises(PictureError, match="cannot be read"):
        read_metadata(tmp_path / name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"{",
        b"\x89PNG\r\n\x1a\n",
        b'{"prompts": "a", "width": 7}',
        b"{" + b" " * (5 * 2**20) + b"}",
        b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x01moov" + b"\xff" * 8,
        b"\0\0\0\x10ftypisom\0\0\0\0" + b"\xff\xff\xff\xffmoov",
        b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\0free",
    ],
)
def test_a_file_that_is_nonsense_is_a_clear_error(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises((PictureError, RecipeError)):
        read_metadata(tmp_path / "file")


@SHARED
@given(data=st.data())
def test_a_damaged_file_is_read_or_is_a_clear_error(tmp_path, data):
    sound = tmp_path / "sound.mp4"
    if not sound.exists():
        with VideoWriter(sound, recipe=a_recipe()) as film:
            film.add(PICTURE)
        save_png(PICTURE, tmp_path / "sound.png", a_recipe())
    which = data.draw(st.sampled_from(["sound.mp4", "sound.png"]))
    damaged = bytearray((tmp_path / which).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged").write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    with suppress(PixgenError):
        read_metadata(tmp_path / "damaged")


def test_a_picture_that_cannot_be_written_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="could not be saved"):
        save_png(PICTURE, tmp_path / "gone" / "a.png", a_recipe())
