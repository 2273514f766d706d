"""GANs that compare a batch of samples with a batch of pictures in a space that D learns, for ganzoo."""
