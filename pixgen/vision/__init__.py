"""CLIP's two other uses: zero-shot classification, and search by text or picture.

In come pictures and a perceptor. Out come scores by label, and the nearest pictures of a collection."""
