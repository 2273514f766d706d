"""GANs whose discriminators are classifiers that learn from few labels, for ganzoo."""
