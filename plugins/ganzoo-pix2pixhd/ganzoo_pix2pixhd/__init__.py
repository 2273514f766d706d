"""pix2pixHD (Wang et al. 2017) for ganzoo."""
