"""LAPGAN (Denton et al. 2015) for ganzoo."""
