"""The original GAN (Goodfellow et al. 2014) for ganzoo."""
