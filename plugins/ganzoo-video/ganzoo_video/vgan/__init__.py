"""VGAN (Vondrick et al. 2016)."""
