"""ESRGAN (Wang et al. 2018) and Real-ESRGAN (Wang et al. 2021) for ganzoo."""
