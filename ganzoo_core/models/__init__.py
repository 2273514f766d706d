"""Trained models: found from a SOURCE, verified, loaded, written, carded, exported, pushed.

It imports hub, registry, nn and weights.
"""
