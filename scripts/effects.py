"""Paints the docs' pictures of effects: a sheet of stills, a sheet of strips with frames of videos, and an SVG.

Each is the default preset, unless its label says otherwise, with the prompt and the seed that are written down here.
All inputs are drawn here.
"""

import io
import sys
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from a clone, not installed

from pixgen.recipe.effects.expressions import Moment
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.recipe import Recipe
from pixgen.studio import Run, Studio
from pixgen.studio.gallery.walls import lay_wall
from pixgen.studio.grids.grid import Grid, draw_sheet
from pixgen.studio.grids.plans import plan_batch
from pixgen.studio.runs.inputs import named_files
from pixgen.studio.runs.record import run_svg
from pixgen.studio.video.export import VideoWriter, export
from pixgen.studio.video.journeys import plan_journey
from pixgen.studio.video.sound import open_levels
from pixgen.studio.video.source import read_frames
from pixgen.studio.video.timeline import ExportSettings
from scripts.pictures import GAP, INK, sheet

FOLDER, SEED = Path(__file__).parent.parent / "assets" / "docs", 7
FOX, FLOWERS = "a red fox on a snowy hill", "pattern of red flowers"
FRAMES, SIDE, SMALL = 8, 128, 14  # frames of a strip, and pixels of a frame and of a letter
CURVE = (31, 110, 92)
PIXELS: dict[str, Any] = {"preset": "pixel-art", "prompt": FOX}


def main() -> None:
    """Paint and write all."""
    with tempfile.TemporaryDirectory() as name, Studio(Path(name) / "runs", device="cpu") as studio:
        inputs = Path(name)
        draw_inputs(inputs)
        stills = paint_stills(studio, inputs)
        sheet(list(stills.values()), list(stills), columns=4).save(
            FOLDER / "effects.webp", quality=85, method=6
        )
        strips = paint_strips(studio, inputs)
        sheet_of_strips(strips).save(FOLDER / "effects-in-time.webp", quality=82, method=6)
        batch = Grid.make(
            studio, plan_batch(Options(prompt="a hot air balloon", seed=SEED, size="128x128"), count=8)
        )
        for _ in batch.paint():
            pass
        draw_sheet(batch.plan, batch.runs()).save(FOLDER / "batch.webp", quality=85, method=6)


def paint_stills(studio: Studio, inputs: Path) -> dict[str, np.ndarray]:
    """One picture an effect, ``(H, W, 3)`` uint8, by the option that asks for it."""

    def option(name: str) -> str:
        return str(inputs / name)

    wanted = {
        "no effect": Options(prompt=FOX),
        "--overlay star.png --set overlay.alpha=0.8": Options(
            prompt=FOX, overlay=option("star.png"), assignments=["overlay.alpha=0.8"]
        ),
        "--colours-of evening.png": Options(prompt=FOX, colours_of=option("evening.png")),
        "--lookup sepia.cube": Options(prompt=FOX, lookup=option("sepia.cube")),
        "| [noise:3] :4": Options(prompt=f"{FOX} | [noise:3] :4"),
        "| day -> night :2": Options(prompt=f"{FOX} | day -> night :2"),
        "| sunset :3 @[the sky]": Options(prompt=f"{FOX} | sunset :3 @[the sky]"),
        "--preset pixel-art --set pixels.shape=knit": Options(
            **PIXELS, assignments=["pixels.shape=knit", "pixels.size=5"]
        ),
        "--preset pixel-art --set pixels.shape=brick": Options(
            **PIXELS, assignments=["pixels.shape=brick", "pixels.size=4"]
        ),
    }
    painted = {}
    for label, options in wanted.items():
        run = paint(studio, recipe_from(replace(options, seed=SEED)))
        painted[label] = np.asarray(Image.open(run.picture).convert("RGB"))
        if "knit" in label:
            (FOLDER / "knit.svg").write_text(run_svg(run))
    for kind in ("shift", "across", "both"):
        options = Options(prompt=FLOWERS, seed=SEED, size="128x128", wall=kind)
        run = paint(studio, recipe_from(options))
        painted[f"--wall {kind}, 3 by 3 tiles"] = np.asarray(lay_wall(Image.open(run.picture), kind))
    return painted


def paint_strips(studio: Studio, inputs: Path) -> dict[str, Sequence[Image.Image]]:
    """Frames of a video for each effect, by the options that ask for it; with a curve if a value changes."""
    strips: dict[str, Sequence[Image.Image]] = {}

    def journey(label: str, prompt: str, *, frames: int, over: Sequence[str] = (), **moves: Any) -> Run:
        own = {name: moves.pop(name) for name in ("audio", "assignments") if name in moves}
        options = Options(prompt=prompt, seed=SEED, size=f"{SIDE}x{SIDE}", **own)
        recipe = plan_journey(options, frames=frames, **{"every": 3, **moves})
        run = paint(studio, recipe)
        strips[label] = [
            *evenly(list(read_frames(run.video)), FRAMES),
            *(curve(recipe, each) for each in over),
        ]
        return run

    swell, clicks = "1.02 + 0.06*sin(t*tau)", "1 + 0.15*onset*(onset > 0.5)"
    journey(f'--zoom "{swell}"', "a sunflower", frames=24, zoom=swell, over=[swell])
    sound = str(inputs / "clicks.wav")
    journey(
        f'--audio clicks.wav --zoom "{clicks}"', "a red heart", frames=24, zoom=clicks, over=[clicks, "bass"],
        audio=sound,
    )  # fmt: skip
    forest = f"a green forest | fire :6 @[{inputs / 'wipe.mp4'}]"
    journey(
        "| fire :6 @[wipe.mp4], which is white from the left to further and further right", forest, frames=FRAMES,
        every=12, assignments=["optimizer.learning_rate=0.1"],
    )  # fmt: skip
    land = "a house on a green hill"
    journey("--tilt 2 --border edge", land, frames=FRAMES, tilt=2, border="edge")
    journey("--pan 3", land, frames=FRAMES, pan=3)
    journey("--dolly 0.08", land, frames=FRAMES, dolly=0.08)
    near = str(inputs / "near.png")
    journey("--dolly 0.08 --depth near.png", land, frames=FRAMES, dolly=0.08, depth=near)
    for border in ("reflect", "wrap", "inpaint"):
        journey(f"--zoom 0.88 --border {border}", land, frames=FRAMES, zoom=0.88, every=2, border=border)
    run = journey("--turn 14", "a red fox", frames=3, turn=14)
    strips["--turn 14"] = strips["--turn 14"][::3]  # each of the three frames once
    smooth = inputs / "smooth.mp4"
    export(run.video, smooth, ExportSettings(smooth_fps=48, hold=0))
    strips["--turn 14 --smooth-fps 48: three frames between two"] = [
        Image.fromarray(frame) for frame in list(read_frames(smooth))[: FRAMES + 1]
    ]
    return strips


def paint(studio: Studio, recipe: Recipe) -> Run:
    """The finished run of a recipe, which may name files."""
    job = studio.submit(recipe, trusted=named_files(recipe))
    job.wait()
    if job.error is not None:
        raise job.error
    print(recipe.title, recipe.journey.where if recipe.journey.moving else "")
    return job.run


def evenly(frames: Sequence[np.ndarray], count: int) -> list[Image.Image]:
    """So many frames, from the first to the last."""
    places = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return [Image.fromarray(frames[place]) for place in places]


def curve(recipe: Recipe, expression: str) -> Image.Image:
    """An expression or a level of the recipe's sound, drawn over its frames."""
    journey = recipe.journey
    levels = open_levels(Path(journey.audio)) if journey.audio else None
    sounds = [levels.at(frame / journey.fps, 1 / journey.fps) if levels else {} for frame in range(24)]
    if expression in ("bass", "onset"):
        values = [sound[expression] for sound in sounds]
    else:
        values = [journey.motion(frame, sounds[frame] or Moment().sound).zoom for frame in range(24)]
    low, high = min(values), max(values)
    drawn = Image.new("RGB", (4 * SIDE, 4 * SIDE), "white")  # reduced below, so that the line is smooth
    points = [
        (16 + 480 * frame / 23, 400 - 320 * (value - low) / (high - low))
        for frame, value in enumerate(values)
    ]
    ImageDraw.Draw(drawn).line(points, CURVE, 8, "curve")
    drawn = drawn.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    name = expression if expression in ("bass", "onset") else "zoom"
    ImageDraw.Draw(drawn).text((4, 106), f"{name} {low:.2f} to {high:.2f}", INK, ImageFont.load_default(12))
    return drawn


def sheet_of_strips(strips: dict[str, Sequence[Image.Image]]) -> Image.Image:
    """Strips below each other, each with its label above it."""
    across, down = SIDE + 4, SIDE + SMALL + 10 + GAP
    most = max(map(len, strips.values()))
    whole = Image.new("RGB", (most * across - 4, len(strips) * down - GAP), "white")
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(SMALL)
    for row, (label, pictures) in enumerate(strips.items()):
        pen.text((0, row * down), label, INK, font)
        for column, picture in enumerate(pictures):
            whole.paste(picture.resize((SIDE, SIDE)), (column * across, row * down + SMALL + 8))
    return whole


def draw_inputs(folder: Path) -> None:
    """The pictures, the table, the video and the sound that the effects read."""
    draw_star().save(folder / "star.png")
    draw_evening().save(folder / "evening.png")
    (folder / "sepia.cube").write_text(sepia_table())
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    near = (1.3 - 1.6 * np.hypot(x, y - 0.1)).clip(0, 1)  # a hill that comes towards the camera
    Image.fromarray((255 * near).astype(np.uint8)).save(folder / "near.png")
    with VideoWriter(folder / "wipe.mp4", fps=12) as video:
        for place in np.linspace(-0.6, 1, FRAMES):
            video.add(np.repeat((255 * (x < place))[:, :, None], 3, axis=2).astype(np.uint8))
    (folder / "clicks.wav").write_bytes(draw_sound())


def draw_star() -> Image.Image:
    """A gold star on transparent ground, with an edge that is half transparent."""
    star = Image.new("RGBA", (256, 256))
    corners = [
        (128 + radius * np.sin(turn), 42 - radius * np.cos(turn))
        for turn, radius in zip(np.arange(10) * np.pi / 5, [34, 14] * 5, strict=True)
    ]
    ImageDraw.Draw(star).polygon(corners, (250, 200, 40, 255), (255, 240, 180, 128), 3)
    return star


def draw_evening() -> Image.Image:
    """The colours of an evening sky: violet above, orange below."""
    down = np.linspace(0, 1, 64)[:, None, None]
    sky = (1 - down) * np.array((70, 40, 110)) + down * np.array((250, 140, 50))
    return Image.fromarray(np.broadcast_to(sky, (64, 64, 3)).astype(np.uint8))


def sepia_table(size: int = 9) -> str:
    """A ``.cube`` file that turns colours into sepia."""
    levels = np.linspace(0, 1, size)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    grey = 0.3 * red + 0.59 * green + 0.11 * blue
    rows = np.stack([np.minimum(1, factor * grey) for factor in (1.15, 0.95, 0.72)], axis=-1).reshape(-1, 3)
    return f"LUT_3D_SIZE {size}\n" + "".join("{:.4f} {:.4f} {:.4f}\n".format(*row) for row in rows)


def draw_sound(rate: int = 44_100) -> bytes:
    """Two seconds of a sine that swells and fades, with three clicks, as WAV."""
    t = np.arange(2 * rate) / rate
    wanted = 0.6 * np.sin(2 * np.pi * 100 * t) * np.sin(np.pi * t / 2) ** 2
    for second in (0.4, 1.0, 1.6):
        near = (t >= second) & (t < second + 0.02)
        wanted[near] += 0.4 * np.sin(2 * np.pi * 3000 * t[near])
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((32_000 * wanted.clip(-1, 1)).astype("<i2").tobytes())
    return data.getvalue()


if __name__ == "__main__":
    main()
