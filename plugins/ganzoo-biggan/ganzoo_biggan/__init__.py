"""BigGAN (Brock et al. 2019) for ganzoo."""
