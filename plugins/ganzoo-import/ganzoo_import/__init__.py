"""Weights that others have trained, as models of ganzoo: ganzoo import FILE."""
