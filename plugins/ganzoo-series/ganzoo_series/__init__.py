"""GANs of series for ganzoo: several numbers at each of many moments, and tunes."""
