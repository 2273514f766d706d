"""Readers of strangers' files, one module a format. They run in the worker, behind limits, and nowhere else."""
