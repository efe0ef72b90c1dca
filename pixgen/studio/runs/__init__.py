"""Runs on disk: a folder for each picture, with its recipe, video, curves and the state to resume from.

In come frames and states of a job. Out come files that are written whole or not at all."""
