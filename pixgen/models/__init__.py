"""Named models: found, loaded, frozen."""

from pixgen.models.catalog import available_clips, available_vqgans
from pixgen.models.clip import Perceptor, load_perceptor
from pixgen.models.vqgan import Vqgan, load_vqgan

__all__ = [
    "Perceptor",
    "Vqgan",
    "available_clips",
    "available_vqgans",
    "load_perceptor",
    "load_vqgan",
]
