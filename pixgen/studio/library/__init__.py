"""The library: pictures that a studio keeps searchable, and the classifier that shares its models.

In come folders, uploads and finished runs. Out come collections, hits and classifications."""
