"""medGAN (Choi et al. 2017)."""
