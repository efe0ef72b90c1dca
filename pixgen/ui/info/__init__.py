"""The Picture info tab: how a picture was made, and its settings to use again.

In come files. Out come recipes for the Create tab."""
