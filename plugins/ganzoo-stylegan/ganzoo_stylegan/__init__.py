"""StyleGAN and StyleGAN2 (Karras et al. 2018, 2019) for ganzoo, written from the papers."""
