"""CLIP models by name: the bundled one, open_clip's, and own checkpoints.

In come names and a device. Out come perceptors, which turn texts and pictures into unit vectors."""
