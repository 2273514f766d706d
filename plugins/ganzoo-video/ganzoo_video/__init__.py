"""GANs of moving pictures for ganzoo: MoCoGAN, Dual Motion GAN, VGAN and TGAN."""
