"""Autoencoders and GANs with an encoder for ganzoo: VAE, VAE/GAN, AAE, BiGAN and ALI, alpha-GAN, AGE."""
