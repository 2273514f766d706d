"""Clips by residual frames: the first frame is a picture, and of each further one what the frame before it lacks."""
