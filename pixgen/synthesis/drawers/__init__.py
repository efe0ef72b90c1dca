"""Drawers: the tensors that are optimized, and how they become a picture.

In come a recipe and, for a VQGAN, the model. Out come pictures ``(1, 3, H, W)`` in [0, 1] that gradients
pass through."""
