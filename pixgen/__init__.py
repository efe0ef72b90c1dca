"""pixgen paints pictures from words: an optimizer moves a VQGAN's latent until CLIP finds that the picture
matches.

>>> import pixgen
>>> picture = pixgen.generate("a red fox on a snowy hill", preset="draft", seed=7)  # doctest: +SKIP

``Recipe`` says what to paint, ``Studio`` paints several at once and keeps them, ``PixgenError`` is
what goes wrong.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0.dev0"
__all__ = [
    "PixgenError",
    "Recipe",
    "Studio",
    "__version__",
    "batch",
    "generate",
    "grid",
    "journey",
    "restyle",
    "strip",
    "svg",
    "upscale",
    "video",
    "wall",
]

_HOMES = {
    "PixgenError": "pixgen.errors",
    "Recipe": "pixgen.recipe.recipe",
    "Studio": "pixgen.studio",
    "batch": "pixgen.api",
    "generate": "pixgen.api",
    "grid": "pixgen.api",
    "journey": "pixgen.api",
    "restyle": "pixgen.api",
    "strip": "pixgen.api",
    "svg": "pixgen.api",
    "upscale": "pixgen.api",
    "video": "pixgen.api",
    "wall": "pixgen.api",
    "film": "pixgen.api",  # the name of ``video`` in earlier versions
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562): this module itself loads nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
