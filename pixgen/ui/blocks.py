"""``gradio.Blocks`` that do less of gradio's work for each browser and each update, and refuse what no page would send.

gradio spends most of a busy server's time on three things, which are left out here. It describes every component for
each new browser, for deep links that this page does not use. It builds a component for each update of properties, even
if nothing changes. And it starts a thread for each input of an event.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from types import SimpleNamespace
from typing import Any, cast

from gradio.blocks import Block, BlockFunction, Blocks, BlocksConfig
from gradio.components import Button, Component
from gradio.exceptions import Error
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder
from gradio_client.utils import is_file_obj_with_meta, is_http_url_like, traverse

from pixgen.errors import PictureError, PixgenError
from pixgen.ui.errors import error_text, toast_text
from pixgen.ui.i18n import ENGLISH, LANGUAGES
from pixgen.ui.protection.events import BoundedQueue

log = logging.getLogger(__name__)


class LightBlocks(Blocks):
    """``gradio.Blocks`` that builds no component anew for an update that skips it or repeats the last one, and reads
    plain inputs at once.

    Attributes:
        public: whether inputs that are addresses of files are refused, which gradio would fetch.
    """

    public = False

    def queue(self, *given: Any, **named: Any) -> "LightBlocks":
        """As ``gradio.Blocks`` does: make the queue of events, here a ``BoundedQueue``."""
        super().queue(*given, **named)
        made = self._queue
        self._queue = BoundedQueue(
            live_updates=made.live_updates,
            concurrency_count=made.max_thread_count,
            update_intervals=made.update_intervals,
            max_size=made.max_size,
            blocks=self,
            default_concurrency_limit=made.default_concurrency_limit,
        )
        return self

    async def process_api(self, block_fn: BlockFunction | int, *given: Any, **named: Any) -> dict[str, Any]:
        """As ``gradio.Blocks`` does: the answer to an event. An error is logged here, in public without its own
        words, and not printed by gradio."""
        try:
            return await super().process_api(block_fn, *given, **named)
        except Error as error:
            error.message, error.print_exception = toast_text(str(error.message)), False
            raise
        except Exception as error:
            say = LANGUAGES.get(getattr(block_fn, "page", ""), ENGLISH)
            raise Error(error_text(error, say), print_exception=False) from error

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[Any]:
        """As ``gradio.Blocks`` does: what the event's function is given, one value for each input. Raises gr.Error if
        these are not what the page would send."""
        say = LANGUAGES.get(block_fn.page, ENGLISH)
        try:
            if self.public:
                traverse(inputs, _refuse_address, is_file_obj_with_meta)
            return await self.read_inputs(block_fn, inputs, state, explicit_call)
        except Error:
            raise
        except PixgenError as error:
            raise Error(error_text(error, say), print_exception=False) from error
        except Exception as error:
            log.warning("inputs of %s were refused: %s", block_fn.name, type(error).__name__)
            text = say("The server could not read what was sent: reload the page and try again.")
            raise Error(text, print_exception=False) from error

    async def read_inputs(
        self, block_fn: BlockFunction, inputs: list[Any], state: SessionState | None, explicit_call: bool
    ) -> list[Any]:
        """The same, with gradio's own errors."""
        is_special = state is None or block_fn.component_prop_inputs or not block_fn.preprocess
        if is_special or len(inputs) != len(block_fn.inputs):
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        places = [
            place
            for place, (block, value) in enumerate(zip(block_fn.inputs, inputs, strict=True))
            if not _is_plain_input(block, value)
        ]
        rest = copy(block_fn)
        rest.inputs = [block_fn.inputs[place] for place in places]
        others = await super().preprocess_data(
            rest, [inputs[place] for place in places], state, explicit_call
        )
        read = dict(zip(places, others, strict=True))
        for place, (block, value) in enumerate(zip(block_fn.inputs, inputs, strict=True)):
            if place not in read:
                try:
                    read[place] = state[block._id].preprocess(value)
                except Exception:  # gradio's own error says which input it is
                    return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        return [read[place] for place in range(len(inputs))]

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list | dict, state: SessionState | None
    ) -> list[Any]:
        """As ``gradio.Blocks`` does: what is sent to the browser, one value for each output."""
        outputs = block_fn.outputs
        if state is None or block_fn.batch or not isinstance(predictions, list | tuple):
            return await super().postprocess_data(block_fn, predictions, state)
        if len(outputs) < 2 or len(predictions) != len(outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        last = vars(state).setdefault("last_updates", {})
        sent = [
            _repeated(block, value, state, last) for block, value in zip(outputs, predictions, strict=True)
        ]
        new = [place for place, value in enumerate(sent) if value is None]
        if new:
            updates = {place: copy(predictions[place]) for place in new}  # gradio takes values out of them
            rest = copy(block_fn)
            rest.outputs = [outputs[place] for place in new]
            values = [predictions[place] for place in new]
            # Of a single output, gradio takes the value itself.
            answers = await super().postprocess_data(rest, values if len(new) > 1 else values[0], state)
            for place, answer in zip(new, answers, strict=True):
                sent[place], block = answer, outputs[place]
                if _is_plain(block, updates[place]):
                    last[block._id] = updates[place], dict(answer), state.get(block._id)
        return sent


def _refuse_address(file: dict[str, Any]) -> None:
    """Raise PixgenError if a file that a browser or program names is on another server."""
    if is_http_url_like(file["path"]):
        raise PictureError("This page fetches no address: upload the file itself.")


def _is_plain_input(block: Block, value: object) -> bool:
    """Whether an input's value is no file and nothing that gradio would have to check."""
    values = value if isinstance(value, list) else [value]
    return (
        not block.stateful
        and isinstance(block, Component)
        and getattr(block, "data_model", None) is None
        and all(isinstance(each, str | int | float | None) for each in values)
    )


def _repeated(block: Block, update: object, state: SessionState, last: dict[int, tuple]) -> Any:
    """What an update that changes nothing sends; None for others."""
    if not isinstance(update, dict) or "__type__" not in update or block.stateful:
        return None
    if len(update) == 1:
        return dict(update)
    before, sent, built = last.get(block._id, (None, None, None))
    return dict(sent) if before == update and state.get(block._id) is built else None


def _is_plain(block: Block, update: object) -> bool:
    """Whether an update is of plain properties, not of a value that may be a file."""
    if not isinstance(update, dict) or "__type__" not in update or block.stateful:
        return False
    return "value" not in update or type(block) is Button


@asynccontextmanager
async def light_sessions(app: App) -> AsyncIterator[None]:
    """The lifespan of a gradio app: its sessions describe no components."""
    app.state_holder = _LightSessions()
    app.state_holder.set_blocks(app.get_blocks())
    yield


class _LightSessions(StateHolder):
    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _light_session(self.blocks)
        return super().__getitem__(session_id)


class _LightConfig(BlocksConfig):
    """Components and events as in the page, without the descriptions that a session keeps for deep links."""

    def __copy__(self) -> "_LightConfig":
        return _lighten(super().__copy__())

    @staticmethod
    def config_for_block(*_: Any, **__: Any) -> dict[str, Any]:
        return {}


def _lighten(config: BlocksConfig) -> _LightConfig:
    light = _LightConfig(config.root_block)
    vars(light).update(vars(config))
    return light


def _light_session(page: Blocks) -> SessionState:
    without = SimpleNamespace(default_config=_lighten(page.default_config), blocks={})
    return SessionState(cast(Blocks, without))
