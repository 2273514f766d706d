"""MyGAN for ganzoo."""
