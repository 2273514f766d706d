"""Pictures as few bits (Agustsson et al. 2019; Mentzer et al. 2020), translators of few weights (Li et al. 2020)."""
