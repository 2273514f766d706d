"""One thread per process: pytest-xdist fills the cores, and results do not depend on how many there are."""

import torch

torch.set_num_threads(1)
