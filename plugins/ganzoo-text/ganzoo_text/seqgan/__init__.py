"""SeqGAN (Yu et al. 2017)."""
