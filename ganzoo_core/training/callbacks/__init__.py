"""What watches a run: progress, log, samples over time, health, checkpoints, TensorBoard.

It imports the trainer's reports.
"""
