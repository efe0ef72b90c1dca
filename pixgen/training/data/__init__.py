"""The training drawings and their words: fetched, rendered and named.

In come packages of drawings. Out come sprites, a table of their names, and the vocabulary.
"""
