"""The Search tab: pictures by text or by another picture.

In come queries, filters and uploads. Out come hits, and the one that was chosen."""
