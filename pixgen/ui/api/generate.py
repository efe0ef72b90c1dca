"""The endpoint ``/generate``: paints a picture from a prompt, for ``gradio_client`` and HTTP."""

import json
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.recipe.presets import DEFAULT, available_presets
from pixgen.studio import Studio
from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.form_recipe import to_recipe
from pixgen.ui.errors import error_text
from pixgen.ui.files import servable
from pixgen.ui.i18n import Translator


def add_generate_api(studio: Studio, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def generate(
        request: gr.Request, prompt: str, preset: str, size: str, steps: int, seed: str
    ) -> tuple[str, str | None, dict[str, Any]]:
        try:
            recipe = to_recipe(
                CreateForm(prompt=prompt, preset=preset, size=size, steps=steps or None, seed=seed)
            )
            job = studio.submit(recipe, owner=request.username or f"api-{request.session_hash}")
            job.wait()
            if job.error is not None:
                raise job.error
        except PixgenError as error:
            raise gr.Error(
                error_text(error, say), title=say("Couldn't paint"), print_exception=False
            ) from error
        run = job.run
        film = servable(run.video, film_out, name=run.video.name) if run.video.is_file() else None
        picture = servable(run.picture, picture_out, name=run.picture.name)
        return picture, film, json.loads(job.recipe.to_json())

    with gr.Column(visible=False):
        inputs = [
            gr.Textbox(label=say("Prompt")),
            gr.Dropdown(list(available_presets()), value=DEFAULT, label=say("Quality")),
            gr.Textbox("128x128", label=say("Size")),
            gr.Number(0, label=say("Steps"), precision=0),
            gr.Textbox("", label=say("Seed")),
        ]
        picture_out, film_out = (
            gr.File(label=say("Picture")),
            gr.File(label=say("Video")),
        )
        outputs = [picture_out, film_out, gr.JSON(label=say("Recipe"))]
        gr.Button().click(
            generate,
            inputs,
            outputs,
            api_name="generate",
            api_description=say(
                "Paints a picture and waits for it. 0 steps: as many as the preset has. No seed: a new one."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )
