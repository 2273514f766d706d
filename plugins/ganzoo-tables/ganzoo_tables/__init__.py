"""GANs of tables: CTGAN, medGAN and table-GAN."""
