"""GANs that carry labels over from one kind of picture to another, for ganzoo."""
