"""Generators as programs for elsewhere: torch.export and ONNX. All randomness is an input."""
