"""The Experiment tab: grids, strips, and two runs side by side.

In come axes and the Create tab's settings. Out come labelled sheets that grow while they are painted."""
