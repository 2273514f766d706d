"""GANs of words: SeqGAN."""
