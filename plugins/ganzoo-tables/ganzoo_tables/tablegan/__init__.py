"""table-GAN (Park et al. 2018)."""
