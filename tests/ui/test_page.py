"""The page as it is built: what is offered to whom, and how files leave the server."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest

from pixgen.studio import Policy, Studio
from pixgen.ui import canvas, html, status
from pixgen.ui.components import servable
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.page import STATIC, build


def built(studio: Studio) -> gr.Blocks:
    """The page, made inside an event loop: elsewhere gradio makes loops that it never closes."""

    async def build_here() -> gr.Blocks:
        return build(studio)

    # On a thread of its own: while a browser is open, the main thread has a loop already.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(build_here())).result()


@pytest.fixture
def page(studio):
    """The page over a studio of waves."""
    return built(studio)


def test_only_the_named_endpoints_are_for_others_to_call(page):
    public = page.get_api_info()["named_endpoints"]
    assert sorted(public) == ["/classify", "/generate", "/queue", "/search"]
    parameters = [each["parameter_name"] for each in public["/generate"]["parameters"]]
    assert parameters == ["prompt", "preset", "size", "steps", "seed"]
    asked = {each["parameter_name"] for each in public["/search"]["parameters"]}
    assert asked >= {
        "model",
        "after",
        "before",
        "folder",
        "side",
        "said",
        "preset",
        "drawn_by",
        "seed",
    }
    assert "model" in {each["parameter_name"] for each in public["/classify"]["parameters"]}
    assert all(fn.api_visibility == "private" for fn in page.fns.values() if f"/{fn.api_name}" not in public)


def test_nothing_is_told_to_others_and_old_files_go(page):
    assert page.analytics_enabled is False
    assert page.delete_cache == (3600, 86400)


def test_watching_is_not_limited_by_gradios_own_queue(page):
    generators = [fn for fn in page.fns.values() if fn.types_generator]
    limited = [fn for fn in generators if fn.concurrency_limit is not None]
    assert len(generators) > len(limited)
    assert {fn.concurrency_id for fn in limited} == {"exports"}  # these work, they do not only watch


def test_every_control_has_a_name_to_be_read_out(page):
    for block in page.blocks.values():
        if isinstance(block, (gr.Textbox, gr.Radio, gr.Dropdown, gr.Slider, gr.File, gr.Checkbox)):
            assert block.label, block
        if isinstance(block, gr.Button) and block.elem_id:
            assert block.value, block.elem_id


def test_a_space_with_oauth_offers_to_sign_in_with_hugging_face(make_studio, monkeypatch):
    def buttons():
        blocks = built(make_studio()).blocks.values()
        return [block.value for block in blocks if isinstance(block, gr.LoginButton)]

    assert buttons() == []
    monkeypatch.setattr("pixgen.ui.page.offers_hugging_face", lambda: True)
    monkeypatch.setattr("gradio.routes.attach_oauth", lambda app: None)  # it asks the network who one is
    assert buttons() == ["Sign in with Hugging Face", "Hugging Face ile giriş yap"]


def test_the_public_page_offers_no_more_than_its_policy(make_studio):
    page = built(make_studio(policy=Policy.for_public()))
    sliders = {block.label: block for block in page.blocks.values() if isinstance(block, gr.Slider)}
    assert sliders[ENGLISH("Steps")].maximum == 500
    assert not page.api_open  # what waits in the queue cannot be called without waiting in it


def test_a_served_file_is_a_copy_byte_by_byte(tmp_path):
    source = tmp_path / "outside" / "picture.png"
    source.parent.mkdir()
    source.write_bytes(b"\x89PNG of someone")
    button = gr.DownloadButton("Picture")
    button.GRADIO_CACHE = str(tmp_path / "cache")
    copies = {servable(source, button, name="a-fox-7.png") for _ in range(2)}
    (copy,) = copies
    assert copy.endswith("/a-fox-7.png")
    assert copy.startswith(str(tmp_path / "cache"))
    with open(copy, "rb") as file:
        assert file.read() == source.read_bytes()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (3725, "62 min 05 s"), (-1, "0 s")],
)
def test_time_as_people_say_it(seconds, said):
    assert status.duration(ENGLISH, seconds) == said


def test_an_empty_page_invites_and_asks_no_other_server():
    shown = canvas.empty_html(ENGLISH) + status.idle_html() + html.header(ENGLISH) + html.prompt_tips(ENGLISH)
    assert ENGLISH("Describe a picture and watch it grow.") in shown
    assert "http" not in shown


def test_the_sample_of_the_api_page_is_a_prompt(page):
    (named,) = (each for path, each in page.get_api_info()["named_endpoints"].items() if path == "/generate")
    assert named["parameters"][0]["example_input"] == "a red fox on a snowy hill"


def test_selectors_of_media_queries_outlast_what_gradio_puts_before_them():
    """Gradio puts its own classes before each selector there, and after every comma, also one in brackets."""
    queries = re.findall(
        r"^@media [^{]*\{(?:(?:.*\}$)|(?:\n  .*)*\n\})",
        (STATIC / "page.css").read_text("utf-8"),
        re.MULTILINE,
    )
    selectors = [
        rule for query in queries for rule in re.findall(r"([^{}]+)\{[^{}]*\}", query.partition("{")[2])
    ]
    assert len(queries) == 4
    assert len(selectors) > 40
    for selector in selectors:
        assert ".gradio-container" not in selector
        assert not re.search(r"\([^()]*,", selector), selector
