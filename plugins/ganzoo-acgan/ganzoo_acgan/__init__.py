"""Conditional Image Synthesis with Auxiliary Classifier GANs (Odena et al. 2016) for ganzoo."""
