"""The gallery: lists, filters, tags, deletes and compares the runs of a studio.

Run folders come in. Catalogue entries, thumbnails and differences between runs go out."""
