"""The page's named endpoints, for ``gradio_client`` and HTTP: ``/generate``, ``/queue``, ``/classify`` and ``/search``.

In come plain values. Out come files and JSON, by the same actions that the tabs use.
"""

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

import gradio as gr
from anyio import to_thread

from pixgen.errors import PixgenError, StudioError
from pixgen.models import available_clips
from pixgen.recipe.presets import DEFAULT, available_presets
from pixgen.studio import Job, Run, Studio
from pixgen.studio.library.classifier import ClassifierService
from pixgen.studio.library.library import RUNS, PictureLibrary
from pixgen.studio.owners import Owner
from pixgen.studio.queue import ACTIONS, QueueEntry, apply_action
from pixgen.ui.classify import actions as classify_actions
from pixgen.ui.components import PICTURE_TYPES, servable
from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.form_recipe import to_recipe
from pixgen.ui.errors import error_toast
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.logins import login_of
from pixgen.ui.search import actions as search_actions
from pixgen.ui.search.tab import MOST_SHOWN
from pixgen.ui.session import owner_of
from pixgen.ui.streaming import job_end


def _with_sample(box: gr.Textbox, sample: str) -> gr.Textbox:
    """A text box with a sample for the page that shows how to call its endpoint."""
    box.example_payload = lambda: sample  # type: ignore[method-assign]
    return box


def add_generate_api(studio: Studio, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def submit(owner: Owner, prompt: str, preset: str, size: str, steps: int, seed: str) -> Job:
        form = CreateForm(prompt=prompt, preset=preset, size=size, steps=steps or None, seed=seed)
        return studio.submit(to_recipe(form), owner=owner)

    async def generate(
        request: gr.Request, prompt: str, preset: str, size: str, steps: int, seed: str
    ) -> tuple[str, str | None, dict[str, Any]]:
        with error_toast(say, title=say("Couldn't paint")):
            job = await to_thread.run_sync(submit, owner_of(request), prompt, preset, size, steps, seed)
            await job_end(job)
            if job.error is not None:
                raise job.error
            if not job.run.picture.is_file():
                raise StudioError("The picture was stopped before it started: paint it again.")
        return await to_thread.run_sync(files_of, job.run)

    def files_of(run: Run) -> tuple[str, str | None, dict[str, Any]]:
        film = servable(run.video, film_out, name=run.video.name) if run.video.is_file() else None
        picture = servable(run.picture, picture_out, name=run.picture.name)
        return picture, film, json.loads(run.recipe.to_json())

    with gr.Column(visible=False):
        inputs = [
            _with_sample(gr.Textbox(label=say("Prompt")), "a red fox on a snowy hill"),
            gr.Dropdown(list(available_presets()), value=DEFAULT, label=say("Quality")),
            gr.Textbox("", label=say("Size")),
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
                "Paints a picture and waits until it is finished. steps 0: as many as the preset has. "
                "No seed: a new one."
            ),
            concurrency_limit=None,  # it holds no thread, and the studio's queue has its own limits
            show_progress="hidden",
        )


def add_queue_api(studio: Studio, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def queue(request: gr.Request, wanted: str, run: str) -> list[dict[str, Any]]:
        with error_toast(say, title=say("Queue")):
            if wanted:
                apply_action(studio, _one(studio, request, run), wanted)
        return [_facts(place) for place in _seen(studio, request)]

    with gr.Column(visible=False):
        inputs = [gr.Textbox("", label=", ".join(ACTIONS)), gr.Textbox("", label="run")]
        gr.Button().click(
            queue,
            inputs,
            gr.JSON(label=say("Queue")),
            api_name="queue",
            api_description=say(
                "Lists the runs that are painting or waiting, after an optional action on one of them: up, down, pause, resume or cancel. On a public page, only the runs of the person who has logged in."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )


def _seen(studio: Studio, request: gr.Request) -> list[QueueEntry]:
    """All jobs; on a public page only those of the user who is logged in."""
    owner = login_of(request)
    return [
        place for place in studio.queue() if not studio.policy.public or (owner and place.job.owner == owner)
    ]


def _one(studio: Studio, request: gr.Request, run: str) -> Any:
    job = next((place.job for place in _seen(studio, request) if place.job.id == run), None)
    if job is None:
        raise StudioError(
            "The run “{run}” is not in the queue: `pixgen queue` lists those that are.",
            run=run[:60],
        )
    return job


def _facts(place: QueueEntry) -> dict[str, Any]:
    job = place.job
    recipe = job.recipe
    return {
        "run": job.id,
        "prompt": recipe.prompt,
        "state": "paused" if place.paused else job.state,
        "before": place.before,
        "wait": place.wait,
        "takes": place.takes,
        "steps": recipe.steps,
        "step": 0 if job.frame is None else max(0, job.frame.step),
        "size": f"{recipe.width}x{recipe.height}",
    }


def add_classify_api(service: ClassifierService, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def classify(
        pictures: list[str],
        labels: str,
        label_set: str,
        templates: str,
        multi: bool,
        or_else: bool,
        none_below: float,
        top: int,
        model: str,
    ) -> dict[str, Any]:
        below = none_below is not None and none_below > -1
        none = ("both" if or_else else "below") if below else "else" if or_else else "never"
        with error_toast(say, title=say("Couldn't classify")):
            form = classify_actions.ClassifyForm.read(
                {
                    "pictures": pictures,
                    "labels": labels,
                    "label_set": label_set,
                    "templates": templates,
                    "mode": "several" if multi else "one",
                    "model": model,
                    "none": none,
                    "none_below": none_below,
                    "top": top,
                }
            )
            *_, last = classify_actions.classify(service, form, threading.Event(), say=say)
        if last.tables is None:
            raise gr.Error(
                say("The time limit for one request was reached: these are the results so far."),
                title=say("Couldn't classify"),
                print_exception=False,
            )
        return json.loads(last.tables[1])

    with gr.Column(visible=False):
        inputs = [
            gr.File(label=say("Pictures"), file_types=[*PICTURE_TYPES, ".zip"], file_count="multiple"),
            gr.Textbox("", label=say("Labels")),
            gr.Textbox("", label=say("Label set")),
            gr.Textbox("", label=say("Prompt templates")),
            gr.Checkbox(False, label=say("Multiple labels")),
            gr.Checkbox(False, label=say("None of these")),
            gr.Number(-1, label=say("Threshold")),
            gr.Number(5, label=say("Labels per picture"), precision=0),
            gr.Textbox(available_clips()[0], label=say("CLIP model")),
        ]
        gr.Button().click(
            classify,
            inputs,
            gr.JSON(label=say("The answers")),
            api_name="classify",
            api_description=say(
                "Classifies pictures with your labels or with a label set. none_below: answer “none of "
                "these” if the best cosine is lower; -1: never."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )


def add_search_api(library: PictureLibrary, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def search(
        request: gr.Request,
        query: str,
        picture: str | None,
        place: str,
        top: int,
        threshold: float,
        model: str,
        after: str,
        before: str,
        folder: str,
        side: int,
        said: str,
        preset: str,
        drawn_by: str,
        seed: str,
    ) -> tuple[list[dict[str, Any]], list[str]]:
        owner = owner_of(request)
        values = {
            "query": query,
            "picture": picture,
            "place": place,
            "top": top,
            "threshold": threshold,
            "model": model,
            "after": after,
            "before": before,
            "folder": folder,
            "side": side,
            "prompt": said,
            "preset": preset,
            "painted_by": drawn_by,
            "seed": seed,
        }
        with error_toast(say, title=say("Couldn't search")):
            form = search_actions.SearchForm.read(values)
            *_, last = search_actions.search(library, form, uploaded=None, owner=owner, say=say)
        facts, files = [], []
        for one, hit in last.found:
            with contextlib.suppress(PixgenError, OSError):  # gone since it was indexed
                file = library.find_file(one, hit.row.path)
                files.append(servable(file, files_out, name=Path(hit.row.path).name))
                facts.append(
                    {
                        "score": round(hit.similarity, 4),
                        "name": Path(hit.row.path).name,
                        # Below its collection's folder: it tells equal names apart. Not called "path": gradio takes
                        # a dictionary with a path for a file, which clients then try to download.
                        "relative_path": hit.row.path,
                        "width": hit.row.width,
                        "height": hit.row.height,
                        "prompt": hit.row.prompt,
                        "seed": hit.row.seed,
                        "alike": len(hit.copies),
                    }
                )
        return facts, files

    with gr.Column(visible=False):
        inputs = [
            gr.Textbox("", label=say("Search for")),
            gr.File(label=say("Search by picture")),
            gr.Textbox(RUNS, label=say("Collection")),
            gr.Number(20, label=say("Number of results"), precision=0, minimum=1, maximum=MOST_SHOWN),
            gr.Number(-1, label=say("Minimum similarity"), minimum=-1, maximum=1),
            gr.Textbox(library.model, label=say("CLIP model")),
            gr.Textbox("", label=say.pgettext("search", "From")),
            gr.Textbox("", label=say.pgettext("search", "Until")),
            gr.Textbox("", label=say("Subfolder")),
            gr.Number(0, label=say("Minimum width and height (pixels)"), precision=0, minimum=0),
            gr.Textbox("", label=say("Prompt contains")),
            gr.Textbox("", label=say("Preset")),
            gr.Textbox("", label=say("Image model")),
            gr.Textbox("", label=say("Seed")),
        ]
        files_out = gr.File(label=say("Search results"), file_count="multiple")
        outputs = [gr.JSON(label=say("{count} found")), files_out]
        gr.Button().click(
            search,
            inputs,
            outputs,
            api_name="search",
            api_description=say(
                "Finds pictures by text, by a picture or by both. Returns their scores and metadata, and the files."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )
