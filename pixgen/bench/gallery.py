"""Benchmark of the gallery: listing, filtering and searching thousands of runs, and opening the page with them."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from pixgen.recipe.presets import available_presets
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Run, Studio
from pixgen.studio.gallery.entries import SORTS, RunFilter
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.metadata.picture_info import save_png
from pixgen.studio.runs.run import RunTags

RUNS = 5000
_SIDE = 128  # pixels
_PAGE = 48  # runs that are listed at once, as on the page
_COLOURS = ("red", "blue", "green", "golden", "white", "black", "purple", "orange")
_THINGS = ("fox", "whale", "house", "lighthouse", "boat", "owl", "apple", "dragon", "tree", "clock")
_PLACES = ("on a snowy hill", "at night", "under the sea", "in space", "at sunset", "in the rain")
_TAGS = ("sea", "kitchen", "print", "gift")


def make_runs(folder: Path, count: int) -> None:
    """Create finished runs in a studio's folder, a minute apart, with pictures, recipes, favourites, tags,
    other seeds and forks. Raises StorageError."""
    chance = np.random.default_rng(0)
    prompts = [f"a {' '.join(words)}" for words in product(_COLOURS, _THINGS, _PLACES)]
    presets = list(available_presets().values())
    start = datetime(2026, 1, 1).astimezone()
    parent = ""
    for number in range(count):
        prompt, preset = prompts[number // 3 % len(prompts)], presets[number // 3 % len(presets)]
        recipe = make_recipe({"prompts": prompt, "preset": preset.name}, preset.recipe, {"seed": number})
        started = start + timedelta(minutes=number)
        letters = "".join(chr(ord("a") + number // 26**place % 26) for place in range(6))
        run = Run(
            folder=folder / f"{started:%Y%m%d-%H%M%S}-{letters}",
            recipe=recipe,
            state="stopped" if number % 10 == 0 else "done",
            started=started,
            finished=started,
            step=recipe.steps,
            seconds=float(chance.uniform(5, 60)),
            similarities=((prompt, float(chance.uniform(0.1, 0.5))),),
            parent=parent if number % 5 == 4 else "",
        )
        run.folder.mkdir(parents=True)
        run.save()
        save_png(_picture(chance), run.picture, recipe)
        if number % 7 == 0:
            RunTags(number % 2 == 0, (_TAGS[number % len(_TAGS)],)).save(run.folder)
        parent = run.id


def gallery(*, runs: int = RUNS, repeats: int = 20) -> dict[str, Any]:
    """Median and maximum milliseconds of the operations that a user waits for. Raises PixgenError."""
    with TemporaryDirectory(prefix="pixgen-bench-") as name:
        folder = Path(name)
        make_runs(folder, runs)
        with Studio(folder, device="cpu") as studio:
            return {"runs": runs, **_time_queries(Gallery(studio), repeats), **_time_page(studio)}


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``gallery`` as text."""
    lines = [f"{figures['runs']:,} runs"]
    lines += [
        f"{name:>12} {figures[f'{name}_ms']:8.1f} ms   worst {figures[f'{name}_worst_ms']:.1f} ms"
        for name in ("list", "filter", "search", "open")
    ]
    lines.append(f"{'made anew':>12} {figures['rebuild_seconds']:8.2f} s    without the table")
    if figures["page_open_seconds"] is None:
        lines.append(f"{'page':>12} needs Playwright and Chromium: see requirements-dev.txt")
    else:
        lines.append(
            f"{'page':>12} {figures['page_open_seconds']:8.2f} s    the tab "
            f"{figures['tab_first_seconds']:.2f} s, again {figures['tab_again_seconds']:.2f} s"
        )
    return "\n".join(lines)


def _time_queries(gallery: Gallery, repeats: int) -> dict[str, Any]:
    begun = perf_counter()
    everything = gallery.find(RunFilter())
    rebuilt = perf_counter() - begun
    chance = np.random.default_rng(1)
    some = [everything[place] for place in chance.integers(len(everything), size=repeats)]

    def listed(number: int) -> None:
        wanted = RunFilter(sort=SORTS[number % len(SORTS)])
        gallery.find(wanted, first=number * _PAGE, count=_PAGE)
        gallery.count(wanted)

    def filtered(number: int) -> None:
        entry = some[number]
        wanted = (
            RunFilter(preset=entry.preset),
            RunFilter(tag=_TAGS[number % len(_TAGS)]),
            RunFilter(favourite=True),
            RunFilter(state="stopped"),
            RunFilter(after=entry.started),
        )
        gallery.find(wanted[number % len(wanted)], count=_PAGE)
        gallery.count(wanted[number % len(wanted)])

    def searched(number: int) -> None:
        wanted = RunFilter(text=" ".join(some[number].prompt.split()[1:3]))
        gallery.find(wanted, count=_PAGE)
        gallery.count(wanted)

    acts = {
        "list": listed,
        "filter": filtered,
        "search": searched,
        "open": lambda number: gallery.open(some[number].id),
    }
    figures: dict[str, Any] = {"rebuild_seconds": round(rebuilt, 2)}
    for name, act in acts.items():
        figures |= _time(name, act, repeats)
    return figures


def _time(name: str, act: Callable[[int], None], repeats: int) -> dict[str, float]:
    seconds = []
    for number in range(repeats):
        begun = perf_counter()
        act(number)
        seconds.append(perf_counter() - begun)
    return {
        f"{name}_ms": round(1000 * median(seconds), 1),
        f"{name}_worst_ms": round(1000 * max(seconds), 1),
    }


def _time_page(studio: Studio) -> dict[str, float | None]:
    """Seconds in a real browser: until the page can be used, and until the Gallery tab is drawn."""
    names = ("page_open_seconds", "tab_first_seconds", "tab_again_seconds")
    seconds: list[float | None] = [None] * len(names)
    with suppress(ImportError):
        from playwright.sync_api import Error, sync_playwright

        with suppress(Error), serve_page(studio) as address, sync_playwright() as driver:
            seconds = _watch_page(driver, address)
    return dict(zip(names, seconds, strict=True))


def _watch_page(driver: Any, address: str) -> list[float | None]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
    page = browser.new_page(locale="en-GB")
    seconds: list[float | None] = []
    drawn = "document.querySelectorAll('#pg-grid li img').length > 0 && [...document.querySelectorAll('#pg-grid li img')].every((each) => each.complete)"

    def timed(act: Callable[[], Any]) -> None:
        begun = perf_counter()
        act()
        seconds.append(round(perf_counter() - begun, 2))

    def opened() -> None:
        page.goto(address)
        page.locator("#pg-generate:enabled").wait_for()

    def looked() -> None:
        page.get_by_role("tab", name="Gallery").click()
        page.wait_for_function(drawn)

    opened()  # the server loads its files
    timed(opened)
    timed(looked)
    page.reload()
    page.locator("#pg-generate:enabled").wait_for()
    timed(looked)
    browser.close()
    return seconds


@contextmanager
def serve_page(studio: Studio) -> Iterator[str]:
    """Serve the page of a studio at a free port of this machine; yields its address."""
    from pixgen.ui.page import build, launch

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = build(studio)
    launch(page, server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        page.close()


def _picture(chance: np.random.Generator) -> np.ndarray:
    """A picture ``(H, W, 3)`` uint8: a few shapes on a background."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    picture = np.empty((_SIDE, _SIDE, 3), np.uint8)
    picture[:] = chance.integers(0, 256, 3)
    for _ in range(4):
        row, column, reach = chance.integers(8, _SIDE, 3)
        picture[(rows - row) ** 2 + (columns - column) ** 2 < reach**2 / 4] = chance.integers(0, 256, 3)
    return picture
