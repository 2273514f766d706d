"""Training: the update, checkpoints, run directories, several processes. `callbacks` watch a run and change nothing.

It imports models, registry, data, objectives and nn.
"""
