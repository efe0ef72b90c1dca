"""Files as people have them, at every entrance of the running page: the endpoints and the tabs' uploads."""

import io
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import open_tab, unfold
from tests.browser.test_api import EXAMPLES, client  # noqa: F401 - a fixture
from tests.browser.test_create import paint, state, write
from tests.browser.test_info import drop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]
FILES = Path(__file__).parent.parent / "fixtures" / "files"
SAMPLES = ["exif_negrat.jpg", "bigicc.png", "p3.png", "photo.heic", "gray16.png"]
RED = (208, 32, 32)


def encoded(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((60, 80, 3), RED, np.uint8)).save(file, kind, **options)
    return file.getvalue()


def enormous() -> bytes:
    """A PNG whose header promises ten thousand megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def readable(tmp_path_factory) -> list[Path]:
    """The samples, and a picture in other containers and under odd names."""
    folder = tmp_path_factory.mktemp("files")
    for name in SAMPLES:
        shutil.copy(FILES / name, folder)
    cmyk = io.BytesIO()
    Image.new("RGB", (80, 60), RED).convert("CMYK").save(cmyk, "JPEG")
    others = {
        "cmyk.jpg": cmyk.getvalue(),
        "moving.webp": encoded("WEBP", save_all=True, append_images=[Image.new("RGB", (80, 60))]),
        "moving.png": encoded("PNG", save_all=True, append_images=[Image.new("RGB", (80, 60))]),
        "a jpeg.png": encoded("JPEG"),
        "with spaces é.png": encoded("PNG"),
        "🦊.png": encoded("PNG"),
        "שלום.png": encoded("PNG"),
        "long" * 40 + ".png": encoded("PNG"),
    }
    for name, data in others.items():
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def unreadable(tmp_path_factory) -> list[Path]:
    """Files that are called pictures, and that cannot be read."""
    folder = tmp_path_factory.mktemp("broken")
    noise = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(noise, "PNG")
    broken = {
        "empty.png": b"",
        "words.png": b"words, not pixels",
        "half.png": noise.getvalue()[:9000],
        "half.jpg": encoded("JPEG")[:400],
        "enormous.png": enormous(),
    }
    for name, data in broken.items():
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


def test_one_request_classifies_all_and_names_each_that_is_broken(client, readable, unreadable):  # noqa: F811
    from gradio_client import handle_file

    found = client.predict(
        pictures=[handle_file(str(path)) for path in (*readable, *unreadable)],
        labels="a red square, grey noise",
        api_name="/classify",
    )["pictures"]
    assert [each["picture"] for each in found[: len(readable)]] == [path.name for path in readable]
    assert all("error" not in each for each in found[: len(readable)])
    for each, path in zip(found[len(readable) :], unreadable, strict=True):
        assert each["error"].startswith(f"“{path.name}” is "), each


def test_any_of_them_can_be_searched_by(client, readable, unreadable):  # noqa: F811
    from gradio_client import handle_file

    for path in readable:
        assert client.predict(picture=handle_file(str(path)), api_name="/search")
    for path in unreadable:
        with pytest.raises(Exception, match=f"“{path.name}” is "):
            client.predict(picture=handle_file(str(path)), api_name="/search")


def choose(page, label: str, option: str) -> None:
    page.get_by_label(ENGLISH(label), exact=True).click()
    page.get_by_role("option", name=ENGLISH(option), exact=True).click()


@pytest.mark.parametrize("name", ["exif_negrat.jpg", "photo.heic", "p3.png"])
def test_a_sample_is_the_start_and_a_prompt(visit, name):
    page = visit()
    write(page, "")
    unfold(page, ENGLISH("Start and picture prompts"))
    choose(page, "Start from", "your picture")
    page.locator("#pg-start-picture").wait_for()
    for upload in ("#pg-start-picture", "#pg-picture-prompts"):
        page.locator(f"{upload} input[type=file]").set_input_files(FILES / name)
        page.locator(f"{upload} .file-preview").wait_for()
    paint(page)
    state(page, "done")
    assert page.locator("#pg-status").get_by_text(name).is_visible()


def test_the_tab_reads_settings_of_another_program(visit):
    page = visit()
    drop(page, FILES / "webui_template.png")
    shown = page.locator(".pg-info", has_text="a lighthouse at sea")
    shown.wait_for()
    for part in ("fog", "512 × 768", "Template"):
        assert shown.get_by_text(part).first.is_visible()


def test_the_classify_tab_takes_them_all_at_once(visit, readable, unreadable):
    page = visit()
    open_tab(page, ENGLISH("Classify"))
    page.locator("#pg-labels textarea").fill("a red square\ngrey noise")
    page.locator("#pg-pictures input[type=file]").set_input_files(
        [*readable, *unreadable, EXAMPLES / "fox.png"]
    )
    page.locator("#pg-pictures").get_by_text("fox").wait_for()
    page.keyboard.press("Control+Enter")
    page.locator("#pg-looking [data-state=done]").wait_for()
    answers = page.locator("#pg-answers")
    assert answers.locator(".pg-table tbody tr").count() >= len(readable) + 1
    assert answers.get_by_text("enormous.png").first.is_visible()
