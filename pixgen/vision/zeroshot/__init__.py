"""Zero-shot classification: which of some labels fits a picture, without training.

In come pictures, labels and prompt templates. Out come scores by label, evaluations, tables and heat maps."""
