"""VQGAN (Esser et al. 2020) for ganzoo."""
