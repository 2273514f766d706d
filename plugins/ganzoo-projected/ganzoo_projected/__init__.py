"""Projected GANs (Sauer et al. 2021) for ganzoo, written from the paper."""
