"""Retrieval for sketches: things that the bundled sketch model has exemplars of are looked up and composited.

In come the words of a prompt. Out come exemplars at their places, over a sampled background."""
