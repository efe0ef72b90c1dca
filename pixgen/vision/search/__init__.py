"""Search: collections of CLIP vectors, and the nearest pictures to a query.

In come folders of pictures and queries of texts and pictures. Out come hits with their similarity."""
