"""Named models: found, loaded, frozen."""

from pixgen.models.catalog import available_clips, available_sketchers, available_vqgans
from pixgen.models.clip import Perceptor, load_perceptor, weighted
from pixgen.models.sketcher import Sketcher, load_sketcher
from pixgen.models.vqgan import Vqgan, load_vqgan

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
    "weighted",
]
