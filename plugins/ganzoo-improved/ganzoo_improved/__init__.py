"""Improved Techniques for Training GANs (Salimans et al. 2016) for ganzoo."""
