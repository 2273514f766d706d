"""Pictures through VQGAN's codes, and through JPEG of as many bits: how far each is from what it was made of.

python plugins/ganzoo-vqgan/experiments/jpeg.py MODEL emoji:noto_test sheet.png

JPEG is Pillow's, of the quality whose scan is nearest to the codes in bits. Only the scan counts: headers and tables
alone are longer than all codes of a small picture, and could be agreed upon beforehand, as the codebook is.
"""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from ganzoo_metrics.extractors import load_extractor
from ganzoo_metrics.pairs import each_psnr, each_ssim
from ganzoo_metrics.perceptual import Perceptual
from ganzoo_vqgan.networks import VQGAN
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core.data import open_dataset
from ganzoo_core.registry.plugins import registry

SHOWN, ENLARGED = 12, 3
START_OF_SCAN, END = b"\xff\xda", b"\xff\xd9"


def jpeg(picture: PIL.Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def scan_bits(data: bytes) -> int:
    """Of what follows the header of the scan."""
    start = data.rindex(START_OF_SCAN)
    header = int.from_bytes(data[start + 2 : start + 4], "big")
    return 8 * (len(data) - start - 2 - header - len(END))


def nearest_jpeg(picture: PIL.Image.Image, bits: float) -> bytes:
    files = [jpeg(picture, quality) for quality in range(1, 96)]
    return min(files, key=lambda data: abs(scan_bits(data) - bits))


def to_picture(x: Tensor) -> PIL.Image.Image:
    return PIL.Image.fromarray(((x + 1) * 127.5).round().byte().movedim(0, -1).numpy())


def from_picture(picture: PIL.Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).movedim(-1, 0).float() / 127.5 - 1


def code_maps(codes: Tensor, n: int, size: int) -> Tensor:
    """A gray for each code.  [N, h, w] -> [N, 3, size, size]"""
    gray = (codes[:, None].float() / (n - 1) * 2 - 1).expand(-1, 3, -1, -1)
    return torch.nn.functional.interpolate(gray, size=size, mode="nearest")


def sheet(rows: list[Tensor], path: Path) -> None:
    """Rows of pictures [n, 3, H, W], one below the other."""
    whole = torch.cat([torch.cat(list(row[:SHOWN]), 2) for row in rows], 1)
    picture = to_picture(whole)
    picture.resize((picture.width * ENLARGED, picture.height * ENLARGED), PIL.Image.Resampling.NEAREST).save(path)


def main(source: str, data: str, out: Path) -> None:
    net, zoo = gz.load(source).generator, registry()
    assert isinstance(net, VQGAN)
    side = gz.load(source).recipe.args["image_size"]
    dataset = open_dataset(data, image_size=side, datasets=zoo.datasets, views=zoo.views)
    x = dataset.fetch(range(len(dataset)))["x"]
    codes, n = net.encode(x), net.Z.vectors.num_embeddings
    bits = codes[0].numel() * math.log2(n)
    files = [nearest_jpeg(to_picture(one), bits) for one in x]
    scans, whole = [scan_bits(f) for f in files], [8 * len(f) for f in files]
    other = torch.stack([from_picture(PIL.Image.open(io.BytesIO(f)).convert("RGB")) for f in files])
    print(f"{len(x)} pictures, {codes[0].numel()} codes of {n}: {bits:.0f} bits; {codes.unique().numel()} codes occur")
    print(f"JPEG: scans of {np.mean(scans):.0f} bits, {min(scans)} to {max(scans)}; files of {np.mean(whole):.0f}")
    distance = Perceptual(load_extractor("lite0"))
    for who, made in (("vqgan", net.decode(codes)), ("JPEG", other)):
        psnr = each_psnr(made, x, torch.ones_like(x[:, :1])).mean()
        ssim = each_ssim(made, x, x).mean()
        lpips = torch.cat([distance(a, b) for a, b in zip(made.split(32), x.split(32), strict=True)]).mean()
        print(f"{who:6} PSNR {psnr:.2f} dB  SSIM {ssim:.3f}  lpips[lite0] {lpips:.3f}")
    picked = torch.linspace(0, len(x) - 1, SHOWN).long()
    sheet([part[picked] for part in (x, net.decode(codes), other, code_maps(codes, n, side))], out)


if __name__ == "__main__":
    with torch.inference_mode():
        main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
