"""Grids and strips: several pictures whose recipes differ in one or two fields.

A recipe and axes come in. Runs and one labelled sheet of them go out."""
