"""Watching without a thread: what streams show, and what they hold while they wait."""

import asyncio
import threading
import time

import gradio as gr
import pytest
from anyio import to_thread
from gradio.routes import App
from gradio.state_holder import SessionState

from pixgen.recipe.recipe import make_recipe
from pixgen.studio.status import WatchPoint, leave_pause, watch_points
from pixgen.ui.streaming import StreamingBlocks, job_end, light_sessions, without_thread


def a_recipe(**fields):
    return make_recipe({"prompts": "a fox", "width": 32, "height": 32, "steps": 6}, fields)


@pytest.fixture
def gated(make_studio):
    """A studio whose jobs wait for ``open``, and the event."""
    gate = threading.Event()
    studio = make_studio(gate=gate)
    yield studio, gate
    gate.set()


def states_of(job, **how):
    for status in job.watch(**how):
        yield status.state


async def collect(stream):
    return [item async for item in stream]


def test_a_stream_shows_what_the_generator_yields(studio):
    job = studio.submit(a_recipe())
    states = asyncio.run(collect(without_thread(states_of)(job, rate=1e6)))
    assert states[-1] == "done"
    assert "painting" in states or len(states) == 1


def test_a_hundred_watchers_hold_no_thread_while_they_wait(gated):
    studio, gate = gated
    job = studio.submit(a_recipe())

    async def watch_all():
        before = threading.active_count()
        streams = [asyncio.create_task(collect(without_thread(states_of)(job))) for _ in range(100)]
        ends = [asyncio.create_task(job_end(job)) for _ in range(50)]
        await asyncio.sleep(0.5)
        # Threads of the pool stay for a while: none of them may be busy.
        first = asyncio.get_running_loop().time()
        await asyncio.to_thread(int)
        assert asyncio.get_running_loop().time() - first < 1
        assert job._watchers == 150
        gate.set()
        shown = await asyncio.gather(*streams)
        await asyncio.gather(*ends)
        return threading.active_count() - before, shown

    threads, shown = asyncio.run(watch_all())
    assert threads <= 45  # anyio's pool of 40, and asyncio's for this test
    assert all(states[-1] == "done" for states in shown)
    assert job._watchers == 0


def test_a_pause_of_a_hundred_streams_holds_no_thread():
    def pausing():
        assert leave_pause(0.6)
        yield "first"
        yield "second"

    async def watch_all():
        streams = [asyncio.create_task(collect(without_thread(pausing)())) for _ in range(100)]
        await asyncio.sleep(0.3)
        first = asyncio.get_running_loop().time()
        await to_thread.run_sync(int)  # of the pool that streams use
        assert asyncio.get_running_loop().time() - first < 0.2
        return await asyncio.gather(*streams)

    assert asyncio.run(watch_all()) == [["first", "second"]] * 100
    assert not leave_pause(1)  # nobody waits elsewhere here


def test_waiting_for_the_next_status_blocks_no_thread(gated):
    """When the wait on the event loop is over, ``watch`` has the next status at once."""
    studio, gate = gated
    job = studio.submit(a_recipe())
    points: list[WatchPoint] = []
    token = watch_points.set(points)
    try:
        statuses = job.watch(rate=4)
        next(statuses)
        point = points.pop()
        assert point.job is job
        time.sleep(max(0.0, point.late - time.monotonic()))
        began = time.monotonic()
        next(statuses)
        assert time.monotonic() - began < 0.5
    finally:
        watch_points.reset(token)
        statuses.close()


def test_a_stream_that_is_left_lets_go_of_its_job(gated):
    studio, _ = gated
    job = studio.submit(a_recipe())

    async def leave():
        stream = without_thread(states_of)(job)
        await anext(stream)
        assert job._watchers == 1
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.aclose()

    asyncio.run(leave())
    assert job._watchers == 0
    assert job._listeners == []


def test_an_error_of_the_generator_is_the_streams(studio):
    def broken():
        yield 1
        raise ValueError("broken")

    async def read(seen):
        async for item in without_thread(broken)():
            seen.append(item)

    seen: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(read(seen))
    assert seen == [1]


class TestUpdates:
    """What ``StreamingBlocks`` sends is what ``gradio.Blocks`` would, with fewer components built."""

    @staticmethod
    def page_of(kind):
        with kind() as page:
            outputs = [
                gr.HTML("first"),
                gr.Button("Generate"),
                gr.Button("Stop"),
                gr.Textbox("a fox"),
                gr.State(1),
            ]
            gr.Button().click(lambda: None, outputs=outputs)
        return page, next(iter(page.default_config.fns.values()))

    UPDATES = (
        lambda: ["painting", gr.update(interactive=False, value="Add"), gr.skip(), gr.skip(), 2],
        lambda: [
            gr.skip(),
            gr.update(interactive=False, value="Add"),
            gr.update(visible=False),
            "an owl",
            gr.skip(),
        ],
        lambda: [
            gr.skip(),
            gr.update(interactive=False, value="Add"),
            gr.update(visible=False),
            gr.skip(),
            3,
        ],
        lambda: [gr.skip(), gr.skip(), gr.update(visible=True), gr.update(value="a cat"), gr.skip()],
        lambda: [gr.skip(), gr.skip(), gr.update(visible=False), gr.update(value="a cat"), gr.skip()],
        lambda: [gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()],
    )

    def test_they_are_those_of_gradio(self):
        async def sent(kind):
            page, event = self.page_of(kind)
            state = SessionState(page)
            answers = [await page.postprocess_data(event, updates(), state) for updates in self.UPDATES]
            for answer in answers:  # gradio takes the mark of an update for a property of its HTML
                if isinstance(answer[0], dict):
                    answer[0].pop("props", None)
            return answers, state[event.outputs[-1]._id]

        assert asyncio.run(sent(StreamingBlocks)) == asyncio.run(sent(gr.Blocks))

    def test_what_changes_nothing_builds_no_component(self, monkeypatch):
        async def built():
            page, event = self.page_of(StreamingBlocks)
            state, new = SessionState(page), []
            await page.postprocess_data(event, self.UPDATES[2](), state)
            for kind in (gr.Button, gr.HTML):
                monkeypatch.setattr(kind, "__init__", lambda *given, **named: new.append(named))
            await page.postprocess_data(event, self.UPDATES[2](), state)
            return new

        assert not asyncio.run(built())


class TestInputs:
    """What ``StreamingBlocks`` reads is what ``gradio.Blocks`` would, without a thread for each plain input."""

    VALUES = ("a fox", 3, ["b"], True, "a", None, "")

    @staticmethod
    def page_of(kind):
        with kind() as page:
            inputs = [
                gr.Textbox(),
                gr.Number(precision=0),
                gr.Dropdown(["a", "b"], multiselect=True),
                gr.Checkbox(),
                gr.Radio(["a", "b"]),
                gr.File(),
                gr.State(7),
            ]
            gr.Button().click(lambda *given: None, inputs)
        return page, next(iter(page.default_config.fns.values()))

    async def read(self, kind, values):
        page, event = self.page_of(kind)
        read = page.read_inputs if kind is StreamingBlocks else page.preprocess_data
        return await read(event, list(values), SessionState(page), False)

    def test_they_are_those_of_gradio(self):
        ours = asyncio.run(self.read(StreamingBlocks, self.VALUES))
        assert ours == asyncio.run(self.read(gr.Blocks, self.VALUES))
        assert ours == ["a fox", 3, ["b"], True, "a", None, 7]

    @pytest.mark.parametrize(
        "wrong",
        [{1: "many"}, {2: ["c"]}, {4: "c"}, {0: {"path": "/etc/passwd"}}, {5: {"path": "/etc/passwd"}}],
    )
    def test_wrong_ones_are_refused_as_gradio_does(self, wrong):
        values = [wrong.get(place, value) for place, value in enumerate(self.VALUES)]
        refusals = []
        for kind in (StreamingBlocks, gr.Blocks):
            try:
                refusals.append(asyncio.run(self.read(kind, values)))
            except Exception as error:
                refusals.append((type(error), str(error)))
        assert refusals[0] == refusals[1]

    def test_plain_ones_take_no_thread(self, monkeypatch):
        calls = []

        async def run(function, *given, **how):
            calls.append(function)
            return function(*given)

        monkeypatch.setattr("anyio.to_thread.run_sync", run)
        asyncio.run(self.read(StreamingBlocks, self.VALUES))
        assert len(calls) == 1  # the file's


def test_a_session_describes_no_component_and_still_holds_their_values():
    async def sessions():
        page, event = TestUpdates.page_of(StreamingBlocks)
        app = App.create_app(page, app_kwargs={"lifespan": light_sessions})
        async with light_sessions(app):
            one, other = app.state_holder["one"], app.state_holder["other"]
            await page.postprocess_data(event, TestUpdates.UPDATES[1](), one)
            assert page.state_holder is app.state_holder
            assert page.default_config.blocks[event.outputs[1]._id] is event.outputs[1]
            return one, other, event.outputs[1]._id

    one, other, button = asyncio.run(sessions())
    assert one[button].interactive is False
    assert other[button].interactive is not False
    assert not any(one.config_values.values())
    assert not any(other.config_values.values())
