"""Compositions: synthetic pictures with their captions.

In come sprites and painted backgrounds. Out come batches of pictures, and captions that say what they show.
"""
