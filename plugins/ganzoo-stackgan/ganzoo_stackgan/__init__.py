"""Words into pictures: GAN-CLS (Reed et al. 2016) and StackGAN (Zhang et al. 2017) for ganzoo."""
