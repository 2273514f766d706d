"""GANs of sound for ganzoo: WaveGAN, MelGAN and HiFi-GAN, with scores of sounds."""
