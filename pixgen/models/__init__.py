"""Models by name: looked up in the catalog, downloaded, verified, loaded and frozen.

In come names, paths of checkpoints and a device. Out come VQGANs, perceptors (CLIP), sketch models and
upscalers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixgen.models.catalog import available_clips, available_sketchers, available_vqgans
    from pixgen.models.clip.perceptor import Perceptor, load_perceptor, weight_members
    from pixgen.models.sketchers.factory import load_sketcher
    from pixgen.models.sketchers.pocket import Sketcher
    from pixgen.models.vqgan.vqgan import Vqgan, load_vqgan

__all__ = [
    "Perceptor",
    "Sketcher",
    "Vqgan",
    "available_clips",
    "available_sketchers",
    "available_vqgans",
    "load_perceptor",
    "load_sketcher",
    "load_vqgan",
    "weight_members",
]

_HOMES = {
    "Perceptor": "clip.perceptor", "load_perceptor": "clip.perceptor", "weight_members": "clip.perceptor", "Sketcher": "sketchers.pocket",
    "load_sketcher": "sketchers.factory", "Vqgan": "vqgan.vqgan", "load_vqgan": "vqgan.vqgan", "available_clips": "catalog",
    "available_sketchers": "catalog", "available_vqgans": "catalog",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562): the catalog needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
