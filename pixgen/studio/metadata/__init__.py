"""Metadata: recipes embedded in picture and video files, by pixgen and by other programs.

Files come in. Recipes and the settings without a counterpart go out."""
