"""Cutouts: the parts of the picture that CLIP sees, placed, augmented and sampled.

In come a cutout set, a picture and a generator. Out come batches ``(N, 3, S, S)`` for CLIP."""
