"""GANs whose discriminator is an autoencoder: EBGAN, BEGAN and MAGAN, for ganzoo."""
