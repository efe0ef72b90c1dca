"""Copies the pictures, videos and sounds that a recipe names into the run's folder, so that it can be repeated.

A copy is ``inputs/<sha256 of its bytes>/<its name>``, relative to the run's folder: the recipe contains no
path of the machine, and labels keep the name of the original file. Also reads colour lookup tables in .cube files, as
photo and video editors write them (Adobe's Cube LUT specification 1.0).
"""

import glob
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pixgen.errors import PictureError
from pixgen.images import MAX_BYTES, open_picture
from pixgen.recipe.journey import STEPS_A_SECOND
from pixgen.recipe.prompts import Scene, is_video_path
from pixgen.recipe.recipe import Recipe
from pixgen.studio.storage import storage_errors, write_bytes
from pixgen.studio.video.sound import open_levels, open_sound
from pixgen.studio.video.source import SourceVideo, keep_file, keep_video
from pixgen.text_files import decode

FOLDER = "inputs"
KEPT_PATH = re.compile(rf"{FOLDER}/[0-9a-f]{{64}}/[^/\\]+")

_UNSAFE = re.compile(r"[^\w.-]+")  # in the name of a copy
_LONGEST_NAME = 60
_PATH_FIELDS = ("picture", "mask", "video", "audio", "lookup", "depth")  # of a recipe, whose values are paths
_LARGEST_LOOKUP = 20 * 2**20  # bytes
_MOST_ENTRIES = {"LUT_3D_SIZE": 65, "LUT_1D_SIZE": 65_536}
_AS_CUBE = 33  # entries along each side of a table that is made of three curves


def named_pictures(recipe: Recipe) -> set[str]:
    """The pictures that a recipe names: in its init, losses, effects, prompts and edits, and the videos of regions."""
    return _still_pictures(recipe) | _regions(_all_scenes(recipe))


def _still_pictures(recipe: Recipe) -> set[str]:
    """Those of the pictures that cannot be videos: all but the regions of prompts."""
    effects = {recipe.overlay.picture, recipe.colouring.picture, recipe.journey.depth}
    prompts = {prompt.picture for scene in (*_all_scenes(recipe), recipe.init.idea) for prompt in scene}
    return (recipe.losses.pictures | prompts | effects | {recipe.init.picture, recipe.init.mask}) - {""}


def _all_scenes(recipe: Recipe) -> list[Scene]:
    return [*recipe.prompts, *(scene for change in recipe.changes for scene in change.prompts or ())]


def _regions(scenes: Iterable[Scene]) -> set[str]:
    return {prompt.mask for scene in scenes for prompt in scene} - {""}


def named_files(recipe: Recipe) -> set[str]:
    """The files that a recipe names: its pictures, the video that it paints over, its sound and colour lookup."""
    others = {recipe.journey.video, recipe.journey.audio, recipe.colouring.lookup}
    return named_pictures(recipe) | (others - {""})


def prompt_pictures(scenes: tuple[Scene, ...]) -> set[str]:
    """The pictures that prompts name, as the prompt itself or as its region."""
    return _regions(scenes) | ({prompt.picture for scene in scenes for prompt in scene} - {""})


def replace_paths(recipe: Recipe, paths: Mapping[str, str]) -> Recipe:
    """The recipe with some paths replaced."""
    if not paths:
        return recipe
    return Recipe.model_validate(_replace(recipe.model_dump(), paths))


def find_kept(path: str, studio: Path) -> Path | None:
    """A copied file by its path in a run's folder, from any run of a studio's folder: a recipe that was read from a
    picture names the copies of the run that painted it."""
    return next(studio.glob(f"*/{glob.escape(path)}"), None)


def resolve_kept_paths(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with absolute paths for the copies that are in ``folder``."""
    kept = {path for path in named_files(recipe) if KEPT_PATH.fullmatch(path)}
    return replace_paths(recipe, {path: str(folder / path) for path in kept if (folder / path).is_file()})


def keep_picture(path: Path, folder: Path) -> str:
    """Copy a picture into a run's folder; returns its path there. Raises PictureError, StorageError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(
                "“{name}” is too large: at most {limit} MB.",
                name=path.name,
                limit=MAX_BYTES // 2**20,
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureError(
            "“{name}” cannot be read: check that the picture is there.", name=path.name
        ) from error
    name = _UNSAFE.sub("_", path.name).strip(".")[-_LONGEST_NAME:] or "picture"
    kept = f"{FOLDER}/{hashlib.sha256(data).hexdigest()}/{name}"
    with storage_errors(folder / kept):
        (folder / kept).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / kept, data)
    return kept


def trust_paths(find: Callable[[str], Path], trusted: Collection[str]) -> Callable[[str], Path]:
    """Wrap ``find`` so that trusted paths are used as they are."""
    return lambda path: Path(path) if path in trusted else find(path)


def keep_pictures(recipe: Recipe, folder: Path, *, find: Callable[[str], Path]) -> Recipe:
    """Copy the pictures and the video that a recipe names; returns the recipe that names the copies.

    Args:
        find: returns the file of a named picture, or raises PictureError.

    Raises PictureError, StorageError.
    """
    _refuse_videos(_still_pictures(recipe))
    paths = {path: _keep_named(path, folder, find) for path in sorted(named_pictures(recipe))}
    if video := recipe.journey.video:
        paths[video] = f"{FOLDER}/{keep_video(find(video), folder / FOLDER)}"
    if audio := recipe.journey.audio:
        open_sound(find(audio))  # refuses what is no sound
        paths[audio] = f"{FOLDER}/{keep_file(find(audio), folder / FOLDER, name='sound')}"
    if lookup := recipe.colouring.lookup:
        read_lookup(find(lookup))  # refuses what is no table
        paths[lookup] = f"{FOLDER}/{keep_file(find(lookup), folder / FOLDER, name='lookup')}"
    return replace_paths(recipe, paths)


def _refuse_videos(paths: Iterable[str]) -> None:
    for path in sorted(paths):
        if is_video_path(path):
            raise PictureError(
                "“{name}” is a video, which only the region of a prompt can be: choose a picture, or a frame of it.",
                name=Path(path).name,
            )


def _keep_named(path: str, folder: Path, find: Callable[[str], Path]) -> str:
    """Copy a picture, or a video of a region that moves."""
    if is_video_path(path):
        return f"{FOLDER}/{keep_video(find(path), folder / FOLDER)}"
    return keep_picture(find(path), folder)


def keep_prompts(
    scenes: tuple[Scene, ...], folder: Path, *, find: Callable[[str], Path]
) -> tuple[Scene, ...]:
    """Copy the pictures that scenes name; returns the scenes that name the copies. Raises PictureError."""
    _refuse_videos(prompt.picture for scene in scenes for prompt in scene)
    paths = {path: _keep_named(path, folder, find) for path in sorted(prompt_pictures(scenes))}
    return tuple(
        tuple(
            prompt.model_copy(
                update={
                    "picture": paths.get(prompt.picture, ""),
                    "mask": paths.get(prompt.mask, ""),
                }
            )
            for prompt in scene
        )
        for scene in scenes
    )


def open_inputs(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Open every file that a recipe names, from the run's folder, by its path in the recipe: pictures, videos as
    ``SourceVideo``, the colour lookup as its table, and a sound as its levels if an expression follows it.

    Raises PictureError, VideoError.
    """
    journey, lookup = recipe.journey, recipe.colouring.lookup
    for path in sorted({journey.video, journey.audio, lookup} - {""}):
        _check_kept(path)
    opened = open_pictures(
        named_pictures(recipe), folder, transparent={recipe.overlay.picture}, fps=journey.rate
    )
    if journey.video:
        opened[journey.video] = SourceVideo(folder / journey.video, fps=journey.fps)
    if lookup:
        opened[lookup] = read_lookup(folder / lookup)
    if journey.audio and recipe.follows_sound:
        opened[journey.audio] = open_levels(folder / journey.audio)
    return opened


def open_pictures(
    paths: set[str], folder: Path, *, transparent: Collection[str] = (), fps: float = STEPS_A_SECOND
) -> dict[str, Any]:
    """Open the copied pictures of a run, by their paths in its recipe; those in ``transparent`` keep their
    opacity. Videos of regions are opened at a frame rate, as pictures by frame. Raises PictureError."""
    for path in paths:
        _check_kept(path)
    return {
        path: SourceVideo(folder / path, fps=fps)
        if is_video_path(path)
        else open_picture(folder / path, transparent=path in transparent)
        for path in sorted(paths)
    }


def _check_kept(path: str) -> None:
    """Raise PictureError if a path is not that of a copy in a run's folder."""
    if not KEPT_PATH.fullmatch(path):
        raise PictureError("“{name}” is not a file of this run.", name=Path(path).name)


def _replace(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: paths.get(part, part) if key in _PATH_FIELDS else _replace(part, paths)
            for key, part in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_replace(part, paths) for part in value]
    return value


def read_lookup(path: Path) -> np.ndarray:
    """The table of a .cube file, ``(N, N, N, 3)`` float32 by blue, green and red, each from 0 to 1.

    A file of three curves (``LUT_1D_SIZE``) becomes a table, too. Raises PictureError.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_LOOKUP + 1)
        if len(data) > _LARGEST_LOOKUP:
            raise ValueError
        return _parse_lookup(decode(data))
    except OSError as error:
        raise PictureError("“{name}” cannot be read: check that it is there.", name=path.name) from error
    except ValueError as error:
        raise PictureError(
            "“{name}” is not a colour lookup that can be read: use a .cube file with at most 65 entries a side.",
            name=path.name,
        ) from error


def _parse_lookup(text: str) -> np.ndarray:
    kind, size, rows = "", 0, []
    low, high = np.zeros(3, np.float32), np.ones(3, np.float32)
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] == "TITLE":
            continue
        if words[0] in _MOST_ENTRIES:
            kind, size = words[0], int(words[1])
        elif words[0] == "DOMAIN_MIN":
            low = np.array(words[1:4], np.float32)
        elif words[0] == "DOMAIN_MAX":
            high = np.array(words[1:4], np.float32)
        elif words[0][0] in "+-.0123456789":
            rows.append(words[:3])
    table = np.array(rows, np.float32)
    if (
        not kind
        or not 2 <= size <= _MOST_ENTRIES[kind]
        or not np.isfinite(table).all()
        or (high <= low).any()
    ):
        raise ValueError
    own = np.linspace(0, 1, size)
    at = [np.linspace(0, 1, _AS_CUBE if kind == "LUT_1D_SIZE" else size)] * 3
    places = [np.clip((each - low[axis]) / (high[axis] - low[axis]), 0, 1) for axis, each in enumerate(at)]
    if kind == "LUT_1D_SIZE":
        curves = [np.interp(place, own, table.reshape(size, 3)[:, axis]) for axis, place in enumerate(places)]
        blue, green, red = np.meshgrid(curves[2], curves[1], curves[0], indexing="ij")
        return np.clip(np.stack([red, green, blue], -1), 0, 1).astype(np.float32)
    cube = table.reshape(size, size, size, 3)
    for axis, place in enumerate(reversed(places)):  # a domain that is not 0 to 1 is sampled again
        if low[2 - axis] != 0 or high[2 - axis] != 1:
            cube = _resample_lookup(cube, place * (size - 1), axis)
    return np.clip(cube, 0, 1).astype(np.float32)


def _resample_lookup(cube: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """A table at other places along an axis, linear between its entries."""
    before = np.clip(places.astype(int), 0, cube.shape[axis] - 2)
    share = (places - before).reshape([-1 if each == axis else 1 for each in range(4)])
    return np.take(cube, before, axis) * (1 - share) + np.take(cube, before + 1, axis) * share
