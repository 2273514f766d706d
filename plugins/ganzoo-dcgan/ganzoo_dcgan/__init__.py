"""DCGAN (Radford et al. 2015) for ganzoo."""
