"""CAAE (Zhang, Song & Qi 2017) and Age-cGAN (Antipov, Baccouche & Dugelay 2017) for ganzoo."""
