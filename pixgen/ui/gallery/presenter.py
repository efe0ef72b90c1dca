"""The gallery for one visitor: every method returns updates of the page's parts, by name."""

import io
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import ModelError, SearchError, StudioError
from pixgen.recipe.recipe import Recipe
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.grids.grid import draw_sheet
from pixgen.studio.grids.plans import plan_contact_sheet
from pixgen.studio.library.library import PictureLibrary
from pixgen.ui.components import Parts, servable, servable_bytes
from pixgen.ui.errors import error_text
from pixgen.ui.experiment.view import comparison_html
from pixgen.ui.gallery import queries, view
from pixgen.ui.gallery import view as side_view
from pixgen.ui.i18n import Translator
from pixgen.ui.links import picture_link
from pixgen.ui.protection.events import read_form_number
from pixgen.ui.session import BrowserSession

FORM = tuple(each.name for each in fields(queries.GalleryForm))
FILLED = ("said", "grid", "page", "preset", "tag", "empty")
SHELF = (*FILLED, "shelf_column", "opened_column")
OPENED = (
    "shelf_column", "opened_column", "run", "picture", "facts", "tags", "favourite", "go_on", "delete",
    "restore", "download", "film", "recipe",
)  # fmt: skip

Changes = dict[str, Any]


@dataclass(frozen=True)
class GalleryPresenter:
    """The gallery for one visitor. A method that raises a PixgenError has changed nothing."""

    gallery: Gallery
    library: PictureLibrary
    say: Translator
    parts: Parts
    visitor: BrowserSession

    @property
    def owner(self) -> str:
        """The name under which the visitor's runs are kept."""
        return self.visitor.owner

    def shelf(self, values: tuple[Any, ...], page: object, said: str = "") -> Changes:
        """The page of runs that match the form; ``said`` is HTML to show instead of their range."""
        form = queries.GalleryForm.read(values)
        shown = queries.find_page(
            self.gallery,
            self.library,
            form,
            page=read_form_number(page or 0, int, name="page"),
            owner=self.owner,
        )
        return {
            "said": said or view.place(self.say, shown),
            "grid": view.grid(self.say, shown),
            "shelf_column": gr.update(visible=True),
            "opened_column": gr.update(visible=False),
            "page": shown.page,
            "empty": gr.update(visible=shown.trashed and bool(shown.entries)),
            "preset": self._choices("preset", form.preset, trashed=shown.trashed),
            "tag": self._choices("tag", form.tag, trashed=shown.trashed),
        }

    def opened(self, run_id: str) -> Changes:
        """A run with its picture, facts, relatives and downloads."""
        opened = self.gallery.open(str(run_id), owner=self.owner)
        run, entry, parts = opened.run, opened.entry, self.parts
        relatives = [*opened.parents, *opened.children, *opened.siblings]
        small = self.gallery.thumbnails(relatives)
        film = self._copy("film", run.video)
        text = f"{view.indented(run)}\n"
        recipe = servable_bytes(text.encode(), parts["recipe"], name=f"{run.id}.json")
        address = f"gradio_api/file={film}" if film else ""
        starred = (
            self.say("Remove from favourites")
            if entry.favourite
            else self.say.pgettext("button", "Add to favourites")
        )
        return {
            "shelf_column": gr.update(visible=False),
            "opened_column": gr.update(visible=True),
            "run": run.id,
            "picture": view.picture(self.say, opened, address),
            "facts": view.facts(
                self.say,
                opened,
                dict(zip((each.id for each in relatives), small, strict=True)),
                link=picture_link(run, self.gallery.studio),
            ),
            "tags": ", ".join(entry.tags),
            "favourite": starred,
            "go_on": gr.update(
                value=self.say("Continue") if run.has_started else self.say("Start"),
                visible=run.state in ("stopped", "failed") and not entry.trashed,
            ),
            "delete": gr.update(visible=not entry.trashed),
            "restore": gr.update(visible=entry.trashed),
            "download": _file(self._copy("download", run.picture)),
            "film": _file(film),
            "recipe": _file(recipe),
        }

    def large(self, run_id: object) -> Changes:
        """The picture of a run for the light box."""
        opened = self.gallery.open(str(run_id or ""), owner=self.owner)
        shown = view.picture(self.say, opened, "")
        return {"large": f'<div data-large="{opened.run.id}">{shown}</div>'}

    def favourite(self, run_id: str) -> Changes:
        """Add the opened run to the favourites, or remove it."""
        entry = self.gallery.entry(run_id, owner=self.owner)
        self.gallery.update_tags(run_id, owner=self.owner, favourite=not entry.favourite)
        return self.opened(run_id)

    def star(self, run_id: str, on: object) -> Changes:
        """Set or clear a run's favourite mark; the browser has already redrawn the star."""
        self.gallery.update_tags(str(run_id), owner=self.owner, favourite=bool(on))
        return {}

    def tag(self, run_id: str, text: str) -> Changes:
        """Replace the opened run's tags by those in a text with commas."""
        before = self.gallery.entry(run_id, owner=self.owner).tags
        wanted = queries.split_tags(text or "")
        marks = self.gallery.update_tags(run_id, owner=self.owner, remove=before, add=wanted)
        return {"tags": ", ".join(marks.tags)}

    def delete(self, run_id: str, *form: Any) -> Changes:
        """Move the opened run to the trash and show the list again."""
        prompt = self._prompt(run_id)
        self.gallery.delete(run_id, owner=self.owner)
        say = self.say
        said = view.done(say("“{prompt}” was moved to the trash.", prompt=prompt), say("Undo"), run=run_id)
        return self.shelf(form[1:], form[0], said)

    def restore(self, run_ids: str, *form: Any) -> Changes:
        """Restore a run, or several with commas between them, from the trash."""
        first, *others = chosen = queries.split_runs(run_ids)
        for run_id in chosen:
            self.gallery.restore(run_id, owner=self.owner)
        said = (
            self.say("{count} pictures were restored.", count=len(chosen))
            if others
            else self.say("“{prompt}” was restored.", prompt=self._prompt(first))
        )
        return self.shelf(form[1:], form[0], view.done(said))

    def delete_many(self, run_ids: object, *form: Any) -> Changes:
        """Move several runs to the trash and show the list again. One that is being painted stays."""
        moved = []
        for run_id in queries.split_runs(run_ids):
            with suppress(StudioError):
                self.gallery.delete(run_id, owner=self.owner)
                moved.append(run_id)
        if not moved:
            raise StudioError("These pictures are being painted: stop them first.")
        say = self.say
        said = say.ngettext(
            "{count} picture was moved to the trash.", "{count} pictures were moved to the trash.", len(moved)
        )
        return self.shelf(form[1:], form[0], view.done(said, say("Undo"), run=",".join(moved)))

    def zip_many(self, run_ids: object) -> Changes:
        """A zip of several runs' pictures, videos and recipes; selection.js saves it."""
        data, names = io.BytesIO(), []
        with zipfile.ZipFile(data, "w") as packed:
            for run_id in queries.split_runs(run_ids):
                run = self.gallery.open(run_id, owner=self.owner).run
                for path, name in ((run.picture, f"{run.id}.png"), (run.video, f"{run.id}.mp4")):
                    if path.is_file():
                        packed.write(path, name)
                        names.append(name)
                packed.writestr(f"{run.id}.json", f"{view.indented(run)}\n")
        if not names:
            raise StudioError("There is no picture to download yet: wait until one is painted.")
        path = servable_bytes(data.getvalue(), self.parts["download"], name="pixgen-pictures.zip")
        return {"large": f'<a data-zip href="gradio_api/file={path}" download="pixgen-pictures.zip"></a>'}

    def sheet_many(self, run_ids: object) -> Changes:
        """A contact sheet of several runs' pictures; selection.js saves it."""
        opened = [self.gallery.open(each, owner=self.owner).run for each in queries.split_runs(run_ids)]
        runs = [run for run in opened if run.picture.is_file()]
        if not runs:
            raise StudioError("There is no picture to download yet: wait until one is painted.")
        data, name = io.BytesIO(), "contact-sheet.png"
        draw_sheet(plan_contact_sheet(runs), runs).save(data, "PNG")
        path = servable_bytes(data.getvalue(), self.parts["download"], name=name)
        return {"large": f'<a data-zip href="gradio_api/file={path}" download="{name}"></a>'}

    def compare_many(self, run_ids: object) -> Changes:
        """Two runs, one over the other, with their differences; selection.js opens them."""
        chosen = queries.split_runs(run_ids)
        if len(chosen) != 2:
            raise StudioError("Select two pictures to compare them.")
        shown = comparison_html(self.gallery.studio, *chosen, self.visitor, say=self.say)
        return {"large": f"<div data-compare>{shown}</div>"}

    def picture_copy(self, run_id: Any, component: Any) -> str:
        """A copy of a run's picture for another tab. Raises StudioError if it has none."""
        run = self.gallery.open(str(run_id or ""), owner=self.owner).run
        if not run.picture.is_file():
            raise StudioError("This picture no longer exists.")
        return servable(run.picture, component, name=f"{run.id}.png")

    def empty(self, sure: object, *form: Any) -> Changes:
        """Delete everything in the trash, if the visitor has confirmed."""
        if not sure:
            return {}
        said = self.say("{count} deleted permanently.", count=self.gallery.empty_trash(owner=self.owner))
        return self.shelf(form[1:], 0, view.done(said))

    def go_on(self, run_id: str) -> str:
        """Continue a stopped run; returns the session data with which the browser shows it on Create. Raises
        StudioError."""
        self.gallery.entry(run_id, owner=self.owner)
        job = self.gallery.studio.resume(run_id, owner=self.owner)
        return self.visitor.with_job(job.id, seed=job.recipe.seed)

    def recipe(self, run_id: str) -> Recipe:
        """A run's recipe."""
        return self.gallery.open(run_id, owner=self.owner).run.recipe

    def side(self, text: object) -> Changes:
        """The side bar's list: the newest runs, or those whose prompt or tags contain a text."""
        shown = queries.newest_runs(self.gallery, str(text or ""), owner=self.owner)
        return {
            "side_said": side_view.said(self.say, shown),
            "side_list": side_view.runs(self.say, shown, today=date.today()),
        }

    def alike(self, text: object) -> Changes:
        """The side bar's second list: runs whose pictures match a text by CLIP."""
        text = str(text or "").strip()
        if not text:
            return {"side_alike": ""}
        try:
            shown = queries.similar_runs(self.gallery, self.library, text, owner=self.owner)
        except (SearchError, ModelError) as error:
            return {"side_alike": side_view.alike(self.say, text, error_text(error, self.say))}
        return {"side_alike": side_view.alike(self.say, text, shown, today=date.today())}

    def all_with(self, text: object) -> Changes:
        """The Gallery tab with every run whose prompt or tags contain a text."""
        form = asdict(replace(queries.GalleryForm(), query=str(text or "")))
        return {**form, **self.shelf(tuple(form.values()), 0)}

    def _prompt(self, run_id: str) -> str:
        return view.shortened(self.gallery.entry(run_id, owner=self.owner).prompt)

    def _copy(self, name: str, path: Path) -> str | None:
        """A copy of a run's file for the browser; None if it is not there."""
        if not path.is_file():
            return None
        try:
            return servable(path, self.parts[name], name=f"{path.parent.name}{path.suffix}")
        except OSError:  # a full disk
            return None

    def _choices(self, name: str, chosen: str, *, trashed: bool) -> Any:
        counts = self.gallery.values(name, owner=self.owner, trashed=trashed)
        say = self.say
        rows = [
            (say("{name} ({count})", name=self._named(name, value), count=count), value)
            for value, count in counts.items()
            if value
        ]
        if chosen and chosen not in counts:
            rows.append((self._named(name, chosen), chosen))
        return gr.update(choices=[(say("any"), ""), *rows], value=chosen)

    def _named(self, name: str, value: str) -> str:
        return view.preset_name(self.say, value) if name == "preset" else value


def _file(path: str | None) -> Any:
    return gr.update(value=path, interactive=path is not None)
