"""pix2pix (Isola et al. 2016) for ganzoo."""
