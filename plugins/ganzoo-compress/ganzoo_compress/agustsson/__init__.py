"""Generative Adversarial Networks for Extreme Learned Image Compression (Agustsson et al. 2019)."""
