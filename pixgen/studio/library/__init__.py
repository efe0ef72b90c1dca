"""Picture search and classification with a studio's device and models.

Folders, uploads and finished runs come in. Collections, search hits and classifications go out."""
