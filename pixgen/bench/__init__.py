"""Benchmarks: how fast and how good, measured on this machine. ``pixgen bench`` runs them.

In come presets, models and sizes. Out come figures as mappings, and tables of them as text.
"""
