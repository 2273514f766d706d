"""The verbs of this plugin. No torch, no gradio."""
