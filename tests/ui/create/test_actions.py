"""What the Create tab does: the screens that follow each other."""

import base64
import io
import json
import re
import threading

import pytest
from PIL import Image

from pixgen.errors import OutOfMemory, StorageError
from pixgen.studio import Policy
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.owners import login_owner
from pixgen.ui.create.actions import (
    BrowserSession,
    Screen,
    restore_screen,
    resume,
    stop,
    use_sketch,
    with_error_screen,
)
from pixgen.ui.i18n import ENGLISH
from tests.ui.forms import paint

FORM = {"prompt": "a red fox | snow", "preset": "draft", "size": "64x48", "steps": 10, "seed": "7"}


def painted(studio, visitor, **values) -> list[Screen]:
    screens = paint(studio, {**FORM, **values}, visitor, say=ENGLISH)
    return list(with_error_screen(screens, say=ENGLISH))


def watched(make_studio, visitor, **values) -> list[Screen]:
    """The screens of a painting that does not end before its first picture was seen."""
    hold = threading.Event()
    studio = make_studio(hold=hold)
    screens = []
    for screen in with_error_screen(paint(studio, {**FORM, **values}, visitor, say=ENGLISH), say=ENGLISH):
        screens.append(screen)
        if screen.canvas:
            hold.set()
    return screens


def session_after(screens: list[Screen]) -> BrowserSession:
    """The visitor as the browser knows them after these screens."""
    return BrowserSession.from_browser([screen.session for screen in screens if screen.session][-1], None)


def begun(studio, visitor, **values):
    """A painting up to its first picture, and whoever watches it."""
    screens = paint(studio, {**FORM, **values}, visitor, say=ENGLISH)
    seen = []
    for screen in screens:
        seen.append(screen)
        if screen.canvas:
            return screens, session_after(seen)
    raise AssertionError("no picture came")


def picture_of(screen: Screen) -> tuple[str, Image.Image]:
    kind, data = re.search(r"data:image/(\w+);base64,([^\"]+)", screen.canvas).groups()
    return kind, Image.open(io.BytesIO(base64.b64decode(data)))


def test_the_click_is_answered_before_any_work(make_studio, visitor):
    studio = make_studio(gate=threading.Event())
    first = next(paint(studio, FORM, visitor, say=ENGLISH))
    assert first.busy == "starting"
    assert ENGLISH("Starting") in first.status
    assert first.canvas is None
    assert studio.runs() == []


def test_a_picture_grows_and_is_done(make_studio, visitor):
    screens = watched(make_studio, visitor)
    # A slow browser shows the latest of the screens that wait: each says what lasts.
    first, *between, end = screens
    assert (first.busy, end.busy) == ("starting", "idle")
    assert {screen.busy for screen in between} == {"painting"}
    assert len({screen.session for screen in between}) == 1
    last = screens[-1]
    assert last.busy == "idle"
    assert 'data-state="done"' in last.status
    assert "seed 7" in last.status
    kind, picture = picture_of(last)
    assert (kind, picture.size) == ("png", (64, 48))
    assert 'alt="a red fox | snow, finished after 10 steps"' in last.canvas


def test_the_old_picture_stays_until_the_first_frame_of_the_new(make_studio, visitor):
    gate = threading.Event()
    screens = paint(make_studio(gate=gate), FORM, visitor, say=ENGLISH)
    early = [next(screens) for _ in range(3)]
    assert [screen.canvas for screen in early] == [None, None, None]
    bars = [screen.status.count('role="meter"') for screen in early if screen.status]
    assert set(bars) == {2}  # their places are kept from the first screen on
    gate.set()
    assert any(screen.canvas for screen in screens)


def test_previews_are_jpegs_that_say_prompt_and_step(make_studio, visitor):
    studio = make_studio(seconds=0.05)
    previews = [screen for screen in painted(studio, visitor)[:-1] if screen.canvas]
    kind, picture = picture_of(previews[-1])
    assert (kind, picture.size) == ("jpeg", (64, 48))
    assert re.search(r'alt="a red fox \| snow, step \d+ of 10"', previews[-1].canvas)
    assert "steps a second" in previews[-1].status
    assert previews[-1].status.count('role="meter"') == 2


def test_the_files_are_the_runs_own_and_carry_the_recipe(studio, visitor):
    last = painted(studio, visitor)[-1]
    picture, film = last.files
    assert read_metadata(picture).seed == 7
    assert film.stat().st_size > 0
    assert last.name == "a-red-fox-7"
    assert base64.b64encode(picture.read_bytes()).decode() in last.canvas


def test_stop_keeps_the_picture_and_the_run_can_go_on(make_studio, visitor):
    studio = make_studio(seconds=0.02)
    screens, visitor = begun(studio, visitor, steps=500)
    assert stop(studio, visitor).busy == "stopping"
    last = list(screens)[-1]
    assert 'data-state="stopped"' in last.status
    assert "stopped at step" in last.canvas
    assert all(path.is_file() for path in last.files)
    assert last.resumable
    continued = resume(studio, visitor, say=ENGLISH)
    assert next(continued).busy == "starting"
    later = next(screen for screen in continued if screen.canvas)
    step = [int(re.search(r"step (\d+) of", screen.canvas)[1]) for screen in (last, later)]
    assert step[1] >= step[0]


def test_to_go_on_without_a_run_is_told(studio, visitor):
    assert [screen.notice for screen in with_error_screen(resume(studio, visitor, say=ENGLISH), say=ENGLISH)][
        -1
    ] == ENGLISH("The picture that was painted here is gone: paint it again.")


def test_to_stop_nothing_is_no_error(studio, visitor):
    assert stop(studio, visitor) == Screen(busy="idle")


def test_a_reload_finds_the_running_job_again(make_studio, visitor):
    studio = make_studio(seconds=0.02)
    screens, visitor = begun(studio, visitor, steps=300)
    screens.close()  # the tab was closed
    again = BrowserSession.from_browser(json.dumps(visitor.stored), None)
    back = restore_screen(studio, again, say=ENGLISH)
    assert next(back) == Screen()
    assert next(back).busy == "painting"
    stop(studio, again)
    assert 'data-state="stopped"' in list(back)[-1].status


def test_after_a_restart_the_finished_picture_is_there_again(make_studio, visitor):
    visitor = session_after(painted(make_studio(), visitor))
    *_, last = restore_screen(make_studio(), visitor, say=ENGLISH)
    assert 'data-state="done"' in last.status
    assert picture_of(last)[1].size == (64, 48)


def test_a_picture_that_another_page_paints_is_followed_to_its_end(make_studio, visitor, monkeypatch):
    monkeypatch.setattr("pixgen.ui.create.actions._SAVED_EVERY", 0.05)
    studio = make_studio(seconds=0.02)
    screens, visitor = begun(studio, visitor, steps=300)
    screens.close()
    again = BrowserSession.from_browser(json.dumps(visitor.stored), None)
    back = restore_screen(make_studio(), again, say=ENGLISH)  # a page on the same folder
    assert next(back) == Screen()
    screen = next(back)
    assert "Painted by another page" in screen.status
    assert (screen.busy, screen.resumable, screen.forkable) == ("idle", False, False)
    stop(studio, again)
    assert 'data-state="stopped"' in list(back)[-1].status


def test_a_page_that_has_painted_nothing_comes_back_empty(studio, visitor):
    assert list(restore_screen(studio, visitor, say=ENGLISH)) == [Screen()]


@pytest.mark.parametrize("restarted", [False, True])
def test_nobody_sees_or_stops_anothers_picture(make_studio, visitor, restarted):
    studio = make_studio()
    theirs = session_after(painted(studio, visitor)).stored["job"]
    studio = make_studio() if restarted else studio
    stranger = BrowserSession.from_browser(json.dumps({"job": theirs}), None)
    assert list(restore_screen(studio, stranger, say=ENGLISH)) == [Screen()]
    assert stop(studio, stranger) == Screen(busy="idle")
    assert [screen.notice for screen in resume(studio, stranger, say=ENGLISH)][-1] == ENGLISH(
        "The picture that was painted here is gone: paint it again."
    )


def test_who_has_logged_in_is_known_by_name(studio):
    screens = painted(studio, BrowserSession.from_browser("", login_owner("ada")))
    session = next(screen.session for screen in screens if screen.session)
    assert BrowserSession.from_browser(session, "ada").job(studio) is not None
    assert BrowserSession.from_browser(session, "eve").job(studio) is None


@pytest.mark.parametrize(
    "session",
    [None, 7, [], {"job": "x"}, "x", "[]", "7", '{"job": 3}', '{"job": "../../etc"}', '{"visitor": "a b"}',
     '{"job": "' + "x" * 500 + '"}', "[" * 100_000],
)  # fmt: skip
def test_any_text_that_a_browser_stored_is_accepted(studio, session):
    assert list(restore_screen(studio, BrowserSession.from_browser(session, None), say=ENGLISH)) == [Screen()]


def test_what_is_not_allowed_is_said_and_nothing_is_begun(studio, visitor):
    last = painted(studio, visitor, seed="minus one")[-1]
    assert last.busy == "idle"
    assert "The seed “minus one”" in last.notice
    assert "The seed “minus one”" in last.status
    assert last.canvas is None
    assert last.files is None
    assert studio.runs() == []


def test_the_policy_is_the_studios(make_studio, visitor):
    studio = make_studio(policy=Policy.for_public())
    assert "at most 512 pixels" in painted(studio, visitor, size="640x640")[-1].notice
    assert "at most 500 steps" in painted(studio, visitor, steps=600)[-1].notice


def test_an_error_while_painting_keeps_the_last_picture(make_studio, visitor):
    error = OutOfMemory("There is not enough memory: choose a smaller size.")
    last = painted(make_studio(breaks_at=4, error=error), visitor)[-1]
    assert last.busy == "idle"
    assert last.notice == str(error)
    assert str(error) in last.status
    assert picture_of(last)[0] == "png"


def test_a_full_disk_keeps_the_picture_on_the_page(make_studio, visitor, monkeypatch):
    def full(*_):
        raise StorageError("The disk is full: free some space.")

    monkeypatch.setattr("pixgen.studio.runs.record.save_png", full)
    last = painted(make_studio(), visitor)[-1]
    assert last.notice == "The disk is full: free some space."
    assert picture_of(last)[1].size == (64, 48)


def test_a_bug_is_logged_under_the_id_that_is_shown(caplog):
    def broken():
        yield Screen()
        raise ZeroDivisionError("secret detail")

    last = list(with_error_screen(broken(), say=ENGLISH))[-1]
    mark = re.search(r"logged as (\w+)", last.notice)[1]
    assert mark in caplog.text
    assert "secret detail" not in last.notice + last.status
    assert last.busy == "idle"


def test_words_cannot_become_html(studio, visitor):
    prompt = '<img src=x onerror="alert(1)"> "quoted" & more'
    for screen in painted(studio, visitor, prompt=prompt):
        assert "<img src=x" not in (screen.canvas or "") + (screen.status or "")
        assert 'alert(1)"' not in (screen.canvas or "") + (screen.status or "")


def test_sketches_are_shown_once_while_painting_and_at_the_end(make_studio, visitor):
    screens = watched(make_studio, visitor, start="sketch")
    shown = [screen.sketches for screen in screens if screen.sketches is not None]
    assert shown[0] == ""  # those of the picture before are gone
    assert len(shown) == 3
    assert shown[1].count("data-pick=") == 8
    assert shown[2].count("data-pick=") == 8
    assert shown[2].count('aria-pressed="true"') == 1


def test_a_start_without_sketches_shows_none(studio, visitor):
    screens = painted(studio, visitor, start="codes")
    assert not any(screen.sketches for screen in screens)


def test_another_sketch_is_taken_and_the_first_picture_stays(studio, visitor):
    first = session_after(painted(studio, visitor, start="sketch"))
    screens = list(with_error_screen(use_sketch(studio, first, 3, say=ENGLISH), say=ENGLISH))
    second = session_after(screens)
    before, after = first.run(studio), second.run(studio)
    assert after.recipe.init.sketch.pick == 3
    assert after.recipe.seed == before.recipe.seed
    assert after.parent == before.id
    assert before.picture.is_file()
    assert screens[-1].sketches.index('data-pick="3"') < screens[-1].sketches.index("true")


@pytest.mark.parametrize("pick", [-1, 8, None, "x"])
def test_a_sketch_that_is_not_there_is_refused(studio, visitor, pick):
    first = session_after(painted(studio, visitor, start="sketch"))
    last = list(with_error_screen(use_sketch(studio, first, pick, say=ENGLISH), say=ENGLISH))[-1]
    assert last.busy == "idle"
    assert re.search("Which sketch|pick", last.notice)


def test_nothing_is_taken_from_a_picture_without_sketches(studio, visitor):
    first = session_after(painted(studio, visitor, start="codes"))
    last = list(with_error_screen(use_sketch(studio, first, 1, say=ENGLISH), say=ENGLISH))[-1]
    assert last.notice == ENGLISH("The picture that was painted here is gone: paint it again.")


def brushed(size=(64, 48), box=(0, 0, 32, 48)) -> str:
    mask = Image.new("RGB", size)
    mask.paste((255, 255, 255), box)
    data = io.BytesIO()
    mask.save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


@pytest.mark.parametrize("public", [False, True])
def test_a_part_of_the_last_picture_is_painted_anew(make_studio, visitor, public, tmp_path):
    policy = Policy.for_public(picture_folders=(tmp_path,)) if public else Policy()
    studio = make_studio(policy=policy)
    first = session_after(painted(studio, visitor))
    screens = list(
        paint(studio, {**FORM, "prompt": "a hen", "size": "32x32", "mask": brushed()}, first, say=ENGLISH)
    )
    run = session_after(screens).run(studio)
    assert run.state == "done"
    assert (run.recipe.width, run.recipe.height) == (64, 48)  # the picture's, not the form's
    before, mask = (run.folder / path for path in (run.recipe.init.picture, run.recipe.init.mask))
    assert before.read_bytes() == first.run(studio).picture.read_bytes()
    assert Image.open(mask).getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("mask", ["x", "data:image/png;base64,AAAA", 7, "data:image/png;base64,é"])
def test_a_mask_that_is_none_is_refused(studio, visitor, mask):
    first = session_after(painted(studio, visitor))
    screens = list(with_error_screen(paint(studio, {**FORM, "mask": mask}, first, say=ENGLISH), say=ENGLISH))
    assert screens[-1].notice == ENGLISH("The brushed area was not received: brush over it again.")


def test_another_sketch_of_a_pictures_idea_is_taken_in_public(make_studio, visitor, tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "up.png")
    studio = make_studio(policy=Policy.for_public(picture_folders=(tmp_path,)))
    form = {"start": "idea", "start_picture": str(tmp_path / "up.png")}
    first = session_after(painted(studio, visitor, **form))
    (tmp_path / "up.png").unlink()
    screens = list(with_error_screen(use_sketch(studio, first, 1, say=ENGLISH), say=ENGLISH))
    assert session_after(screens).run(studio).state == "done"
