"""What there is: the generated index, the installed plugins, look-ups in both, and recipes, from which games are built.

It imports plugin, weights, data, nn and objectives. `index` and `listing` import no torch and no plugin.
"""
