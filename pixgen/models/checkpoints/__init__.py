"""Read weights from checkpoints of any format (safetensors, pickles, Flax) without running anything in them.

In come paths of checkpoints. Out come tensors by the parameter names of pixgen's own models."""
