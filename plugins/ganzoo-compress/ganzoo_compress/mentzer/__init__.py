"""High-Fidelity Generative Image Compression (Mentzer et al. 2020)."""
