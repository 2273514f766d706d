"""GAN Compression (Li et al. 2020): a translator of the zoo with fewer channels."""
