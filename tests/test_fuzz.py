"""Hostile input: whatever is typed, sent or saved in a file, the answer is a result or a PixgenError.

Each test tries some hundred inputs; with ``PIXGEN_FUZZ=50`` fifty times as many, as ``scripts/test --long`` does.
"""

import io
import json
import os
import random
import string
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixgen.errors import PixgenError
from pixgen.images import open_picture, open_reduced
from pixgen.models.checkpoints.reading import read_weights
from pixgen.models.clip.custom import find_custom_clip
from pixgen.models.vqgan.custom import read_vqgan_config
from pixgen.recipe.base import set_field
from pixgen.recipe.journey import parse_keyframes
from pixgen.recipe.kornia_classes import parse_augmentation
from pixgen.recipe.options import find_mistyped_weights, parse_init, parse_region, parse_size
from pixgen.recipe.prompts import find_ambiguous_weights, format_prompts, parse
from pixgen.recipe.recipe import Recipe, make_recipe, read_recipe
from pixgen.recipe.story import read_rows, read_story
from pixgen.recipe.styles import read_styles
from pixgen.recipe.wildcards import draw_wildcards, expand_wildcards
from pixgen.studio.grids.plans import read_axis
from pixgen.studio.metadata.picture_info import read_info
from pixgen.studio.prompt_help import check_typed_prompt
from pixgen.studio.runs.retention import parse_retention
from pixgen.studio.video.source import probe
from pixgen.text_files import decode
from pixgen.vision.images import PictureArchive
from pixgen.vision.search.query import Filter, parse_date, parse_query
from pixgen.vision.zeroshot.labels import parse_labels, parse_templates, read_label_set
from pixgen.vision.zeroshot.sources import collect_sources

FILES = Path(__file__).parent / "fixtures" / "files"
TIMES = int(os.environ.get("PIXGEN_FUZZ", "1"))
LENIENT = {"deadline": None, "suppress_health_check": list(HealthCheck)}

# Pieces that grammars care about, between any letters, surrogates included.
PIECES = [
    "|", "^", ":", "[", "]", "@", "\\", "{", "}", "__", "__animal__", "@left", ":2", ":-1e9", "10:30", "http://a.b:1",
    "+", " - ", "=", ",", ";", "\n", "\r", "\t", "\0", '"', "'", "(", ")", "<", ">", "nan", "inf", "-inf", "1e400",
    "9" * 400, "null", "true", "[null]", "{}", "[[", "0:1", "9999-12-31", "0001-01-01", "-0", "½", "\ud800", "\udcff",
    "\u202e", "é", "日本", "🦊", "ÿ", "seed=1-4", "%", "x", "64x64", "prompt", "Steps: 20", "Negative prompt:",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


TRIED: Counter[str] = Counter()  # inputs, by test


@pytest.fixture(scope="module", autouse=True)
def report(pytestconfig):
    """Print how many inputs were tried, and what gives the same ones again."""
    yield
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    if TRIED and reporter is not None:
        parts = ", ".join(f"{name} {count}" for name, count in TRIED.most_common())
        reporter.write_line(f"\n{TRIED.total()} hostile inputs: {parts}")
        reporter.write_line(
            f"The same again: PIXGEN_FUZZ={TIMES}; hypothesis is derandomised, files are seeded by their reader."
        )


def tries(count: int) -> settings:
    return settings(max_examples=count * TIMES, **LENIENT)


def parse_twice(text: str) -> None:
    scenes = parse(text)
    assert parse(format_prompts(scenes)) == scenes


def set_one(text: str) -> None:
    fields: dict = {}
    set_field(fields, text)
    make_recipe({"prompts": "a fox"}, fields)


PARSERS: dict[str, Callable[[str], object]] = {
    "prompts": parse_twice, "wildcards": expand_wildcards, "drawn": lambda text: draw_wildcards(text, 1),
    "ambiguous": find_ambiguous_weights, "mistyped": find_mistyped_weights, "region": parse_region,
    "size": parse_size, "init": parse_init, "set": set_one, "keyframes": parse_keyframes,
    "augmentation": parse_augmentation, "grid": read_axis, "query": parse_query, "date": parse_date,
    "labels": parse_labels, "templates": parse_templates, "keep": parse_retention, "styles": read_styles,
    "recipe": read_recipe, "help": check_typed_prompt, "filter": lambda text: Filter(prompt=text, folder=text),
    "journey": lambda text: make_recipe({"prompts": "a", "journey": {"every": 1, "zoom": text}}),
}  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS)
@tries(40)
@given(text=TEXTS)
def test_typed_texts(parser, text):
    TRIED["texts"] += 1
    with suppress(PixgenError):
        PARSERS[parser](text)


def known_fields() -> st.SearchStrategy[dict]:
    """Objects with the names of a recipe's fields, two levels deep, and any values."""
    outer = list(Recipe.model_fields)
    inner = [
        "every",
        "zoom",
        "x",
        "own",
        "kind",
        "count",
        "augmentations",
        "at",
        "name",
        "sketch",
        "starts",
        "idea",
    ]
    values = ANYTHING | st.dictionaries(st.sampled_from(inner), ANYTHING, max_size=3)
    return st.dictionaries(st.sampled_from(outer), values, max_size=5)


@tries(300)
@given(fields=known_fields())
def test_recipes(fields):
    TRIED["recipes"] += 1
    with suppress(PixgenError):
        recipe = make_recipe({"prompts": "a fox"}, fields)
        assert read_recipe(recipe.to_json()) == recipe


@tries(100)
@given(value=ANYTHING)
def test_recipes_as_json(value):
    TRIED["recipes"] += 1
    with suppress(PixgenError):
        read_recipe(json.dumps(value))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, '{"a":' * 10_000 + "1" + "}" * 10_000, '{"prompts": ' + "[" * 60 + "]" * 60 + "}",
        '{"seed": ' + "1" * 5000 + "}", '{"journey": {"x": [null]}, "prompts": "a"}', '{"prompts": NaN}',
        '{"prompts": "a", "width": Infinity}', '{"prompts": "\\ud800"}', '{"prompts": [[{"text": "\\udfff"}]]}',
    ],
)  # fmt: skip
def test_recipes_that_broke_once(text):
    with pytest.raises(PixgenError):
        read_recipe(text)


def test_settings_that_broke_once():
    with pytest.raises(PixgenError):
        set_one("seed=" + "1" * 4301)


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "picture": ("a.png", open_picture),
    "reduced": ("a.jpg", lambda path: open_reduced(path, side=32)),
    "info": ("a.png", read_info),
    "story": ("a.csv", lambda path: read_story(read_rows(path))),
    "labels": ("a.txt", read_label_set),
    "labels as JSON": ("a.json", read_label_set),
    "vqgan": ("a.yaml", read_vqgan_config),
    "weights": ("a.ckpt", read_weights),
    "safetensors": ("a.safetensors", read_weights),
    "clip": ("a.pt", lambda path: find_custom_clip(str(path))),
    "zip": ("a.zip", lambda path: [source.open_reduced(8) for source in collect_sources([path])]),
}


def a_zip(kind: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name in ("a.png", "....png", "a/../b.png", "..", "日.jpg"):
            archive.writestr(name, (FILES / "p3.png").read_bytes())
    return file.getvalue()


def seeds() -> list[bytes]:
    """Whole files of every kind, which are then damaged."""
    names = [
        "p3.png", "exif_negrat.jpg", "gray16.png", "photo.heic", "webui_template.png", "semi.csv", "cp1252.csv",
        "lfs.ckpt", "lfs.yaml",
    ]  # fmt: skip
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return [
        *((FILES / name).read_bytes() for name in names),
        *map(a_zip, kinds),
        b"",
        b"{}",
        b"prompt,weight\na,1\n",
    ]


def damage(data: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, a part taken out, put twice or cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed) + 1)
        until = min(len(changed), at + chance.choice((1, 2, 4, 40)))
        kind = chance.randrange(5)
        if kind == 0:
            changed[at:until] = chance.randbytes(until - at)
        elif kind == 1:
            del changed[at:until]
        elif kind == 2:
            changed[at:at] = changed[at:until]
        elif kind == 3:
            changed[at:until] = chance.choice((b"\0", b"\xff", b"\x7f", b"\r", b'"')) * (until - at)
        else:
            changed[at:at] = chance.choice(string.printable).encode()
    return bytes(changed[: chance.randrange(len(changed) + 1)] if chance.random() < 0.2 else changed)


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files(reader, tmp_path):
    name, read = READERS[reader]
    chance = random.Random(reader)
    whole = seeds()
    for number in range(60 * TIMES):
        TRIED["files"] += 1
        data = damage(whole[number % len(whole)], chance)
        path = write(tmp_path, name, data)
        try:
            read(path)
        except PixgenError:
            continue
        except Exception as error:
            raise AssertionError(f"{reader}: input {number} of seed {reader!r} raised {error!r}") from error


@tries(150)
@given(data=st.binary(max_size=400))
def test_texts_in_any_encoding(data):
    TRIED["encodings"] += 1
    with suppress(UnicodeError):
        assert isinstance(decode(data), str)


@tries(60)
@given(text=TEXTS)
def test_tables(text, tmp_path_factory):
    TRIED["tables"] += 1
    path = write(
        tmp_path_factory.mktemp("tables"), "a.csv", ("prompt;weight\n" + text).encode("utf-8", "replace")
    )
    with suppress(PixgenError):
        read_story(read_rows(path))


def test_an_archive_of_every_compression_is_read_or_refused(tmp_path):
    chance = random.Random(3)
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        for _ in range(40 * TIMES):
            TRIED["zips"] += 1
            with suppress(PixgenError):
                archive = PictureArchive(write(tmp_path, "a.zip", damage(a_zip(kind), chance)))
                for name in archive.names():
                    with suppress(PixgenError):
                        archive.read(name)


@pytest.mark.parametrize("name", ["hlg.mp4", "qt.mov"])
def test_damaged_videos(name, tmp_path):
    chance = random.Random(name)
    for _ in range(6 * TIMES):
        TRIED["videos"] += 1
        path = write(tmp_path, name, damage((FILES / name).read_bytes(), chance))
        with suppress(PixgenError):
            probe(path, fps=5, most=3)
