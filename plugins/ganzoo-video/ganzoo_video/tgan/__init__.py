"""TGAN (Saito et al. 2017)."""
