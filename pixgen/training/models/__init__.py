"""The trainings, one module for each model, and the loop that they share.

In come batches of compositions. Out come checkpoints, from which a training resumes.
"""
