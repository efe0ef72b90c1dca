"""Metadata: the recipe inside a picture or video file, pixgen's own and other programs'.

In come files. Out come recipes, and what of them could not be read."""
