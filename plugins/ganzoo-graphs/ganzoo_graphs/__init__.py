"""MolGAN for ganzoo: small graphs."""
