"""``python -m pixgen.training``: fetch and render the data, train each bundled model, export the weights."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from open_clip import model as open_clip_model

from pixgen.errors import PixgenError, TrainingError
from pixgen.models.clip.perceptor import load_clip
from pixgen.models.sketchers.pocket import LEXICON_FILE
from pixgen.models.vqgan.vqgan import load_vqgan
from pixgen.paths import ASSETS
from pixgen.training.compose.captions import HELD_OUT_SEED, CompositionSampler, write_held_out
from pixgen.training.compose.places import load_settings_bank
from pixgen.training.data import nearest_things, sources
from pixgen.training.data.drawings import PIXELS_FILE, TABLE_FILE, load_sprites, render_all
from pixgen.training.data.translations import PACKAGE, Known, write_dictionaries, write_examples
from pixgen.training.data.words import learn_vocabulary, write_words
from pixgen.training.export import (
    VOCABULARY,
    export_clip,
    export_enlarger,
    export_sketcher,
    export_vqgan,
    save_reconstructions,
)
from pixgen.training.models import loop
from pixgen.training.models.clip import IMAGE_TOWER_ALONE, ClipTraining, save_decoded_pictures, train_clip
from pixgen.training.models.enlarger import EnlargerTraining, train_enlarger
from pixgen.training.models.exemplars import write_exemplars
from pixgen.training.models.sketcher import SketcherTraining, train_sketcher
from pixgen.training.models.vqgan import VqganTraining, train_vqgan
from pixgen.training.models.word_appearance import config_tokens

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Folder = Annotated[Path, typer.Option(help="Folder of data and checkpoints.")]
Threads = Annotated[int, typer.Option(help="Number of CPU threads.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
Begin = Annotated[Path | None, typer.Option(help="Initial weights: safetensors of an earlier training.")]
HOME = Path.home() / ".cache" / "pixgen" / "training"


@app.command()
def data(folder: Folder = HOME) -> None:
    """Fetch and render the drawings, paint the backgrounds, and learn the vocabulary."""
    sources.fetch(folder)
    if not (folder / PIXELS_FILE).exists():
        typer.echo(f"{render_all(folder)} drawings")
    load_settings_bank(folder)
    if not (folder / VOCABULARY).exists():
        sampler = CompositionSampler(load_sprites(folder)[1], seed=1)
        learn_vocabulary(sampler, folder / VOCABULARY, size=loop.VOCABULARY_SIZE)


@app.command()
def words(folder: Folder = HOME, assets: Path = ASSETS / "pocket") -> None:
    """Write the list of words that captions can contain, for the page's prompt help."""
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
    """Train the bundled CLIP; a second call resumes."""
    training = ClipTraining(steps, batch, adversarial_from=adversarial_from, threads=threads)
    train_clip(
        loop.CLIP,
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
    """Train the evaluator (“judge”), a CLIP that measures pictures and never guides them."""
    training = ClipTraining(steps, seed=4242, threads=threads)
    train_clip(
        loop.JUDGE,
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
    """Train the bundled VQGAN; the last part of the training needs the bundled CLIP."""
    training = VqganTraining(
        steps,
        codes_from=0 if begin else steps // 5,
        crisp_from=steps * 3 // 5,
        whole_from=0,
        frozen_from=steps * 3 // 5,
        threads=threads,
    )
    train_vqgan(
        loop.VQGAN,
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
    steps: int = 2_200,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Fine-tune the VQGAN's decoder; encoder and codebook, which the sketch model relies on, stay as they are.

    Half of the steps see crops, and a quarter of the pictures are one plain colour, so that no place is special."""
    training = VqganTraining(
        steps, codes_from=-1, crisp_from=0, whole_from=0, frozen_from=0, canonical_share=0.25, entropy_share=0.0,
        smallest_crop=10, flat_share=0.25, tone_weight=1.0, spike_weight=3.0, critic_weight=0.0,
        squares_weight=16.0, feature_weight=1.0, learning_rate=5e-4, batch=16, seed=12, threads=threads,
    )  # fmt: skip
    train_vqgan(
        loop.VQGAN,
        _prepared(folder),
        folder / "decoder",
        training,
        clip=lambda: load_clip("pocket", device).model,
        device=device,
        weights=ASSETS / "pocket" / "vqgan.safetensors",
    )


@app.command("image-tower")
@app.command("eye", hidden=True)  # its name in earlier versions
def image_tower(
    folder: Folder = HOME,
    steps: int = 600,
    pictures: int = 4_000,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Fine-tune the CLIP's image tower on pictures that the VQGAN decoded: a variant, to evaluate before it is bundled.

    The text tower stays as it is, because the sketch model was trained with its vectors.
    """
    decoded = _prepared(folder) / "decoded.pt"
    torch.set_num_threads(threads)
    if not decoded.exists():
        save_decoded_pictures(load_vqgan("pocket-2", device), folder, decoded, count=pictures)
    training = replace(IMAGE_TOWER_ALONE, steps=steps, threads=threads)
    train_clip(
        loop.CLIP,
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
    """Train the upscaler for pictures of the bundled VQGAN; export the VQGAN first."""
    train_enlarger(
        loop.ENLARGER,
        _prepared(folder),
        folder / "enlarger",
        EnlargerTraining(steps, threads=threads),
        vqgan=load_vqgan("pocket-2", device),
        device=device,
    )


@app.command()
def sketcher(
    folder: Folder = HOME,
    steps: int = 12_000,
    canonical: Annotated[
        float,
        typer.Option(
            "--canonical", "--plain", help="Share of pictures in the canonical style.", min=0, max=1
        ),
    ] = SketcherTraining.canonical_share,
    begin: Begin = None,
    threads: Threads = 2,
    device: Device = "cpu",
) -> None:
    """Train the sketch model for the bundled VQGAN and CLIP; export these first."""
    training = SketcherTraining(steps, canonical_share=canonical, threads=threads)
    reader = load_clip("pocket", device)
    config = {**loop.SKETCHER, **config_tokens(reader.tokenizer.encode)}
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
@app.command("portraits", hidden=True)  # its name in earlier versions
def exemplars(folder: Folder = HOME, assets: Path = ASSETS / "pocket") -> None:
    """Write the exemplars of things, as codes of the bundled VQGAN, with their names."""
    count = write_exemplars(_prepared(folder), load_vqgan("pocket", "cpu"), assets)
    typer.echo(f"{count} exemplars")


@app.command()
def translations(folder: Folder = HOME, assets: Path = ASSETS) -> None:
    """Make the dictionaries of other languages, and the table of nearest things, from CLDR and WordNet."""
    package = sources.fetch_package(folder, *PACKAGE)
    for language, words in write_dictionaries(package, Known.load(assets / "pocket" / LEXICON_FILE)).items():
        typer.echo(f"{language}: {words} words")
    wordnet = sources.fetch_debian(folder, nearest_things.PACKAGE) / "usr" / "share" / "wordnet"
    known = Known.load(assets / "pocket" / LEXICON_FILE)
    typer.echo(f"{nearest_things.write_nearest_things(wordnet, known)} nouns with their nearest thing")
    captions = json.loads((assets / "pocket" / "held_out.json").read_text("utf-8"))
    write_examples(package, captions, assets / "languages" / "examples.json")


@app.command()
def export(
    folder: Folder = HOME,
    assets: Path = ASSETS / "pocket",
    with_image_tower: Annotated[
        bool,
        typer.Option(
            "--with-image-tower",
            "--with-eye",
            help="Bundle the CLIP with the fine-tuned image tower, if there is one.",
        ),
    ] = False,
) -> None:
    """Write the trained weights into the form that pixgen bundles."""
    assets.mkdir(parents=True, exist_ok=True)
    sampler = CompositionSampler(load_sprites(_prepared(folder))[1], seed=HELD_OUT_SEED, split="held-out")
    write_held_out(sampler, assets / "held_out.json")
    for training, name in (("vqgan", "vqgan"), ("decoder", "vqgan-2")):
        if (found := folder / training / "checkpoint.pt").exists():
            model = export_vqgan(found, assets, name=name)
            save_reconstructions(model, folder, assets / "reconstructions.png")
    for name, training in (("clip", "eye" if with_image_tower else "clip"), ("judge", "judge")):
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
        raise TrainingError(
            "There is no CLIP in {folder}: run `python -m pixgen.training clip` first.", folder=folder
        )
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
