"""U-Net GAN (Schönfeld et al. 2020) for ganzoo."""
