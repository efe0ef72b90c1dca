"""Sketch models by name: transformers that sample a picture's codes from a text, and UnCLIP.

In come names and a device. Out come frozen models that ``pixgen.synthesis.sketch`` samples from."""
