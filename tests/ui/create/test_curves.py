"""Values over time, drawn as curves on the page."""

import json
import re

from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.panels.curves import curves_html
from pixgen.ui.i18n import ENGLISH
from tests.studio.video.sounds import swelling_sine_with_clicks, write_wav


def drawn(**values):
    return curves_html(CreateForm.read({"frames": 24, **values}), ENGLISH)


def points(html):
    """The places of each curve from left to right."""
    lines = re.findall(r'points="([^"]*)"', html)
    return [[tuple(map(float, pair.split(","))) for pair in line.split()] for line in lines]


def test_what_does_not_change_is_not_drawn():
    assert points(drawn()) == []
    assert points(drawn(zoom="1.02", turn="0")) == []
    assert "<section" not in drawn(zoom="1.02", turn="0")


def test_the_preview_gets_the_moves_of_each_frame():
    (moves,) = re.findall(
        r'data-moves="([^"]*)"', drawn(zoom="0:1, 10:1.1", x="0.01", dolly="t/12", frames=13)
    )
    found = json.loads(moves)
    assert len(found) == 13
    assert found[6] == [1.06, 0.01, 0, 0, 0, 0, round(0.5 / 12, 5)]
    assert found[11][0] == 1.1


def test_keyframes_and_expressions_are_drawn():
    html = drawn(zoom="0:1, 23:1.2", turn="10*sin(t*pi)", rate_factor="1 - frame/50")
    zoom, turn, rate = points(html)
    assert [place for _, place in zoom] == sorted((place for _, place in zoom), reverse=True)
    assert 0 < [place for _, place in turn].index(0.0) < len(turn) - 1
    assert rate[0][1] == 0
    assert rate[-1][1] == 40
    assert "1 to 1.2" in html


def test_the_ends_of_a_curve_have_three_digits_of_its_range():
    assert "0.5 to 1.5" in drawn(zoom="1 + 0.5*sin(t*tau)", frames=48)
    assert "<small>0 to 1</small>" in drawn(x="max(0.00001, t/10)", frames=121)


def test_weights_and_the_sound_are_drawn(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, swelling_sine_with_clicks(seconds=2, clicks=()))
    html = drawn(prompt="a fox | snow :(bass)", sound=str(path))
    assert "Weight of “snow”" in html
    assert "Sound: bass" in html
    weight = points(html)[0]
    assert weight[0][1] > weight[len(weight) // 2][1] > weight[-1][1]


def test_a_wrong_value_is_said():
    assert "does not know “speed”" in drawn(zoom="1 + speed")
    assert "does not know the function" in drawn(prompt="snow :(2*wave(t))")
    assert "not 3" in drawn(zoom="0:3")


def test_without_a_journey_the_camera_is_not_drawn():
    assert drawn(frames=0, steps=40, zoom="1 + t/100") == ""
    assert len(points(drawn(frames=0, steps=40, rate_factor="t"))) == 1
