"""VQGANs by name: the bundled one, published ones, and custom checkpoints.

In come names, configs and weights. Out come frozen models that encode, quantize and decode pictures."""
