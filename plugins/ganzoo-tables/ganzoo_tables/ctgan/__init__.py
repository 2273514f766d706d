"""CTGAN (Xu et al. 2019)."""
