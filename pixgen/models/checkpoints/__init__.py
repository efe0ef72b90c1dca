"""Checkpoints in the formats in which they are published.

A path comes in; its weights go out, by their names there, on the CPU. Nothing in a file is ever run.
What needs torch is imported from ``reading``; ``sniffing`` needs none.
"""
