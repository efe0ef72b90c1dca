"""The Gallery tab and the side bar: every run, with the actions on it.

In come filters and clicks. Out come pages of runs, one run opened, two runs compared."""
