"""Views of clips that add `flow`: from each pixel of a frame to where it was in the frame before, x and y in pixels.

tvl1:DATA and ilk:DATA are classical methods of scikit-image (the extra `flow`); raft:DATA is torchvision's network,
whose weights the user brings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.data import Dataset, fingerprint
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import PinnedFile, Pretrained

KEPT = 256 << 20  # bytes of flow that are kept once estimated
RAFT_SIDE = 128  # the smallest that RAFT looks at
RAFT = PinnedFile("raft_small_C_T_V2-01064c6d.pth", "01064c6d", "RAFT, by Teed and Deng, as torchvision has it",
                  "; or estimate flow with tvl1:DATA")  # fmt: skip


class Flowing(Dataset, ABC):
    """`source` with the flow of its clips, estimated when it is fetched. What does not change is kept."""

    method: ClassVar[str]

    def __init__(self, source: Dataset) -> None:
        if "video" not in source.info.keys:
            raise GanzooError(f"{self.method}:{escape(source.info.name)}: has no clips", "Give data with video.")
        self.source, info = source, source.info
        self.info = replace(
            info,
            name=f"{self.method}:{info.name}",
            keys=info.keys | {"flow"},
            fingerprint=fingerprint(info.fingerprint, self.method),
        )
        self.kept, self.room = dict[int, Tensor](), KEPT
        self.still = type(source).fetch_augmented is Dataset.fetch_augmented  # the same frames every time

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.source.fetch(indices)
        clips = zip(indices, batch["video"], strict=True)
        return {**batch, "flow": torch.stack([self.known(index, clip) for index, clip in clips])}

    def known(self, index: int, clip: Tensor) -> Tensor:
        """The flow of a clip that is always the same."""
        if index in self.kept:
            return self.kept[index]
        flow = self.of_clip(clip)
        self.keep(index, flow)
        return flow

    def keep(self, index: int, flow: Tensor) -> None:
        size = flow.numel() * flow.element_size()
        if size <= self.room:
            self.kept[index], self.room = flow, self.room - size

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        if self.still:
            return self.fetch(indices)
        batch = self.source.fetch_augmented(indices, augment_seeds)
        return {**batch, "flow": torch.stack([self.of_clip(clip) for clip in batch["video"]])}

    @abstractmethod
    def of_clip(self, clip: Tensor) -> Tensor:
        """Frames [T, C, H, W] in [-1, 1] to their flow, [T - 1, 2, H, W]."""


class Classical(Flowing):
    """A method of skimage.registration, on luma."""

    function: ClassVar[str]

    def __init__(self, source: Dataset) -> None:
        super().__init__(source)
        estimator(self.function)

    def of_clip(self, clip: Tensor) -> Tensor:
        estimate, gray = estimator(self.function), clip.mean(1).numpy()
        found = [estimate(after, before) for before, after in pairwise(gray)]  # rows, columns
        return torch.from_numpy(np.stack(found)[:, ::-1].astype(np.float32))


class TVL1(Classical):
    """Zach, Pock and Bischof 2007."""

    method, function = "tvl1", "optical_flow_tvl1"


class ILK(Classical):
    """Iterative Lucas-Kanade, Le Besnerais and Champagnat 2005."""

    method, function = "ilk", "optical_flow_ilk"


def estimator(function: str) -> Any:
    """Errors: GanzooError that says how to have it."""
    try:
        from skimage import registration
    except ImportError:
        what = "optical flow is estimated by scikit-image, which is not installed"
        raise GanzooError(what, "pip install 'ganzoo-video[flow]'.") from None
    return getattr(registration, function)


class RaftNetwork(Pretrained):
    """The small network of Teed and Deng 2020, from a file that the user brings."""

    def read(self) -> nn.Module:
        """Errors: GanzooError (2) that says where to put the file, IntegrityError (5)."""
        from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

        RAFT.read()  # whose hash is right
        path = RAFT.find()
        try:
            state = Raft_Small_Weights.C_T_V2.get_state_dict(
                progress=False, model_dir=str(path.parent), file_name=path.name, map_location="cpu", weights_only=True
            )
            net: nn.Module = raft_small()
            net.load_state_dict(state)
        except Exception as error:  # whatever torch and torchvision make of other bytes
            raise GanzooError(f"{RAFT.name}: does not hold RAFT's weights: {escape(error)}") from None
        return net

    def look(self, net: nn.Module, x: Tensor) -> Tensor:
        """Pairs [M, 2, 3, H, W] of which the first is after the second, H and W multiples of 8 -> [M, 2, H, W]."""
        found: Tensor = net(x[:, 0], x[:, 1])[-1]
        return found


class Raft(Flowing):
    """RAFT, on frames enlarged to 128 px where they are smaller."""

    method = "raft"

    def __init__(self, source: Dataset) -> None:
        super().__init__(source)
        RAFT.find()
        self.net = RaftNetwork()

    @torch.no_grad()
    def of_clip(self, clip: Tensor) -> Tensor:
        return resized_flow(self.net, clip)


def resized_flow(net: nn.Module, clip: Tensor) -> Tensor:
    """The flow of a clip [T, C, H, H] by a network that wants sides of 128 or more in steps of 8.  [T - 1, 2, H, H]"""
    side = clip.shape[-1]
    large = max(RAFT_SIDE, -(-side // 8) * 8)
    frames = interpolate(clip.expand(-1, 3, -1, -1), (large, large), mode="bilinear")
    flow = net(torch.stack([frames[1:], frames[:-1]], 1))
    return interpolate(flow, (side, side), mode="bilinear", antialias=True) * (side / large)
