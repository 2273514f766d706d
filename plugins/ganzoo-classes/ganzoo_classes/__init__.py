"""What else a discriminator may be asked of a picture, besides whether it is real, for ganzoo."""
