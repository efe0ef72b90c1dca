"""Weights from files, whatever wrote them: safetensors, pickles, Flax; nothing in a file is run.

In come paths of checkpoints. Out come tensors by the names that pixgen's own models have for them."""
