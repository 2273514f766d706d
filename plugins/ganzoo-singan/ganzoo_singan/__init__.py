"""SinGAN (Rott Shaham et al. 2019) for ganzoo."""
