"""Runs on disk: a folder per picture with its recipe, video, curves and the state to resume from.

Frames and states of a job come in. Files go out, each written atomically."""
