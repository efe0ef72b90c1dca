"""Grids and strips: several pictures whose recipes differ in one or two fields.

In come a recipe and axes. Out come runs, and one labelled sheet of them."""
