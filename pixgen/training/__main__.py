"""``python -m pixgen.training``: fetch and render the data, train each pocket model, export them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from open_clip import model as open_clip_model

from pixgen.errors import PixgenError, TrainingError
from pixgen.models.clip.perceptor import load_clip
from pixgen.models.vqgan.vqgan import load_vqgan
from pixgen.paths import ASSETS
from pixgen.training.compose.captions import Author
from pixgen.training.compose.places import settings_bank
from pixgen.training.data import sources
from pixgen.training.data.drawings import PIXELS_FILE, TABLE_FILE, load_sprites, render_all
from pixgen.training.data.held_out import SEED, write_held_out
from pixgen.training.data.words import learn_vocabulary, write_words
from pixgen.training.export import (
    VOCABULARY,
    export_clip,
    export_enlarger,
    export_sketcher,
    export_vqgan,
    save_reconstructions,
)
from pixgen.training.models import configs
from pixgen.training.models.clip import EYE_ALONE, ClipTraining, decode_set, train_clip
from pixgen.training.models.enlarger import EnlargerTraining, train_enlarger
from pixgen.training.models.exemplars import write_exemplars
from pixgen.training.models.sketcher import SketcherTraining, train_sketcher
from pixgen.training.models.vqgan import VqganTraining, train_vqgan
from pixgen.training.models.word_looks import telling_tokens

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Folder = Annotated[Path, typer.Option(help="Where data and checkpoints are kept.")]
Threads = Annotated[int, typer.Option(help="How many processor threads to use.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
Begin = Annotated[
    Path | None, typer.Option(help="Weights (safetensors) of an earlier training to begin with.")
]
HOME = Path.home() / ".cache" / "pixgen" / "training"


@app.command()
def data(folder: Folder = HOME) -> None:
    """Fetch the drawings and their names, render them, paint the settings, learn the vocabulary."""
    sources.fetch(folder)
    if not (folder / PIXELS_FILE).exists():
        typer.echo(f"{render_all(folder)} drawings")
    settings_bank(folder)
    if not (folder / VOCABULARY).exists():
        author = Author(load_sprites(folder)[1], seed=1)
        learn_vocabulary(author, folder / VOCABULARY, size=configs.VOCABULARY_SIZE)


@app.command()
def words(folder: Folder = HOME, assets: Path = ASSETS / "pocket") -> None:
    """Write the words that captions can have, for the page's help with prompts."""
    table = json.loads((_prepared(folder) / TABLE_FILE).read_text("utf-8"))
    typer.echo(f"{write_words(table, assets / 'words.txt')} words")


@app.command()
def clip(
    folder: Folder = HOME,
    steps: int = 12_000,
    adversarial_from: int = 5_000,
    batch: int = 192,
    begin: Begin = None,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the pocket CLIP; run it again to go on where it stopped."""
    training = ClipTraining(steps, batch, adversarial_from=adversarial_from, threads=threads)
    train_clip(
        configs.CLIP,
        _prepared(folder),
        folder / "clip",
        folder / VOCABULARY,
        training,
        device=device,
        weights=begin,
    )


@app.command()
def judge(
    folder: Folder = HOME,
    steps: int = 12_000,
    begin: Begin = None,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the judge, which measures and never guides."""
    training = ClipTraining(steps, seed=4242, threads=threads)
    train_clip(
        configs.JUDGE,
        _prepared(folder),
        folder / "judge",
        folder / VOCABULARY,
        training,
        device=device,
        weights=begin,
    )


@app.command()
def vqgan(
    folder: Folder = HOME,
    steps: int = 16_000,
    begin: Begin = None,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the pocket VQGAN; its last part needs the pocket CLIP."""
    training = VqganTraining(
        steps,
        codes_from=0 if begin else steps // 5,
        crisp_from=steps * 3 // 5,
        whole_from=0,
        kept_from=steps * 3 // 5,
        threads=threads,
    )
    train_vqgan(
        configs.VQGAN,
        _prepared(folder),
        folder / "vqgan",
        training,
        clip=lambda: _trained_clip(folder),
        device=device,
        weights=begin,
    )


@app.command()
def decoder(
    folder: Folder = HOME,
    steps: int = 3_600,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the bundled VQGAN's decoder on; its encoder and codes, which the sketcher writes, stay."""
    training = VqganTraining(
        steps, codes_from=-1, crisp_from=0, whole_from=0, kept_from=0, plain=0.5, frugal=0.5,
        corner_weight=1.0, spike_weight=3.0, critic_weight=0.05, squares_weight=4.0,
        feature_weight=1.0, learning_rate=4e-4, batch=16, seed=11, threads=threads,
    )  # fmt: skip
    train_vqgan(
        configs.VQGAN,
        _prepared(folder),
        folder / "decoder",
        training,
        clip=lambda: load_clip("pocket", device).model,
        device=device,
        weights=ASSETS / "pocket" / "vqgan.safetensors",
    )


@app.command()
def eye(
    folder: Folder = HOME,
    steps: int = 600,
    pictures: int = 4_000,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the bundled CLIP's eye on, for the bundled VQGAN's hand: a variant, to be judged before it
    is bundled. How it reads words, by which the sketcher was told, stays."""
    decoded = _prepared(folder) / "decoded.pt"
    torch.set_num_threads(threads)
    if not decoded.exists():
        decode_set(load_vqgan("pocket", device), folder, decoded, count=pictures)
    training = replace(EYE_ALONE, steps=steps, threads=threads)
    train_clip(
        configs.CLIP,
        folder,
        folder / "eye",
        folder / VOCABULARY,
        training,
        device=device,
        decoded=decoded,
        weights=ASSETS / "pocket" / "clip.safetensors",
    )


@app.command()
def enlarger(
    folder: Folder = HOME,
    steps: int = EnlargerTraining.steps,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the network that doubles pictures, for the bundled VQGAN's: export it first."""
    train_enlarger(
        configs.ENLARGER,
        _prepared(folder),
        folder / "enlarger",
        EnlargerTraining(steps, threads=threads),
        vqgan=load_vqgan("pocket", device),
        device=device,
    )


@app.command()
def sketcher(
    folder: Folder = HOME,
    steps: int = 12_000,
    plain: Annotated[
        float, typer.Option(help="The share of pictures in a plain hand.", min=0, max=1)
    ] = SketcherTraining.plain,
    begin: Begin = None,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the sketcher, for the bundled VQGAN and CLIP: export these first."""
    training = SketcherTraining(steps, plain=plain, threads=threads)
    reader = load_clip("pocket", device)
    config = {**configs.SKETCHER, **telling_tokens(reader.tokenizer.encode)}
    train_sketcher(
        config,
        _prepared(folder),
        folder / "sketcher",
        training,
        vqgan=load_vqgan("pocket", device),
        clip=reader,
        device=device,
        weights=begin,
    )


@app.command()
def portraits(folder: Folder = HOME, assets: Path = ASSETS / "pocket") -> None:
    """Write the sketcher's portraits of things, in the bundled VQGAN's codes, and their names."""
    count = write_exemplars(_prepared(folder), load_vqgan("pocket", "cpu"), assets)
    typer.echo(f"{count} portraits")


@app.command()
def export(
    folder: Folder = HOME,
    assets: Path = ASSETS / "pocket",
    with_eye: Annotated[
        bool, typer.Option(help="Bundle the CLIP whose eye was trained on, where there is one.")
    ] = False,
) -> None:
    """Write what is trained into the form that pixgen bundles."""
    assets.mkdir(parents=True, exist_ok=True)
    author = Author(load_sprites(_prepared(folder))[1], seed=SEED, split="held-out")
    write_held_out(author, assets / "held_out.json")
    first, last = (folder / name / "checkpoint.pt" for name in ("vqgan", "decoder"))
    if first.exists():
        crisper = last.exists()
        model = export_vqgan(last if crisper else first, assets, before=first if crisper else None)
        save_reconstructions(model, folder, assets / "reconstructions.png")
    for name, training in (("clip", "eye" if with_eye else "clip"), ("judge", "judge")):
        if (found := folder / training / "checkpoint.pt").exists():
            export_clip(found, folder / VOCABULARY, assets, name=name)
    if (found := folder / "sketcher" / "checkpoint.pt").exists():
        export_sketcher(found, assets)
    if (found := folder / "enlarger" / "checkpoint.pt").exists():
        export_enlarger(found, assets)


def _prepared(folder: Path) -> Path:
    if not (folder / VOCABULARY).exists():
        raise TrainingError(
            "There is no data in {folder}: run `python -m pixgen.training data` first.",
            folder=folder,
        )
    return folder


def _trained_clip(folder: Path) -> open_clip_model.CLIP:
    found = folder / "clip" / "checkpoint.pt"
    if not found.exists():
        raise TrainingError("There is no CLIP in {folder}: train it first.", folder=folder)
    state = torch.load(found, map_location="cpu", weights_only=True)
    model = open_clip_model.CLIP(**json.loads(state["config"]))
    model.load_state_dict(state["average"])
    model.visual = model.visual.to(memory_format=torch.channels_last)
    return model


if __name__ == "__main__":
    try:
        app(standalone_mode=True)
    except PixgenError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
