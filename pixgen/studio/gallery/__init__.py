"""The gallery: all runs of a studio, listed, filtered, compared.

In come the folders of runs. Out come entries of a catalogue, and what two runs differ in."""
