"""Every endpoint of the page, public and private, with values of any type: no answer is a bug's."""

import asyncio
import logging
import os
import random
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.exceptions import ComponentProcessingError
from gradio.state_holder import SessionState

import pixgen
from pixgen.errors import PixgenError
from pixgen.studio import Policy
from pixgen.ui.page import build

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::UserWarning",  # what a toast says, without a queue
    "ignore::pytest.PytestUnraisableExceptionWarning",  # gradio's own event loops
)
TIMES = int(os.environ.get("PIXGEN_FUZZ", "1"))
PACKAGE = str(Path(pixgen.__file__).parent)
VALUES = [
    None, True, False, 0, 1, -1, 10**20, 1.5, float("nan"), float("inf"), float("-inf"), "", " ", "a red fox", "a:1",
    "9" * 5000, "\ud800", "\0", "../../etc/passwd", "/etc/passwd", "[/etc/passwd]", "[picture]", "{a|b}", "__x__",
    "null", "{}", '{"visitor": "ada"}', "[" * 5000, "[]", "[null]", "cancel x", "pause ", "64x64", "9999-12-31",
    "0001-01-01", [], [None], ["a"], [[None, None]], [[1, "a", {}]], {}, {"a": 1}, {"path": "/etc/passwd"},
    {"path": None}, {"data": [[1]], "headers": ["a"]}, [{"path": "/etc/passwd"}], "data:image/png;base64,AAAA",
    '{"start": "data:image/png;base64,AAAA", "regions": {"x": 1}}', "<script>", "seed=1-400", "-", "+", "|", "^",
]  # fmt: skip
EVENTS = [
    {},
    None,
    {"index": None},
    {"word": None, "by": 3},
    {"run": "x", "picture": "inf", "label": None},
    [],
    "x",
]


@pytest.fixture
def page(make_studio):
    return build(make_studio(policy=Policy.for_public(), loading=0.0))


def is_bug(error: BaseException) -> bool:
    """Whether an exception comes from pixgen, and not from gradio's own checks of what was sent."""
    if isinstance(
        error, (gr.Error, PixgenError, UserWarning)
    ):  # what a toast says is a warning without a queue
        return False
    if isinstance(error, ComponentProcessingError) and "preprocess input" in str(error):
        return False  # gradio refuses a value of another type before any handler is called
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and any(frame.filename.startswith(PACKAGE) for frame in frames)


async def send(page: gr.Blocks, function, inputs: list, event: object) -> str:
    """What the endpoint answers."""
    request = gr.Request(
        username=None,
        session_hash="s",
        client=SimpleNamespace(host="203.0.113.5"),
        headers={},
    )
    data = gr.EventData(None, event)
    result = await page.process_api(
        function, inputs, state=SessionState(page), request=request, event_data=data, in_event_listener=True
    )
    if (iterator := result.get("iterator")) is not None and hasattr(iterator, "aclose"):
        await iterator.aclose()
    return repr(result.get("data"))


def test_no_endpoint_fails_by_what_is_sent(page, caplog, capsys, tmp_path):
    caplog.set_level(logging.ERROR)
    chance, bugs, sent, slowest = random.Random(19), {}, 0, 0.0
    private = [PACKAGE, str(tmp_path / "runs")]  # gradio's own folder of uploads is in its answers
    functions = {  # of one language: the other's are the same
        (each.name, len(each.inputs), len(each.outputs)): (number, each)
        for number, each in page.fns.items()
        if each.fn is not None
    }
    for number, function in functions.values():
        for _ in range(TIMES):
            inputs = [chance.choice(VALUES) for _ in function.inputs]
            sent, began = sent + 1, time.perf_counter()
            try:
                said = asyncio.run(asyncio.wait_for(send(page, function, inputs, chance.choice(EVENTS)), 20))
            except Exception as error:
                said = str(error) if isinstance(error, (gr.Error, PixgenError)) else ""
                if is_bug(error):
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    bugs[number] = f"{function.name}: {error!r} at {where.filename}:{where.lineno}"
            slowest = max(slowest, time.perf_counter() - began)
            if any(path in said for path in private):
                bugs[number] = f"{function.name} tells a path: {said[:300]}"
    failed = {record.getMessage() + "\n" + (record.exc_text or "")[-600:] for record in caplog.records}
    with capsys.disabled():
        print(
            f"\n{sent} hostile calls of {len(functions)} endpoints, PIXGEN_FUZZ={TIMES}, seed 19, {slowest:.1f} s the slowest"
        )
    assert sent > 40
    assert not bugs, "\n".join(bugs.values())
    assert not failed, "\n".join(failed)
