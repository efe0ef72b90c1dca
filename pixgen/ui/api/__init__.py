"""The page's named endpoints, for ``gradio_client`` and HTTP.

In come plain values. Out come files and JSON, by the same actions that the tabs use."""
