"""The page in other languages: whole, with the same placeholders, and for those who want it."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixgen.recipe.presets import available_presets
from pixgen.recipe.styles import available_styles
from pixgen.ui.i18n import ENGLISH, TURKISH
from pixgen.ui.i18n.translator import LanguageRedirect, choose_language, language_links, preferred_language


def test_every_preset_and_style_is_translated_with_the_same_figures():
    for preset in available_presets().values():
        assert TURKISH(preset.title) != preset.title
        figures = [sorted(re.findall(r"\d+", each)) for each in (preset.about, TURKISH(preset.about))]
        assert figures[0] == figures[1], preset.title
    assert all(TURKISH(style.title) for style in available_styles().values())


def test_the_same_english_is_another_word_where_it_means_something_else():
    assert (TURKISH("Done"), TURKISH.pgettext("pad", "Done")) == ("Bitti", "Tamam")
    assert ENGLISH.pgettext("pad", "Done") == "Done"
    said = TURKISH.pgettext("grid", "{done} of {total} pictures", done=1, total=4)
    assert said == "4 resmin 1 tanesi"


@pytest.mark.parametrize(("count", "english"), [(1, "1 style was imported."), (2, "2 styles were imported.")])
def test_one_thing_has_a_sentence_of_its_own(count, english):
    text = ("{count} style was imported.", "{count} styles were imported.", count)
    assert ENGLISH.ngettext(*text) == english
    assert TURKISH.ngettext(*text) == f"{count} stil içe aktarıldı."


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("tr", "tr"),
        ("tr-TR,tr;q=0.9,en-US;q=0.8", "tr"),
        ("en-GB,tr;q=0.9", "en"),
        ("de,fr;q=0.5", None),
        ("", None),
        ("tr;q=0, en;q=0.1", "en"),
        ("tr;q=much,en", "en"),
        ("*", None),
    ],
)
def test_the_browsers_favourite_is_taken(accepted, language):
    assert preferred_language(accepted) == language


def test_what_is_asked_for_wins_over_what_was_chosen_and_that_over_the_browser():
    assert choose_language("lang=en", "pixgen-language=tr", "tr") == "en"
    assert choose_language("", "a=b; pixgen-language=en", "tr") == "en"
    assert choose_language("lang=xx", "pixgen-language=xx", "tr") == "tr"
    assert choose_language("__theme=dark", "bad cookie ,;", "") is None


def answer(path: str, **headers: str) -> str | None:
    """Where the middleware sends a request for a path; None if it lets it through."""
    query = headers.pop("query", "")
    by_browser = headers.pop("by_browser", "yes") == "yes"
    root = headers.pop("root", "")
    sent: list[dict] = []

    async def app(scope, receive, send):
        await send({"type": "let through"})

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": root,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    answered = LanguageRedirect(app, first="en", by_browser=by_browser)(scope, None, send)
    with ThreadPoolExecutor(1) as elsewhere:  # browsers' tests leave an event loop running in this thread
        elsewhere.submit(asyncio.run, answered).result()
    if sent[0]["type"] == "let through":
        return None
    return dict(sent[0]["headers"])[b"location"].decode()


def test_who_reads_turkish_is_sent_to_the_turkish_page():
    assert answer("/", accept_language="tr") == "tr"
    assert answer("/", accept_language="tr", query="__theme=dark") == "tr?__theme=dark"
    assert answer("/here/", accept_language="tr", root="/here") == "tr"
    assert answer("/", accept_language="en") is None
    assert answer("/", accept_language="tr", query="lang=en") is None
    assert answer("/tr", accept_language="tr") is None
    assert answer("/", accept_language="tr", by_browser="no") is None
    assert answer("/", cookie="pixgen-language=tr", by_browser="no") == "tr"


def test_every_page_leads_to_every_language():
    assert [address for _, address in language_links(ENGLISH)] == ["./?lang=en", "tr?lang=tr"]
