"""Folders of images. It imports decoding and data's dataset."""
