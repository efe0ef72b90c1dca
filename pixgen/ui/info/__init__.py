"""The Picture info tab: how a picture was made, and its settings to reuse.

In come files. Out come recipes for the Create tab."""
