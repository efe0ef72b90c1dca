"""CLIP's two other uses: classifying pictures without training, and finding them by text.

In come pictures and a perceptor. Out come scores by label, and the nearest pictures of a collection."""
