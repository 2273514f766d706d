"""Nine games against dropped modes: more players, samples in packs, a way back to z, a look ahead, other latents."""
