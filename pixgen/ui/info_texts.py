"""The words of the Picture info tab."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InfoWords:
    """How a picture was made, and using it again."""

    tab: str = "Picture info"
    file: str = "A picture or film"
    file_help: str = (
        "A PNG, MP4, WebM, GIF, WebP or recipe (JSON) by pixgen; PNGs of pixray and VQGAN-CLIP, and PNGs, "
        "JPEGs and WebPs of stable-diffusion-webui, are read as far as they map."
    )
    invitation: str = "Drop a picture, and see how it was made."
    invitation_more: str = "Its recipe can be painted again, pixel by pixel."
    made_by: str = "Made by {program}"
    preview_alt: str = "{name}"
    prompt: str = "Words"
    settings: str = "Settings"
    weight: str = "weight {weight:g}"
    scene: str = "scene {number}"
    as_usual: str = "Everything else is as usual."
    left_open: str = "What {program} does not say is as usual."
    left_out: str = "Not mapped, as pixgen has nothing like it"
    no_seed: str = "Its seed is not told."
    missing: str = (
        "It was painted with “{name}”, which the file does not hold: add it under “More settings”."
    )
    use: str = "Use these"
    use_prompt: str = "Only the prompt"
    use_seed: str = "Only the seed"
    download: str = "Recipe"
    used: str = "Everything is filled in as it was for {name}."
    used_prompt: str = "The prompt of {name} is filled in."
    used_seed: str = "The seed of {name} is filled in."
    failed: str = "Not read"
    metadata: str = "Write the recipe into picture and film"
    metadata_help: str = (
        "Off: whoever gets them cannot read how they were made. You still can, here."
    )
    basis: str = "Every setting of {name}"
    basis_forget: str = "Forget those that are not shown here"
    needs_picture: str = (
        "The recipe was painted with “{name}”, which is not here: add it under “More settings”, or "
        "choose another start."
    )
