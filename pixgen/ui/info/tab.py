"""The Picture info tab: drop a picture, see how it was made, and reuse its settings."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio.metadata.picture_info import read_info
from pixgen.ui.components import QUIET, Field, Parts, servable_bytes
from pixgen.ui.create.form import recipe_values
from pixgen.ui.create.form_recipe import BaseRecipe, prompt_texts, recipe_to_form
from pixgen.ui.errors import guard_handler
from pixgen.ui.i18n import Translator
from pixgen.ui.info import view

_FILES = [".png", ".jpg", ".jpeg", ".mp4", ".webm", ".gif", ".webp", ".json"]
_BUTTONS = ("use", "use_prompt", "use_seed", "download")


@dataclass(frozen=True)
class ShownInfo:
    """The file that the tab shows: its name and recipe."""

    name: str
    recipe: Recipe
    has_seed: bool


def info_tab(say: Translator) -> Parts:
    """Build the tab inside a ``gr.Blocks``; its parts, by name."""
    with gr.Row(elem_classes="pg-two"):
        with gr.Column(elem_classes="pg-two-ask"):
            parts: Parts = {
                "file": gr.File(
                    label=say("Picture or video"),
                    file_types=_FILES,
                    height=180,
                    elem_id="pg-info-file",
                    elem_classes="pg-uploads",
                ),
            }
            with gr.Column(elem_classes="pg-info-use"):
                for name, label in (
                    ("use", say("Reuse settings")),
                    ("use_prompt", say("Prompt only")),
                    ("use_seed", say("Seed only")),
                ):
                    kind = "primary" if name == "use" else "secondary"
                    parts[name] = gr.Button(label, variant=kind, visible=False, elem_id=f"pg-info-{name}")
                parts["download"] = gr.DownloadButton(
                    say("Recipe"), visible=False, elem_id="pg-info-download"
                )
        with gr.Column(elem_classes="pg-two-show"):
            parts["info"] = gr.HTML(view.empty(say), elem_id="pg-info")
    parts["shown"] = gr.State(None)
    outputs = [parts[name] for name in ("info", "shown", *_BUTTONS)]
    parts["file"].change(
        lambda path: _read(path, parts, say),
        parts["file"],
        outputs,
        concurrency_limit=None,
        **QUIET,
    )
    return parts


def _read(path: str | None, parts: Parts, say: Translator) -> tuple:
    """Read a dropped file; returns updates of the HTML, the state and the buttons."""
    hidden = [gr.update(visible=False)] * len(_BUTTONS)
    if path is None:
        return view.empty(say), None, *hidden

    @guard_handler(say, lambda message: (view.error_html(message), None, *hidden))
    def read(file: Path) -> tuple:
        info = read_info(file)
        shown_info = view.of_info(say, info, file)
        data = json.dumps(json.loads(info.recipe.to_json()), ensure_ascii=False, indent=1)
        copy = servable_bytes(f"{data}\n".encode(), parts["download"], name=f"{file.stem}.json")
        shown = ShownInfo(file.name, info.recipe, info.has_seed)
        use = [gr.update(visible=True), gr.update(visible=True), gr.update(visible=info.has_seed)]
        return shown_info, shown, *use, gr.update(value=copy, visible=True)

    return read(Path(path))


def wire_info(
    info: Parts,
    create: Parts,
    *,
    fields: dict[str, Field],
    say: Translator,
    tabs: gr.Tabs,
    keep: dict[str, Any],
) -> None:
    """Connect the tab's buttons with the Create tab's form.

    Args:
        keep: an event's arguments that keep the form in the browser.
    """
    names = filled_names(fields)

    def check(shown: ShownInfo | None) -> ShownInfo:
        if shown is None:
            raise gr.Error(say("Drop a picture to see how it was made."), print_exception=False)
        return shown

    def use(info: ShownInfo | None) -> list[Any]:
        shown = check(info)
        return [gr.update(selected="create"), *fill_in(shown.recipe, fields, name=shown.name, say=say)]

    def use_prompt(info: ShownInfo | None) -> tuple:
        shown = check(info)
        gr.Info(say("The prompt of {name} is filled in.", name=shown.name))
        return gr.update(selected="create"), *prompt_texts(shown.recipe.prompts), ""

    def use_seed(info: ShownInfo | None) -> tuple:
        shown = check(info)
        gr.Info(say("The seed of {name} is filled in.", name=shown.name))
        return gr.update(selected="create"), str(shown.recipe.seed)

    for name, fn, targets in (
        ("use", use, names),
        ("use_prompt", use_prompt, ["prompt", "leave_out", "styles"]),
        ("use_seed", use_seed, ["seed"]),
    ):
        outputs = [tabs, *(create[target] for target in targets)]
        info[name].click(fn, info["shown"], outputs, **QUIET).then(**keep)
    gr.on(
        [create["basis"].change, create["basis_show"].click],
        lambda text: _chip(text, say),
        create["basis"],
        create["basis_forget"],
        queue=False,
        **QUIET,
    )
    create["basis_forget"].click(None, None, create["basis"], js="() => ''").then(**keep)


def filled_names(fields: dict[str, Field]) -> list[str]:
    """The parts of Create that ``fill_in`` answers with, by name and in its order."""
    return list(filled_form(make_recipe({"prompts": "-"}), fields, name=""))


def fill_in(recipe: Recipe, fields: dict[str, Field], *, name: str, say: Translator) -> list[Any]:
    """The values of the Create form that paint a recipe again, and a message that they are filled in.

    Args:
        name: of the recipe's file or run, or what else it comes from.
    """
    values = filled_form(recipe, fields, name=name)
    gr.Info(say("All settings of {name} are filled in.", name=name))
    return [values[each] for each in filled_names(fields)]


def filled_form(recipe: Recipe, fields: dict[str, Field], *, name: str) -> dict[str, Any]:
    """The Create form, filled in to paint a recipe again; ``name`` is its file or run."""
    values = form_values(recipe, fields)
    return {**values, "basis": BaseRecipe(recipe, values, name).to_json()}


def form_values(recipe: Recipe, fields: dict[str, Field]) -> dict[str, Any]:
    """Every field of the form as it shows a recipe."""
    return recipe_to_form(recipe, recipe_values(recipe), fields)


def _chip(text: str, say: Translator) -> Any:
    basis = BaseRecipe.read(text)
    if basis is None:
        return gr.update(visible=False)
    return gr.update(value=say("All settings of {name}", name=basis.name), visible=True)
