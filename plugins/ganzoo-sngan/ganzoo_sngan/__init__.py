"""SNGAN (Miyato et al. 2018), with its projection discriminator, and SAGAN (Zhang et al. 2019) for ganzoo."""
