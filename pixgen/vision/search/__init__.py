"""Search: collections of CLIP vectors, and the pictures nearest to a query.

In come folders of pictures and queries of texts and pictures. Out come hits with their similarity."""
