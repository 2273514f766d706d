"""What protects weights: the strict reader of safetensors headers, hashes, config.json and licences. No torch.

It imports errors, files and plugin.
"""
