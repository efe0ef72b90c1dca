"""Texts of every script are drawn with letters, not with boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixgen.studio.fonts import TextRenderer, _letters, _split
from pixgen.studio.video.export import Captions

LETTERING = TextRenderer(16)
TEXTS = [
    "kırmızı tilki, İstanbul ğşçöü", "ثعلب أحمر في الثلج", "红色的狐狸在雪地里", "紅い狐と雪", "눈 속의 여우", "🦊 fox ❄️ 👩‍👩‍👧",
    "красная лиса", "κόκκινη αλεπού", "שועל אדום", "लाल लोमड़ी", "จิ้งจอกแดง", "a fox — “déjà vu” → ★ ½",
]  # fmt: skip


def drawn(text: str) -> np.ndarray:
    picture = Image.new("RGB", (400, 30), "white")
    LETTERING.draw(ImageDraw.Draw(picture), (4, 4), text, (0, 0, 0))
    return np.asarray(picture)


@pytest.mark.parametrize("text", TEXTS)
def test_every_letter_is_in_the_font_that_draws_it(text):
    for run, path in _split(text):
        assert {sign for sign in run if ord(sign) not in _letters(path)} <= set("\u200d")


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_as_wide_as_it_is_measured(text):
    ink = np.flatnonzero((drawn(text) < 128).any(axis=(0, 2)))
    assert ink.size
    assert abs(ink[-1] - ink[0] - LETTERING.width(text)) < 12


def test_arabic_letters_are_joined_and_stand_from_the_right():
    apart = sum(LETTERING.width(letter) for letter in "ثعلب")
    assert LETTERING.width("ثعلب") < 0.9 * apart
    assert [run for run, _ in _split("ثعلب fox")] == ["fox", " ", "ثعلب"]
    assert [run for run, _ in _split("fox ثعلب 狐")] == ["fox", " ", "ثعلب", " ", "狐"]


@given(st.text(max_size=80), st.integers(60, 300))
def test_no_line_is_wider_than_its_room_and_nothing_is_lost(text, room):
    lines = LETTERING.wrap(text, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert LETTERING.width(line) <= room or len(line) == 1


def test_what_is_cut_off_ends_in_an_ellipsis():
    lines = LETTERING.wrap("红色的狐狸在雪地里跑来跑去" * 3, 120, most=2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert max(map(LETTERING.width, lines)) <= 120


def test_captions_of_every_script_differ():
    captions = Captions(set(TEXTS), width=300)
    blank = np.zeros((8, 300, 3), np.uint8)
    bands = {captions.add_below(blank, words=text, aside="step 1").tobytes() for text in TEXTS}
    assert len(bands) == len(TEXTS)
