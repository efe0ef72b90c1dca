"""The Create tab: from the prompt and its settings to a picture that is painted.

In come the form's values. Out come recipes for the studio, and the stages of the picture as HTML."""
