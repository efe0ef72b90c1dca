"""``pixgen augment``: draw the cutouts of a picture that CLIP sees."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixgen.cli._options import MODELS, OUTPUT, AsJson, Augment, Overwrite, example


@example("pixgen augment fox.png --set gentle --out cutouts.png")
def augment(
    picture: Annotated[Path, typer.Argument(help="The file of a picture.", metavar="PICTURE")],
    out: Annotated[
        Path, typer.Option(help="Where to write the sheet.", metavar="FILE.png", rich_help_panel=OUTPUT)
    ],
    cutout_set: Annotated[
        str, typer.Option("--set", help="The cutout set.", metavar="NAME", rich_help_panel=MODELS)
    ] = "updated",
    augmentations: Augment = None,
    count: Annotated[
        int, typer.Option(help="Number of cutouts.", min=1, max=256, rich_help_panel=MODELS)
    ] = 16,
    side: Annotated[
        int,
        typer.Option("--size", help="Side of a cutout in pixels.", min=16, max=512, rich_help_panel=MODELS),
    ] = 128,
    seed: Annotated[
        int, typer.Option(help="The same seed gives the same cutouts.", min=0, rich_help_panel=MODELS)
    ] = 0,
    engine: Annotated[
        str,
        typer.Option(
            help="fused: one warp. kornia: AugmentationSequential.", metavar="NAME", rich_help_panel=MODELS
        ),
    ] = "fused",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Draw the cutouts of a picture that CLIP sees, on one sheet."""
    from pixgen.cli._outputs import check_target
    from pixgen.errors import RecipeError
    from pixgen.images import open_picture
    from pixgen.recipe.base import VERSION
    from pixgen.recipe.cutouts import CUTOUT_SETS, Cutouts
    from pixgen.recipe.kornia_classes import parse_augmentation

    check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    if cutout_set not in CUTOUT_SETS:
        raise RecipeError(
            "There is no cutout set “{name}”: choose {choices}.",
            name=cutout_set,
            choices=", ".join(CUTOUT_SETS),
        )
    if engine not in ("fused", "kornia"):
        raise RecipeError(
            "There is no engine “{name}” for augmentations: choose fused or kornia.", name=engine
        )
    cutouts = Cutouts(kind=cutout_set).with_augmentations(list(map(parse_augmentation, augmentations or ())))
    opened = open_picture(picture)

    from PIL import Image

    from pixgen.studio.storage import atomic_write
    from pixgen.synthesis.cutouts.sheets import contact_sheet, preview_cutouts
    from pixgen.synthesis.tensors import to_pixels, to_tensor

    seen = preview_cutouts(
        to_tensor(opened), cutouts.set_of(VERSION), count, size=side, seed=seed, fused=engine == "fused"
    )
    sheet = Image.fromarray(to_pixels(contact_sheet(seen)))
    with atomic_write(out) as temporary:
        sheet.save(temporary, "PNG")
    if as_json:
        said = {"sheet": str(out), "cutouts": count, "set": cutout_set, "engine": engine}
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        typer.echo(f"{count} cutouts of the set {cutout_set}: {out}")
