"""Everything that is installed on one static page. It needs no gradio."""
