"""Copies of runs in an object store, by fsspec, which pages with folders of their own share.

Run folders come in, as jobs write them. Objects go out, and come back as run folders on other pages: the list of runs at
once, the files of a run when they are needed."""
