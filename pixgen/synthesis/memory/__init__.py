"""Memory: how much a recipe needs, and what to do when there is not enough.

In come recipes and devices. Out come estimates in bytes, and recipes that need less."""
