"""The limits on requests to a studio: generous on a private machine, strict on a public one."""

from dataclasses import dataclass
from pathlib import Path

from pixgen.errors import AddressLimit, OwnerLimit, PictureError, QueueFull, RecipeError
from pixgen.models.catalog import get_entry
from pixgen.models.registry import ready_names
from pixgen.recipe.init import SKETCHERS, sampling_settings
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe
from pixgen.studio.runs.retention import PUBLIC_KEEP, RetentionLimits, parse_retention


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Limits on the work of one job and on the length of the queue. ``None`` means no limit.

    Args:
        jobs_per_address: of anonymous people at one network address, whatever they call themselves.
        longest_pause: seconds after which a pause ends, so that nobody keeps a place in the queue without painting.
        longest_unwatched: seconds after which a job that waits, and whose owner watches none, is stopped.
        picture_folders: the only folders whose pictures a recipe may name: a stranger's recipe must
            not read any file of the server except their own uploads.
        models: the only models that a recipe may name.
        keep: which runs are removed after some time.
    """

    public: bool = False
    largest_side: int = 1024
    most_steps: int = 2000
    most_cutouts: int = 512
    most_prompts: int = 500
    longest_seconds: float | None = None
    waiting: int = 20
    jobs_per_owner: int | None = None
    jobs_per_address: int | None = None
    longest_pause: float | None = None
    longest_unwatched: float | None = None
    models: tuple[str, ...] | None = None
    picture_folders: tuple[Path, ...] | None = None
    keep: RetentionLimits = RetentionLimits()

    @classmethod
    def for_public(cls, *, picture_folders: tuple[Path, ...] = (), keep: str | None = None) -> "Policy":
        """The policy of a public page: 512 px, 500 steps, 120 s, one running and one waiting job per owner, and
        four per network address.

        Pictures come only from ``picture_folders`` (where the page saves uploads). Only models that are
        already downloaded may be used, so that no visitor makes the server download gigabytes.
        """
        return cls(
            public=True,
            largest_side=512,
            most_steps=500,
            most_cutouts=64,
            most_prompts=50,
            longest_seconds=120,
            jobs_per_owner=2,
            jobs_per_address=4,
            longest_pause=300,
            longest_unwatched=300,
            models=ready_names(),
            picture_folders=picture_folders,
            keep=parse_retention(keep or PUBLIC_KEEP),
        )

    def check(self, recipe: Recipe) -> None:
        """Raise RecipeError, which states the limit, if the recipe exceeds one or its sketch settings are
        not supported by its sketch model; ModelError if there is no such sketch model."""
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
                "A picture can have at most {limit} steps here, not {steps}: choose fewer.",
                limit=self.most_steps,
                steps=recipe.steps,
            )
        if recipe.cutouts.count > self.most_cutouts:
            raise RecipeError(
                "Too many cutouts: {count}. The limit here is {limit}.",
                limit=self.most_cutouts,
                count=recipe.cutouts.count,
            )
        for model in (recipe.model, *recipe.clip_names, recipe.init.sketch.model):
            self.check_model(model)
        if recipe.needs_sketcher:
            _check_sketch(recipe)
        if self.models is not None and recipe.config:
            raise RecipeError("Your own checkpoints cannot be used here: leave the config out.")
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
        """Raise RecipeError if all scenes together have too many prompts."""
        count = sum(len(scene) for scene in scenes)
        if count > self.most_prompts:
            raise RecipeError(
                "Too many prompts: {count}. The limit here is {limit}.",
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
            pass  # not a valid path
        raise PictureError("Only uploaded pictures can be used here: upload this one first.")

    def check_queue(self, *, waiting: int, of_owner: int, of_address: int = 0) -> None:
        """Raise QueueFull if the queue is full: ``waiting`` jobs wait, ``of_owner`` are the owner's, and
        ``of_address`` come from the owner's network address."""
        if self.jobs_per_owner is not None and of_owner >= self.jobs_per_owner:
            raise OwnerLimit(
                "You have {of_owner} pictures waiting or being painted, and the limit is {limit}: wait "
                "for one to finish, or stop it.",
                of_owner=of_owner,
                limit=self.jobs_per_owner,
            )
        if self.jobs_per_address is not None and of_address >= self.jobs_per_address:
            raise AddressLimit(
                "{count} pictures from your network are waiting or being painted, and the limit is "
                "{limit}: try again when one is finished.",
                count=of_address,
                limit=self.jobs_per_address,
            )
        if waiting >= self.waiting:
            raise QueueFull(
                "The queue is full ({waiting} pictures are waiting): try again later.", waiting=waiting
            )


def _check_sketch(recipe: Recipe) -> None:
    """Check the sketch settings before gigabytes are loaded for the sketch model. Raises RecipeError."""
    kind = SKETCHERS[get_entry(recipe.init.sketch.model, "sketcher").architecture]
    sampling_settings(recipe.init.sketch, kind.settings)
    if kind.conditioning is not None:
        kind.conditioning(recipe)
