"""Five games against dropped modes: more players, samples in packs, a way back to z, and a look ahead."""
