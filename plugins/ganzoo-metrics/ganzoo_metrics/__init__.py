"""Metrics for ganzoo, and the extractors that they look through."""
