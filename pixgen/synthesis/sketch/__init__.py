"""The sketch: a draft that a transformer samples, code after code, before the optimization.

In come prompts, or CLIP vectors of them. Out come candidates, of which CLIP picks the best."""
