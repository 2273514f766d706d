"""The Hugging Face Hub: asking it, fetching models from it, searching it.

It imports weights and registry.
"""
