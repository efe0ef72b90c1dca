"""What a studio lets people ask for: everything on one's own machine, bounded work in public."""

from dataclasses import dataclass
from pathlib import Path

from pixgen.errors import PictureError, RecipeError, StudioError
from pixgen.models.catalog import get_entry
from pixgen.models.registry import ready_names
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.sampling import (
    DALLE,
    POCKET,
    UNCLIP,
    prompt_text,
    prompt_text_or_pictures,
    sampling_settings,
)
from pixgen.studio.runs.retention import PUBLIC_KEEP, RetentionLimits, parse_retention


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Caps on the work of one job and on how many jobs wait.

    ``None`` means no cap. ``picture_folders`` are the only folders whose pictures a recipe may name,
    and ``models`` the only models: a recipe may come from a stranger, who must be able to read no
    file of the server but the own uploads. ``keep`` says which runs are not kept for ever.
    """

    public: bool = False
    largest_side: int = 1024
    most_steps: int = 2000
    most_cutouts: int = 512
    most_prompts: int = 500
    longest_seconds: float | None = None
    waiting: int = 20
    jobs_an_owner: int | None = None
    models: tuple[str, ...] | None = None
    picture_folders: tuple[Path, ...] | None = None
    keep: RetentionLimits = RetentionLimits()

    @classmethod
    def for_public(cls, *, picture_folders: tuple[Path, ...] = (), keep: str | None = None) -> "Policy":
        """For strangers: 512 px, 500 steps, 120 s, one job running and one waiting an owner, pictures from
        ``picture_folders`` (where the page keeps uploads) only, and models by their names in the catalog
        that are here already: no visitor can make a public server download gigabytes."""
        return cls(
            public=True, largest_side=512, most_steps=500, most_cutouts=64, most_prompts=50,
            longest_seconds=120, jobs_an_owner=2, models=ready_names(), picture_folders=picture_folders,
            keep=parse_retention(keep or PUBLIC_KEEP),
        )  # fmt: skip

    def check(self, recipe: Recipe) -> None:
        """Raise RecipeError, which says the cap, if the recipe asks for more than is allowed, or its
        sketcher for what that cannot do; ModelError if there is no such sketcher."""
        if max(recipe.width, recipe.height) > self.largest_side:
            raise RecipeError(
                "A picture may be at most {limit} pixels wide and high here: choose a smaller size than "
                "{width}×{height}.",
                limit=self.largest_side,
                width=recipe.width,
                height=recipe.height,
            )
        if recipe.steps > self.most_steps:
            raise RecipeError(
                "A picture may take at most {limit} steps here: choose fewer than {steps}.",
                limit=self.most_steps,
                steps=recipe.steps,
            )
        if recipe.cutouts.count > self.most_cutouts:
            raise RecipeError(
                "There may be at most {limit} cutouts here: choose fewer than {count}.",
                limit=self.most_cutouts,
                count=recipe.cutouts.count,
            )
        for model in (recipe.model, *recipe.clip_names, recipe.init.sketch.model):
            self.check_model(model)
        if recipe.needs_sketcher:
            _check_sketch(recipe)
        if self.models is not None and recipe.config:
            raise RecipeError("Own checkpoints are not taken here: leave out the config.")
        for scenes in (recipe.prompts, *(change.prompts for change in recipe.changes)):
            self.check_prompts(scenes or ())

    def check_model(self, name: str) -> None:
        """Raise RecipeError if that model may not be used."""
        if self.models is not None and name not in self.models:
            raise RecipeError(
                "The model “{name}” is not offered here: choose {choices}.",
                name=name,
                choices=", ".join(self.models),
            )

    def check_prompts(self, scenes: tuple[Scene, ...]) -> None:
        """Raise RecipeError if there are more prompts in all scenes together than are allowed."""
        count = sum(len(scene) for scene in scenes)
        if count > self.most_prompts:
            raise RecipeError(
                "There may be at most {limit} prompts here: there are {count}.",
                limit=self.most_prompts,
                count=count,
            )

    def check_picture(self, path: Path) -> None:
        """Raise PictureError if pictures from this path's folder may not be used."""
        if self.picture_folders is None:
            return
        try:
            found = path.resolve()  # follows links, so that none leads out of the folder
            if any(found.is_relative_to(folder.resolve()) for folder in self.picture_folders):
                return
        except (OSError, ValueError, RuntimeError):
            pass  # no path at all
        raise PictureError("Only pictures that were uploaded can be used here: upload it first.")

    def check_line(self, *, waiting: int, of_owner: int) -> None:
        """Raise StudioError if one more job is too many: ``waiting`` wait, ``of_owner`` are the owner's."""
        if self.jobs_an_owner is not None and of_owner >= self.jobs_an_owner:
            raise StudioError(
                "You have {of_owner} pictures waiting or being painted, and may have {limit}: wait for one, or stop it.",
                of_owner=of_owner,
                limit=self.jobs_an_owner,
            )
        if waiting >= self.waiting:
            raise StudioError("The studio is full ({waiting} pictures wait): try later.", waiting=waiting)


def _check_sketch(recipe: Recipe) -> None:
    """Whether the sketcher can be told what the recipe wants, before gigabytes are loaded for it."""
    entry, asked = get_entry(recipe.init.sketch.model, "sketcher"), recipe.init.sketch
    if entry.bundled:
        sampling_settings(asked, POCKET)
    elif entry.model:
        sampling_settings(asked, DALLE)
        prompt_text(recipe)
    else:
        sampling_settings(asked, UNCLIP)
        prompt_text_or_pictures(recipe)
