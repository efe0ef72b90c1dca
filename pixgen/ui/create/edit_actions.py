"""Turning a picture on the page: while it is painted, or as another that goes on from it."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace

from pixgen.recipe.recipe import Recipe
from pixgen.studio import Studio
from pixgen.studio.runs.forks import MORE_STEPS
from pixgen.ui import status
from pixgen.ui.create import actions
from pixgen.ui.create.actions import Screen
from pixgen.ui.create.drawn import DrawnInputs
from pixgen.ui.create.form import to_recipe
from pixgen.ui.create.form_values import CreateForm
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession


def apply(studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator) -> str:
    """Let the visitor's running picture follow the form's words and learning rate; what to say of it.

    Raises PixgenError.
    """
    job = visitor.job(studio)
    if job is None or job.ended:
        return say(
            "No picture is being painted now: Generate begins one, and “Go on with these words” "
            "turns the last one."
        )
    with ExitStack() as files:
        wanted, trusted = _edited_recipe(form, job.recipe, files)
        turned = job.change(wanted.prompts, wanted.optimizer.learning_rate, trusted=trusted)
    return (
        say("From here on, the picture follows the new words and learning rate.")
        if turned
        else (
            say("The picture follows these words and this learning rate already: change one of them first.")
        )
    )


def more(studio: Studio, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Go on with the visitor's last run for ``MORE_STEPS`` more; a finished one stays as it is."""
    run = visitor.run(studio)
    if run is None:
        yield actions.error_screen(
            say,
            say("The picture that was being painted here is not known any more: paint it again."),
        )
        return
    yield Screen(status=status.starting_html(say, run.recipe), busy="starting")
    job = studio.resume(run.id, steps=run.recipe.steps + MORE_STEPS, owner=visitor.owner)
    yield from actions.follow(studio, job, visitor, say=say)


def fork(studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Go on from the visitor's last run as another, with the form's words and learning rate."""
    run = visitor.run(studio)
    if run is None:
        yield actions.error_screen(
            say,
            say("The picture that was being painted here is not known any more: paint it again."),
        )
        return
    with ExitStack() as files:
        wanted, trusted = _edited_recipe(form, run.recipe, files)
        yield Screen(status=status.starting_html(say, wanted), busy="starting")
        job = studio.fork(
            run.id,
            prompts=wanted.prompts,
            learning_rate=wanted.optimizer.learning_rate,
            owner=visitor.owner,
            trusted=trusted,
        )
    yield from actions.follow(studio, job, visitor, say=say)


def _edited_recipe(form: CreateForm, recipe: Recipe, files: ExitStack) -> tuple[Recipe, Collection[str]]:
    """What the form asks for, its prompts where they were brushed, and the pictures of that; its
    alternatives are drawn by the seed of the picture that is turned."""
    drawn = DrawnInputs.read(form.drawn, files=files)
    asked = to_recipe(replace(form, seed=str(recipe.seed), start=None))
    return drawn.placed(asked), drawn.files
