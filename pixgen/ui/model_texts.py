"""The words of the page's group of models, and of their downloads."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelWords:
    """What draws, what looks, and how far a model's download is."""

    title: str = "Models"
    model_help: str = (
        "A larger model is fetched when it is first used. It wants a GPU, or patience."
    )
    model: str = "Drawn by"
    clip: str = "Looked at by"
    clip_help: str = "Several look together."
    clip_choice_help: str = (
        "The bundled one has seen drawings only; larger ones, fetched once, know photographs. Any name of "
        "open_clip's can be written, ViT-B-32/laion2b_s34b_b79k for example."
    )
    sketcher: str = "Sketched by"
    sketcher_help: str = (
        "What writes the start, where it is a sketch. dalle-mini and dalle-mega read words alone; karlo words "
        "or pictures."
    )
    fetching: str = "Fetching a model"
    fetched: str = "{done:,} of {total:,} MB"
    fetched_so_far: str = "{done:,} MB so far"
    elsewhere: str = "another pixgen is fetching it"
