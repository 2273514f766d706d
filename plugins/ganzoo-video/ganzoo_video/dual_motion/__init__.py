"""Dual Motion GAN (Liang et al. 2017)."""
