"""CLIP models by name: the bundled one, open_clip's, and custom checkpoints.

In come names, paths and a device. Out come perceptors, which embed texts and pictures as unit vectors."""
