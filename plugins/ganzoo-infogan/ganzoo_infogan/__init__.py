"""InfoGAN (Chen et al. 2016) for ganzoo."""
