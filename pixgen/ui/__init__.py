"""The web page: a thin layer over the studio. Only this package and ``app.py`` import gradio.

In come clicks and form values. Out come jobs for the studio, and HTML. A folder a tab: ``tab`` holds
the gradio components, ``actions`` what they do, ``view`` their HTML."""
