"""The picture: pure torch, no files, no page, no thread."""

from pixgen.synthesis.drawers import Drawer, make_drawer
from pixgen.synthesis.frames import Frame
from pixgen.synthesis.optimize import Optimization

__all__ = ["Drawer", "Frame", "Optimization", "make_drawer"]
