"""The trainings, one module a model, and what they share.

In come batches of compositions. Out come checkpoints that a training resumes from."""
