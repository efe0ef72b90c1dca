"""Benchmarks of speed, memory and quality on this machine; ``pixgen bench`` runs them.

In come recipes, models and sizes. Out come figures as mappings, which ``text`` of each module prints as a table.
"""
