"""Generators as programs for elsewhere: torch.export and ONNX, with all randomness an input, checked against samples."""
