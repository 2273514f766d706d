"""Translation without pairs, held by distances, by geometry or by attention, for ganzoo."""
