"""Conditional Generative Adversarial Nets (Mirza & Osindero 2014) for ganzoo."""
