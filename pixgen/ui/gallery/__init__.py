"""The Gallery tab and the side bar: every picture that was painted, and what can be done with it.

In come filters and clicks. Out come pages of runs, one run opened, two runs compared."""
