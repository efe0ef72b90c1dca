"""When a film shows which of its pictures."""

import pytest

from pixgen.errors import VideoError
from pixgen.studio.video.timeline import ExportSettings, Timeline


def places(cut, *, count=6, fps=20.0, most_fps=60.0, changes=()):
    return [
        shown.position for shown in Timeline(cut, count=count, fps=fps, most_fps=most_fps, changes=changes)
    ]


def test_without_a_wish_every_picture_is_shown_once_and_the_last_is_held():
    assert places(ExportSettings(hold=0.1)) == [0, 1, 2, 3, 4, 5, 5, 5]


def test_a_length_spreads_the_pictures_evenly():
    assert (
        places(ExportSettings(seconds=3, hold=1), most_fps=4)
        == [0, 1, 1, 2, 3, 4, 4, 5, 5, 5, 5, 5][:8] + [5] * 4
    )


def test_too_many_pictures_a_second_are_left_out_but_the_last_is_shown():
    timeline = Timeline(ExportSettings(fps=100, hold=0), count=100, fps=20, most_fps=10)
    assert (timeline.fps, len(timeline)) == (10, 10)
    assert [timeline[0].position, timeline[9].position] == [0, 99]


def test_a_short_length_shows_no_more_a_second_than_were_recorded():
    timeline = Timeline(ExportSettings(seconds=2, hold=0), count=300, fps=20, most_fps=60)
    assert (timeline.fps, len(timeline)) == (20, 40)


def test_evenly_by_change_gives_time_to_what_changes():
    shown = places(ExportSettings(seconds=2, hold=0, even=True), count=5, changes=[0, 3, 1, 0, 0])
    assert shown == sorted(shown)
    assert (shown[0], round(shown[-1])) in {(0, 2), (0, 4)}  # what does not change takes no time
    assert sum(place <= 1 for place in shown) == pytest.approx(30, abs=1)


def test_evenly_by_change_where_nothing_changes_is_evenly_by_step():
    assert places(ExportSettings(hold=0, even=True), changes=[0] * 6) == places(ExportSettings(hold=0))


def test_a_loop_shows_the_beginning_while_it_closes():
    timeline = Timeline(ExportSettings(seconds=4, hold=1, loop=True), count=60, fps=20, most_fps=20)
    shown = list(timeline)
    assert len(shown) == 80
    closing = [each for each in shown if each.share]
    assert shown[-len(closing) :] == closing
    assert [each.share for each in closing] == sorted(each.share for each in closing)
    assert shown[0].position >= closing[-1].other  # it goes on where the fade has ended
    assert closing[0].position == 59


@pytest.mark.parametrize("hold", [0, 0.5, 1])
@pytest.mark.parametrize("count", [1, 2, 41, 301])
@pytest.mark.parametrize("wish", [{"loop": True}, {"even": True}, {}])
def test_places_never_go_back_and_a_length_is_kept(count, wish, hold):
    timeline = Timeline(
        ExportSettings(seconds=2, hold=hold, **wish),
        count=count,
        fps=20,
        most_fps=25,
        changes=[0.0, *([1.0] * (count - 1))],
    )
    shown = [each.position for each in timeline]
    assert shown == sorted(shown)
    assert shown[-1] == count - 1
    assert len(shown) / timeline.fps == pytest.approx(2, abs=1.1 / timeline.fps)
    others = [each.other for each in timeline if each.share]
    assert others == sorted(others)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fps": 5, "seconds": 5}, "not both"),
        ({"seconds": 0.5}, "longer than"),
        ({"seconds": float("nan")}, "longer than"),
        ({"seconds": 700}, "at most 600"),
        ({"hold": -1}, "0 to 60 seconds"),
        ({"fps": 0}, "0.1 to 1000"),
        ({"fps": float("nan")}, "0.1 to 1000"),
        ({"scale": 9}, "1 to 8 times"),
    ],
)
def test_a_cut_that_makes_no_sense_is_an_error(options, said):
    with pytest.raises(VideoError, match=said):
        ExportSettings(**options)


def test_a_video_that_would_take_too_long_is_an_error():
    with pytest.raises(VideoError, match="1001 seconds"):
        Timeline(ExportSettings(fps=0.1), count=100, fps=20, most_fps=60)
