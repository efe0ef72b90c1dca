"""The Create tab's folded groups, one module each: their fields, their controls, and what they set.

In come a recipe's settings and the models that are here. Out come values for the tab's form."""
