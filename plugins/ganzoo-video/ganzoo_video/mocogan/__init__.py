"""MoCoGAN (Tulyakov et al. 2018)."""
