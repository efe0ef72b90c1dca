"""The picture: pure torch, no files, no page, no thread."""

from pixgen.synthesis.drawers import Drawer
from pixgen.synthesis.frames import Frame
from pixgen.synthesis.imagining import Imagination
from pixgen.synthesis.making import make_drawer
from pixgen.synthesis.optimize import Optimization
from pixgen.synthesis.sketching import Sketchbook

__all__ = ["Drawer", "Frame", "Imagination", "Optimization", "Sketchbook", "make_drawer"]
