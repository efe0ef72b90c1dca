"""What the page's blocks read and send: the same as gradio's own, with less work."""

import asyncio

import gradio as gr
import pytest
from gradio.routes import App
from gradio.state_holder import SessionState

from pixgen.ui.blocks import LightBlocks, light_sessions


class TestUpdates:
    """What ``LightBlocks`` sends is what ``gradio.Blocks`` would, with fewer components built."""

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

        assert asyncio.run(sent(LightBlocks)) == asyncio.run(sent(gr.Blocks))

    def test_what_changes_nothing_builds_no_component(self, monkeypatch):
        async def built():
            page, event = self.page_of(LightBlocks)
            state, new = SessionState(page), []
            await page.postprocess_data(event, self.UPDATES[2](), state)
            for kind in (gr.Button, gr.HTML):
                monkeypatch.setattr(kind, "__init__", lambda *given, **named: new.append(named))
            await page.postprocess_data(event, self.UPDATES[2](), state)
            return new

        assert not asyncio.run(built())


class TestInputs:
    """What ``LightBlocks`` reads is what ``gradio.Blocks`` would, without a thread for each plain input."""

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
        read = page.read_inputs if kind is LightBlocks else page.preprocess_data
        return await read(event, list(values), SessionState(page), False)

    def test_they_are_those_of_gradio(self):
        ours = asyncio.run(self.read(LightBlocks, self.VALUES))
        assert ours == asyncio.run(self.read(gr.Blocks, self.VALUES))
        assert ours == ["a fox", 3, ["b"], True, "a", None, 7]

    @pytest.mark.parametrize(
        "wrong",
        [{1: "many"}, {2: ["c"]}, {4: "c"}, {0: {"path": "/etc/passwd"}}, {5: {"path": "/etc/passwd"}}],
    )
    def test_wrong_ones_are_refused_as_gradio_does(self, wrong):
        values = [wrong.get(place, value) for place, value in enumerate(self.VALUES)]
        refusals = []
        for kind in (LightBlocks, gr.Blocks):
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
        asyncio.run(self.read(LightBlocks, self.VALUES))
        assert len(calls) == 1  # the file's


def test_a_session_describes_no_component_and_still_holds_their_values():
    async def sessions():
        page, event = TestUpdates.page_of(LightBlocks)
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
