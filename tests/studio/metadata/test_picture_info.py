"""How pictures were made: by pixgen in every format, by other programs as far as it maps, and hostile files."""

import json
import struct
import zlib

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pixgen.errors import PictureError, PixgenError, RecipeError
from pixgen.studio.metadata.picture_info import read_info, read_metadata, save_png
from pixgen.studio.video.export import VideoWriter, export
from tests.studio.fakes import a_recipe

PIXELS = np.full((8, 8, 3), 90, np.uint8)


@pytest.fixture
def foreign(tmp_path):
    """Writes a PNG with other texts than pixgen's; its path."""

    def write(**texts: str):
        info = PngImagePlugin.PngInfo()
        for name, text in texts.items():
            info.add_text(name, text)
        Image.fromarray(PIXELS).save(tmp_path / "foreign.png", pnginfo=info)
        return tmp_path / "foreign.png"

    return write


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, which need not be sound."""
    header = (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in (header, *chunks, (b"IEND", b"")):
        data += struct.pack(">I", len(content)) + kind + content
        data += struct.pack(">I", zlib.crc32(kind + content))
    return data


def test_pixgens_own_picture_tells_its_recipe(tmp_path):
    save_png(PIXELS, tmp_path / "a.png", a_recipe(seed=11))
    info = read_info(tmp_path / "a.png")
    assert (info.program, info.recipe, info.left_out) == ("pixgen", a_recipe(seed=11), ())
    assert info.has_seed
    assert info.missing == ()


def test_a_recipe_that_needs_pictures_says_which(tmp_path):
    save_png(PIXELS, tmp_path / "a.png", a_recipe(prompts="a fox | [gone.jpg]"))
    assert read_info(tmp_path / "a.png").missing == ("gone.jpg",)


def test_pixrays_settings_are_mapped_and_the_rest_is_told(foreign):
    info = read_info(foreign(
        Software="pixray (v1.7.2)", pixray_prompts="a red fox:2 | text:-1:-0.9", pixray_quality="better",
        pixray_aspect="square", pixray_num_cuts="12", pixray_batches="2", pixray_seed="4711",
        pixray_seed_used="4711", pixray_drawer="fft", pixray_clip_models="RN50", pixray_output="x.png",
        pixray_init_image="dog.jpg",
    ))  # fmt: skip
    recipe = info.recipe
    assert info.program == "pixray"
    assert recipe.prompt == "a red fox :2 | text :-1 :-0.9"
    assert (recipe.seed, recipe.steps, recipe.width, recipe.height) == (4711, 300, 432, 432)
    assert (recipe.cutouts.count, recipe.cutouts.batches, recipe.drawer) == (24, 2, "fourier")
    assert info.left_out == (("clip_models", "RN50"), ("init_image", "dog.jpg"))


def test_pixrays_own_defaults_are_used_where_it_is_silent(foreign):
    recipe = read_info(foreign(pixray_prompts="['a fox', 'snow']", pixray_seed_used="9")).recipe
    assert recipe.prompt == "a fox | snow"
    assert (recipe.steps, recipe.width, recipe.height) == (250, 384, 208)


def test_webuis_parameters_are_mapped_and_the_rest_is_told(foreign):
    info = read_info(
        foreign(
            parameters=(
                "a (red:1.3) fox, ((snow)), [trees] <lora:fur:0.8>, \\(ink\\)\nNegative prompt: text, (blurry)\n"
                'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x768, Model: "x, y"'
            )
        )
    )
    first, second = info.recipe.prompts[0]
    assert (first.text, first.weight) == ("a red fox, snow, trees, (ink)", 1)
    assert (second.text, second.weight, second.stop) == ("text, blurry", -1, -0.9)
    recipe = info.recipe
    assert (recipe.steps, recipe.seed, recipe.width, recipe.height) == (20, 965400086, 512, 768)
    left = dict(info.left_out)
    assert left["Sampler"] == "Euler a"
    assert left["Model"] == "x, y"
    assert "(red:1.3)" in left["emphasis"] or "(blurry)" in left["emphasis"]
    assert left["network"] == "<lora:fur:0.8>"


def with_exif(path, comment: bytes):
    """A JPEG or WebP with a comment in its EXIF, as stable-diffusion-webui writes it; its path."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    Image.fromarray(PIXELS).save(path, exif=exif)
    return path


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
@pytest.mark.parametrize(
    ("mark", "code"),
    [(b"UNICODE\0", "utf-16-be"), (b"UNICODE\0", "utf-16-le"), (b"ASCII\0\0\0", "ascii")],
)
def test_webuis_jpegs_and_webps_tell_their_parameters_too(tmp_path, name, mark, code):
    said = "a red fox\nNegative prompt: text\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 512x768"
    info = read_info(with_exif(tmp_path / name, mark + said.encode(code)))
    assert info.program == "stable-diffusion-webui"
    assert info.recipe.prompt == "a red fox | text :-1 :-0.9"
    assert (info.recipe.steps, info.recipe.seed, info.recipe.height) == (20, 7, 768)
    assert info.left_out == (("Sampler", "Euler a"),)


def test_a_photograph_says_that_it_carries_no_recipe(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "plain.jpg")
    cut = (with_exif(tmp_path / "cut.jpg", b"UNICODE\0a\0b")).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(cut[:40])
    (tmp_path / "odd.jpg").write_bytes(b"\xff\xd8\xff\xe1\0\x10Exif\0\0nonsense")
    for name in ("plain.jpg", "cut.jpg", "odd.jpg"):
        with pytest.raises(PictureError, match="contains no recipe"):
            read_info(tmp_path / name)


def test_a_prompt_alone_is_enough(foreign):
    info = read_info(foreign(parameters="a red fox"))
    assert info.recipe.prompt == "a red fox"
    assert info.has_seed is False


def test_the_comment_of_vqgan_clip_is_its_prompts(foreign):
    info = read_info(foreign(comment="['a red fox:2', 'snow | [x] ^ y']"))
    assert info.program == "VQGAN-CLIP"
    assert [prompt.text for prompt in info.recipe.prompts[0]] == ["a red fox", "snow", "[x] ^ y"]
    assert info.has_seed is False


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": "\n\n"},
        {"parameters": "Steps: 1, Seed: 2, Size: 64x64"},
        {"comment": "[]"},
        {"comment": "a holiday"},
        {"pixray_seed_used": "5"},
        {"comment": "[" * 5000},
        {"Author": "somebody"},
        {"pixray_prompts": "|", "pixray_scale": "1e999"},
    ],
)
def test_a_picture_without_words_says_so(foreign, texts):
    with pytest.raises(PixgenError, match=r"contains no recipe|does not contain a prompt"):
        read_info(foreign(**texts))


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        ({"pixray_prompts": "a", "pixray_seed_used": "sun"}, ("seed", "sun")),
        ({"pixray_prompts": "a", "pixray_iterations": "-3"}, ("iterations", "-3")),
        ({"pixray_prompts": "a", "pixray_scale": "1e999"}, ("scale", "1e999")),
        ({"parameters": "a\nSteps: 9, Sampler: x, Seed: -1, Size: 9x9"}, ("Seed", "-1")),
    ],
)
def test_what_is_out_of_range_is_left_out(foreign, texts, left):
    assert left in read_info(foreign(**texts)).left_out


def test_long_texts_end(foreign):
    for text in (" " * 10**6 + "x", "a" * 10**6, "(" * 10**6, "<" * 10**6, "a:" * 10**6):
        info = read_info(foreign(parameters=f"a fox\nNegative prompt: {text}"))
        assert len(info.recipe.prompts[0][-1].text) <= 2000


def test_a_text_of_a_hundred_megabytes_is_one_sentence(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png((b"tEXt", b"pixgen\0" + b" " * (100 * 2**20))))
    with pytest.raises(PictureError, match="a text of 100 MB: at most 4 MB can be read"):
        read_info(path)


def test_a_packed_text_that_swells_is_one_sentence(tmp_path):
    bomb = zlib.compress(b" " * (64 * 2**20), 9)
    for kind, head in ((b"zTXt", b"pixgen\0\0"), (b"iTXt", b"pixgen\0\1\0\0\0")):
        (tmp_path / "bomb.png").write_bytes(png((kind, head + bomb)))
        with pytest.raises(PictureError, match="more than 4 MB"):
            read_info(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"prompts": "a fox", ', "its JSON is invalid at line 1"),
        ('{"prompts": "a fox", "version": 3}', "has version 3 and was written by a newer pixgen"),
        ('{"prompts": "a fox", "wings": 2}', "does not know the recipe's field “wings”"),
        ('{"prompts": "a fox", "steps": -1}', "steps must be"),
        ("[1]", "contains no recipe"),
        ('{"a":' * 100_000, "too large"),
        ('{"seed": ' + "9" * 5000 + "}", "not"),
        ("{" + " " * (5 * 2**20), "too long"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_one_sentence(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises((PictureError, RecipeError), match=said) as caught:
        read_info(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_was_read_is_a_recipe_again(foreign, tmp_path):
    recipe = read_metadata(foreign(parameters="a fox\nSteps: 9, Sampler: x, Seed: 3, Size: 64x64"))
    (tmp_path / "b.json").write_text(json.dumps(recipe.model_dump(mode="json")))
    assert read_metadata(tmp_path / "b.json") == recipe


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
def test_a_video_of_every_format_tells_its_recipe_and_still_plays(tmp_path, suffix, frames_of):
    recipe = a_recipe(prompts="a fox “in” <the> snow & 狐 | " + "x" * 700)
    with VideoWriter(tmp_path / "film.mp4", recipe=recipe) as film:
        for shade in range(0, 240, 40):
            film.add(np.full((16, 24, 3), shade, np.uint8))
    export(tmp_path / "film.mp4", tmp_path / f"out{suffix}")
    assert read_info(tmp_path / f"out{suffix}").recipe == recipe
    out = tmp_path / f"out{suffix}"
    pictures = suffix in (".gif", ".webp")
    frames = list(iio.imiter(out)) if pictures else frames_of(out, width=24, height=16)
    assert len(frames) > 1
    assert frames[0].shape == (16, 24, 3)


SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768"


def test_the_settings_are_found_before_what_extensions_write(request):
    info = read_info(request.path.parents[2] / "fixtures" / "files" / "webui_template.png")
    recipe = info.recipe
    assert [(each.text, each.weight) for each in recipe.prompts[0]] == [
        ("a lighthouse at sea", 1),
        ("fog", -1),
    ]
    assert (recipe.width, recipe.height, recipe.steps, recipe.seed) == (512, 768, 20, 5)
    assert ("Template", "a {lighthouse|boat} at sea") in info.left_out
    assert ("Negative Template", "fog") in info.left_out


@pytest.mark.parametrize("behind", [[], ["Template: x"], ["Wildcard prompt: y", "", "free words"]])
@pytest.mark.parametrize("negative", ["", "Negative prompt: fog\nand rain", "negative prompt:fog\nand rain"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_webuis_lines_are_recognised_wherever_they_stand(foreign, negative, behind, end):
    said = ["a sign that says Negative prompt: no", "style: oil, mood: calm, light: dim"]
    info = read_info(foreign(parameters=end.join([*said, *negative.split("\n"), SETTINGS, *behind])))
    texts = [each.text for each in info.recipe.prompts[0]]
    assert texts == [" ".join(said), *(["fog and rain"] if negative else [])]
    assert (info.recipe.steps, info.recipe.seed) == (20, 5)
    assert all(any(line.endswith(value) for _, value in info.left_out) for line in behind if line)


def test_a_value_in_braces_is_one_value(foreign):
    info = read_info(foreign(parameters=f'a fox\n{SETTINGS}, Hashes: {{"a": "b", "c": "d"}}, Version: 1'))
    assert ("Hashes", '{"a": "b", "c": "d"}') in info.left_out


@pytest.mark.parametrize(
    "chunk",
    [
        (b"tEXt", b"XML:com.adobe.xmp\0" + b" " * (5 * 2**20)),
        (b"zTXt", b"Raw profile type icc\0\0" + zlib.compress(bytes(9 * 2**20))),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0no zlib"),
        (b"iTXt", b"cut off"),
    ],
)
def test_texts_of_cameras_are_skipped_where_they_are_long_or_broken(chunk, tmp_path):
    said = b"parameters\0a fox\n" + SETTINGS.encode()
    (tmp_path / "photo.png").write_bytes(png(chunk, (b"tEXt", said)))
    assert read_info(tmp_path / "photo.png").recipe.seed == 5
