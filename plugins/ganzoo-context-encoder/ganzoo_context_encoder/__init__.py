"""Context encoders (Pathak et al. 2016) for ganzoo."""
