"""Inpainting: holes anywhere in a picture, filled in by GLCIC and DeepFill v2, for ganzoo."""
