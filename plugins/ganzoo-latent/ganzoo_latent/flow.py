"""Motion and colour that an edit brought about, carried over to the photograph itself (iGAN, Sec. 4.3, Eqs. 5 and 6).

min over A, u, v of sum |G(z_0)(x + u, y + v) after A - G(z_1)|^2 + sigma |grad (u, v)|^2: the photograph is moved along
the flow and coloured by A, so it keeps the detail that no generator paints. A is one affine map of colours in each
pixel's neighbourhood, or of the whole picture for pictures this small: ours is of the whole.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate


def transferred(photograph: Tensor, before: Tensor, after: Tensor, steps: int = 150, smooth: float = 0.5) -> Tensor:
    """`photograph` [1, C, H, W] with what changed from `before` to `after` (what the generator painted, same size)."""
    flow, colours = explained(before, after, steps, smooth)
    return recoloured(moved(photograph, flow), colours).clamp(-1, 1)


def explained(before: Tensor, after: Tensor, steps: int, smooth: float) -> tuple[Tensor, Tensor]:
    """Flow [1, 2, h, w] in halves of the picture's side, and colours [C, C + 1]: what makes `after` of `before`."""
    channels, size = before.shape[1], [max(4, side // 4) for side in before.shape[2:]]
    flow = torch.zeros(1, 2, *size, device=before.device, requires_grad=True)
    plain = torch.eye(channels, channels + 1, device=before.device)
    colours = plain.clone().requires_grad_()
    optimizer = torch.optim.Adam([flow, colours], 0.02)
    for _ in range(steps):
        made = recoloured(moved(before, flow), colours)
        rough = flow.diff(dim=2).square().mean() + flow.diff(dim=3).square().mean()
        loss = (made - after).square().mean() + smooth * rough + 0.01 * (colours - plain).square().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return flow.detach(), colours.detach()


def moved(x: Tensor, flow: Tensor) -> Tensor:
    """x(p + flow(p)), bilinear; beyond the border are its nearest pixels.  [1, C, H, W]"""
    rows, columns = (torch.linspace(-1, 1, side, device=x.device) for side in x.shape[2:])
    y, across = torch.meshgrid(rows, columns, indexing="ij")
    places = torch.stack([across, y], -1)[None]
    along = interpolate(flow, x.shape[2:], mode="bilinear", align_corners=True).permute(0, 2, 3, 1)
    return grid_sample(x, places + along, padding_mode="border", align_corners=True)


def recoloured(x: Tensor, colours: Tensor) -> Tensor:
    """A (c, 1) for every pixel's colour c.  [1, C, H, W]"""
    with_one = torch.cat([x, torch.ones_like(x[:, :1])], 1)
    return torch.einsum("dc,nchw->ndhw", colours, with_one)
