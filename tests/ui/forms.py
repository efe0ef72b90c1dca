"""What the page's functions do with a form, which tests write as values by the names of its fields."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pixgen.ui.create import actions as create_actions
from pixgen.ui.create import drawn, form_recipe, prompt_help
from pixgen.ui.create.form import CreateForm
from pixgen.ui.experiment import actions
from pixgen.ui.experiment.actions import GridForm


def _reading(function: Callable, place: int, kind: type = CreateForm) -> Callable:
    @wraps(function)
    def call(*args: Any, **more: Any) -> Any:
        values: Mapping[str, Any] = args[place]
        return function(*args[:place], kind.read(values), *args[place + 1 :], **more)

    return call


to_recipe = _reading(form_recipe.to_recipe, 0)
remarks = _reading(form_recipe.remarks, 0)
with_drawn = _reading(drawn.add_drawn_inputs, 1)
estimated = _reading(prompt_help.memory_text, 0)
paint = _reading(create_actions.paint, 1)
apply = _reading(create_actions.update_picture, 1)
fork = _reading(create_actions.fork, 1)
paint_grid = _reading(actions.paint, 1, GridForm)
plan_of = _reading(actions.plan_of, 0, GridForm)
