"""The training drawings and their words: fetched, rendered, named.

In come packages of drawings. Out come sprites, names and vocabularies."""
