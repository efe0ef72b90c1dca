"""Synthesis: the optimization that paints, in pure torch; it knows no file, no page and no thread.

In come a recipe, models and opened pictures. Out come frames."""

from pixgen.synthesis.drawers import make_drawer
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.frames import Frame
from pixgen.synthesis.optimization import Optimization
from pixgen.synthesis.sketch.session import SketchModel, UnClipModel

__all__ = ["Drawer", "Frame", "Optimization", "SketchModel", "UnClipModel", "make_drawer"]
