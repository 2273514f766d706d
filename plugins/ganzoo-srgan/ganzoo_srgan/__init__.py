"""SRGAN and SRResNet (Ledig et al. 2016) for ganzoo."""
