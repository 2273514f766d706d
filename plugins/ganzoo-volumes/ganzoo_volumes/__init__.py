"""3D-GAN for ganzoo: solids made of voxels."""
