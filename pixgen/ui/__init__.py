"""The web page: a thin face over the studio. Only this package and ``app.py`` import gradio."""
