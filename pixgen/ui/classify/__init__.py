"""The Classify tab: what is in uploaded pictures.

In come pictures and labels. Out come cards of scores, tables and heat maps."""
