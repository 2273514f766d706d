"""GANs that look at what a picture is made of: what is odd in it, and its scales; for ganzoo."""
