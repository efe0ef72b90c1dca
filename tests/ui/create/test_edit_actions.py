"""Turning a picture on the page, going on from it, and the queue."""

import json
import re
import threading
from dataclasses import replace

import pytest

from pixgen.studio import Policy
from pixgen.studio.queue import ACTIONS
from pixgen.ui.create import queue as queue_view
from pixgen.ui.create.actions import (
    Screen,
    add_steps,
    restore_screen,
    resume,
    show_run,
    stop,
    with_error_screen,
)
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.session import BrowserSession, Watchers
from tests.studio.fakes import a_recipe
from tests.ui.create.test_actions import FORM, begun, brushed, painted, session_after
from tests.ui.create.test_drawing import address, drawn
from tests.ui.forms import apply, fork, paint

SAY = ENGLISH


def screens_of(screens):
    return list(with_error_screen(screens, say=ENGLISH))


def texts(html):
    return re.sub(r"<[^>]+>", " ", html)


@pytest.fixture
def slow(make_studio):
    return make_studio(seconds=0.02)


def test_the_running_picture_follows_the_form(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=300)
    form = {**FORM, "prompt": "a blue owl :2", "learning_rate": 0.4}
    assert apply(slow, form, visitor, say=ENGLISH) == SAY(
        "From now on, the picture follows the new prompt and learning rate."
    )
    assert any("a blue owl" in (screen.status or "") for screen in screens if screen.status)
    assert apply(slow, form, visitor, say=ENGLISH) == (
        SAY("The picture already follows this prompt and learning rate: change one of them first.")
    )
    stop(slow, visitor)
    last = screens_of(screens)[-1]
    (change,) = visitor.run(slow).recipe.changes
    assert (change.prompts[0][0].weight, change.learning_rate) == (2, 0.4)
    assert SAY("changed at step {steps}", steps=change.step) in texts(last.status)


def test_a_weight_alone_is_applied(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=300)
    assert apply(slow, {**FORM, "prompt": "a red fox | snow :0.25"}, visitor, say=ENGLISH) == SAY(
        "From now on, the picture follows the new prompt and learning rate."
    )
    stop(slow, visitor)
    screens_of(screens)
    (change,) = visitor.run(slow).recipe.changes
    assert [prompt.weight for prompt in change.prompts[0]] == [1, 0.25]
    assert change.learning_rate is None


@pytest.mark.parametrize("public", [False, True])
def test_what_is_brushed_is_applied_and_goes_on(make_studio, visitor, public):
    slow = make_studio(seconds=0.02, policy=Policy.for_public() if public else Policy())
    screens, visitor = begun(slow, visitor, steps=300)
    form = {**FORM, "drawn": drawn(_2=address("white"))}
    assert apply(slow, form, visitor, say=ENGLISH) == SAY(
        "From now on, the picture follows the new prompt and learning rate."
    )
    assert apply(slow, form, visitor, say=ENGLISH) == (
        SAY("The picture already follows this prompt and learning rate: change one of them first.")
    )
    next(screen for screen in screens if visitor.run(slow).recipe.changes)
    assert apply(slow, FORM, visitor, say=ENGLISH) == SAY(
        "From now on, the picture follows the new prompt and learning rate."
    )  # it was cleared
    stop(slow, visitor)
    screens_of(screens)
    run = visitor.run(slow)
    brushed, cleared = (change.prompts[0] for change in run.recipe.changes[:2])
    assert (run.folder / brushed[1].mask).is_file()
    assert (brushed[0].mask, cleared[1].mask) == ("", "")
    on = begun_again(slow, fork(slow, form, visitor, say=ENGLISH), visitor)
    assert (on.folder / on.recipe.changes[-1].prompts[0][1].mask).is_file()


def begun_again(studio, screens, visitor):
    """The run that begins now, stopped."""
    for screen in screens:
        if screen.session:
            visitor = session_after([screen])
            stop(studio, visitor)
    return visitor.run(studio)


def test_nothing_is_applied_where_nothing_is_painted(studio, visitor):
    assert apply(studio, FORM, visitor, say=ENGLISH) == (
        SAY(
            "No picture is being painted: press Generate to start one, or “Continue with this prompt” to change the last one."
        )
    )
    done = session_after(painted(studio, visitor))
    assert apply(studio, FORM, done, say=ENGLISH) == (
        SAY(
            "No picture is being painted: press Generate to start one, or “Continue with this prompt” to change the last one."
        )
    )


def test_a_finished_picture_goes_on_as_another(studio, visitor):
    first = session_after(painted(studio, visitor))
    screens = screens_of(add_steps(studio, first, say=ENGLISH))
    assert screens[0].busy == "starting"
    assert (screens[-1].busy, screens[-1].forkable, screens[-1].resumable) == ("idle", True, False)
    run = session_after(screens).run(studio)
    assert (run.recipe.steps, run.parent) == (50, first.run(studio).id)
    assert first.run(studio).recipe.steps == 10


def test_a_stopped_picture_goes_on_for_more_steps_as_itself(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=60)
    stop(slow, visitor)
    screens_of(screens)
    run = session_after(screens_of(add_steps(slow, visitor, say=ENGLISH))).run(slow)
    assert (run.id, run.recipe.steps, run.state) == (visitor.stored["job"], 100, "done")


def test_a_picture_goes_on_with_other_words_as_another(studio, visitor):
    first = session_after(painted(studio, visitor))
    form = {**FORM, "prompt": "a {blue|blue} owl"}
    run = session_after(screens_of(fork(studio, form, first, say=ENGLISH))).run(studio)
    assert (run.parent, run.recipe.scene(10)[0].text) == (first.run(studio).id, "a blue owl")
    assert run.recipe.scene(9)[0].text == "a red fox"


@pytest.mark.parametrize(
    "act", [add_steps, lambda studio, visitor, say: fork(studio, FORM, visitor, say=say)]
)
def test_nobody_goes_on_from_anothers_picture(studio, visitor, act):
    theirs = session_after(painted(studio, visitor)).stored["job"]
    stranger = BrowserSession.from_browser(json.dumps({"job": theirs}), None)
    assert screens_of(act(studio, stranger, say=ENGLISH))[-1].notice == ENGLISH(
        "The picture that was painted here is gone: paint it again."
    )
    assert len(studio.runs()) == 1


def queue_of(studio, visitor):
    html = queue_view.queue_html(ENGLISH, studio.queue(), visitor)
    return re.findall(r'data-run="([^"]+)" data-state="(\w+)"', html)


def added(studio, visitor, **values):
    """The screens of a picture that is added on the page that watches another."""
    watchers = Watchers()
    watchers.enter("")
    visitor = replace(visitor, watchers=watchers)
    return screens_of(paint(studio, {**FORM, **values}, visitor, say=ENGLISH))


def test_a_picture_that_is_refused_while_another_is_painted_marks_its_field(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=40)
    (refused,) = added(slow, visitor, prompt="an owl", seed="none")
    assert 'data-field="seed"' in refused.refused
    assert refused.status is None
    assert "The seed “none”" in refused.notice
    (waiting,) = added(slow, visitor, prompt="an owl", steps=1)
    assert waiting.refused == ""
    slow.close()


def test_a_second_picture_waits_and_is_shown_when_the_first_has_ended(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=40)
    (screen,) = added(slow, visitor, prompt="an owl", steps=5)
    assert (screen.busy, screen.status, screen.session) == (None, None, None)
    assert [state for _, state in queue_of(slow, visitor)] == ["painting", "waiting"]
    rest = screens_of(screens)
    assert [screen.notice for screen in rest if screen.notice] == [
        SAY("“{prompt}” is saved. The next picture starts.", prompt="a red fox | snow")
    ]
    assert session_after(rest).run(slow).recipe.prompt == "an owl"
    assert (rest[-1].busy, rest[-1].queue) == ("idle", "")
    assert [run.state for run in slow.runs()] == ["done", "done"]


def test_an_area_that_is_brushed_while_another_picture_is_painted_is_edited_afterwards(slow, visitor):
    finished = session_after(painted(slow, visitor, steps=2))
    screens, running = begun(slow, finished, steps=300)
    added(slow, finished, prompt="a hen", steps=2, mask=brushed())
    stop(slow, running)
    edited = session_after(screens_of(screens)).run(slow)
    assert edited.parent == finished.stored["job"]
    assert (edited.folder / edited.recipe.init.mask).is_file()


def test_the_queue_tells_facts_and_times_and_escapes(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=100)
    added(slow, visitor, prompt="<b>bold</b>", steps=7)
    html = queue_view.queue_html(ENGLISH, slow.queue(), visitor)
    assert "&lt;b&gt;bold" in html
    assert "<b>bold" not in html
    assert (
        SAY.ngettext(
            "{width} × {height}, {count} step",
            "{width} × {height}, {count} steps",
            7,
            width=64,
            height=48,
        )
        in html
    )
    stop(slow, visitor)
    screens_of(screens)


def test_pictures_that_wait_are_moved_paused_and_cancelled(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=300)
    for prompt in ("one", "two"):
        added(slow, visitor, prompt=prompt, steps=3)
    first, one, two = (run for run, _ in queue_of(slow, visitor))
    act = lambda order: queue_view.act_on_queue(slow, order, visitor, say=ENGLISH)  # noqa: E731
    assert act(f"up {two}").index(two) < act("nothing at all").index(one)
    assert [run for run, _ in queue_of(slow, visitor)] == [first, two, one]
    act(f"pause {two}")
    assert dict(queue_of(slow, visitor))[two] == "paused"
    act(f"cancel {one}")
    assert slow.job(one).wait(10)
    act(f"cancel {first}")
    act(f"resume {two}")
    rest = screens_of(screens)
    assert (rest[-1].busy, session_after(rest).stored["job"]) == ("idle", two)
    assert [slow.run(run).state for run in (first, one, two)] == ["stopped", "stopped", "done"]


def test_a_picture_that_is_cancelled_while_it_waits_says_so_and_can_still_be_begun(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=300)
    added(slow, visitor, prompt="an owl", steps=3)
    run = queue_of(slow, visitor)[1][0]
    queue_view.act_on_queue(slow, f"cancel {run}", visitor, say=ENGLISH)
    assert slow.job(run).wait(10)
    stop(slow, visitor)
    screens_of(screens)
    session = BrowserSession.from_browser(json.dumps({**visitor.stored, "job": run}), None)
    last = screens_of(show_run(slow, session, say=ENGLISH))[-1]
    assert ENGLISH("Stopped before it started") in last.status
    assert "step 0" not in last.status
    assert (last.resumable, last.begun) == (True, False)
    rest = screens_of(resume(slow, session, say=ENGLISH))
    assert (rest[-1].begun, slow.run(run).state) == (True, "done")


def test_a_paused_picture_gives_its_place_on_the_screen_to_the_next(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=30)
    first = visitor.stored["job"]
    added(slow, visitor, prompt="an owl", steps=3)
    queue_view.act_on_queue(slow, f"pause {first}", visitor, say=ENGLISH)
    shown = []
    for screen in screens:
        shown.append(screen)
        if screen.status and SAY("Paused") in screen.status:
            queue_view.act_on_queue(slow, f"resume {first}", visitor, say=ENGLISH)
    sessions = [session_after([screen]).stored["job"] for screen in shown if screen.session]
    assert sessions[-1] == first
    assert len(set(sessions)) == 2
    assert slow.run(first).state == "done"


def test_nobody_acts_on_anothers_queue(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=300)
    stranger = BrowserSession.from_browser(None, None)
    for act in ACTIONS:
        assert queue_view.act_on_queue(slow, f"{act} {visitor.stored['job']}", stranger, say=ENGLISH) == ""
    assert (slow.queue()[0].paused, visitor.job(slow).stopping) == (False, False)
    stop(slow, visitor)
    screens_of(screens)


@pytest.mark.parametrize("order", [None, 7, "", "up", "up " + "x" * 500, "burn {job}"])
def test_whatever_is_ordered_is_borne(slow, visitor, order):
    screens, visitor = begun(slow, visitor, steps=300)
    if isinstance(order, str):
        order = order.replace("{job}", visitor.stored["job"])
    assert queue_view.act_on_queue(slow, order, visitor, say=ENGLISH) == ""
    stop(slow, visitor)
    screens_of(screens)


def test_in_public_one_more_waits_and_then_it_is_said(make_studio, visitor):
    studio = make_studio(seconds=0.02, policy=Policy.for_public())
    screens, visitor = begun(studio, visitor, steps=300)
    added(studio, visitor, steps=3)
    (refused,) = added(studio, visitor, steps=3)
    assert "2 pictures waiting or being painted" in refused.notice
    assert refused.busy is None  # the picture that is painted goes on being shown
    assert "The prompt is empty" in added(studio, visitor, prompt="")[-1].notice
    for place in studio.queue():
        place.job.stop()
    screens_of(screens)


def test_a_reload_finds_the_picture_that_is_painted_now(slow, visitor):
    screens, visitor = begun(slow, visitor, steps=5)
    first = visitor.stored["job"]
    added(slow, visitor, prompt="an owl", steps=300)
    screens.close()
    assert slow.job(first).wait(10)
    back = restore_screen(slow, visitor, say=ENGLISH)
    seen = session_after([next(back), next(back)])
    assert seen.run(slow).recipe.prompt == "an owl"
    stop(slow, seen)
    screens_of(back)


def test_an_older_watcher_of_the_same_page_leaves(make_studio):
    watchers, hold = Watchers(), threading.Event()
    studio = make_studio(hold=hold)
    visitor = BrowserSession.from_browser("", None, watchers=watchers, page="one page")
    older = paint(studio, FORM, visitor, say=ENGLISH)
    session = next(screen.session for screen in older if screen.session)
    again = BrowserSession.from_browser(session, None, watchers=watchers, page="one page")
    newer = show_run(studio, again, say=ENGLISH)
    next(newer), next(newer)
    assert not [screen for screen in older if screen.busy]
    hold.set()
    assert screens_of(newer)[-1].busy == "idle"
    assert not watchers.watched("one page")


def test_a_reload_that_is_answered_late_shows_no_older_picture(make_studio):
    watchers, studio = Watchers(), make_studio()
    visitor = BrowserSession.from_browser("", None, watchers=watchers, page="before")
    session = session_after(painted(studio, visitor, prompt="an owl", steps=1)).stored
    hold = threading.Event()
    studio = make_studio(hold=hold)  # the owl is a run on disk
    reloaded = BrowserSession.from_browser(json.dumps(session), None, watchers=watchers, page="after")
    late = restore_screen(studio, reloaded, say=ENGLISH)
    assert next(late) == Screen()
    screens = paint(studio, FORM, reloaded, say=ENGLISH)
    next(screens)
    assert list(late) == []
    assert watchers.watched("after")
    hold.set()
    assert screens_of(screens)[-1].busy == "idle"


def test_a_run_of_another_tab_is_shown_though_one_is_painted(slow, visitor):
    done = session_after(painted(slow, visitor, prompt="an owl", steps=1))
    screens, painting = begun(slow, done, steps=300)
    *_, last = show_run(slow, done, say=ENGLISH)
    assert (last.busy, last.forkable) == ("idle", True)
    assert "an owl" in last.canvas
    stop(slow, painting)
    screens_of(screens)


def test_a_picture_is_watched_where_nobody_watches_another(slow, visitor):
    other = slow.submit(a_recipe(steps=200), owner=visitor.owner)  # as a grid's cell would be
    screens = paint(slow, {**FORM, "prompt": "an owl", "steps": 2}, visitor, say=ENGLISH)
    session = next(screen.session for screen in screens if screen.session)
    assert BrowserSession.from_browser(session, None).stored["job"] == other.id
    other.stop()
    assert session_after(screens_of(screens)).run(slow).recipe.prompt == "an owl"
