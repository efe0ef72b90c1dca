"""Training of each bundled model, one module each, and the loop that they share.

In come batches of compositions. Out come checkpoints, from which a training resumes.
"""
