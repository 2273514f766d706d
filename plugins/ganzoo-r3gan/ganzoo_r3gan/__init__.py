"""R3GAN (Huang et al. 2024) for ganzoo."""
