"""What truncation and style mixing do to a trained model, in figures and in pictures.

python plugins/ganzoo-stylegan/experiments/effects.py stylegan2.emoji32 --out FOLDER

Prints FID, precision and recall for several psi. Writes truncation.png (a row for each psi, the same latents) and
mixing.png (styles of the columns in the coarse, the middle and the fine layers of the rows).
"""

from __future__ import annotations

from pathlib import Path

import click
import torch

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.metrics import EvalConfig, evaluate

PSI = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
ROWS, COLUMNS = (1, 2, 3), (11, 12, 13, 14)


def scores(source: str, psi: float, n: int) -> list[float]:
    """FID, precision and recall of n samples."""
    model, options = gz.load(source), (("truncation", str(psi)),)
    data, wanted = model.config["dataset"]["name"], ("fid", "precision", "recall")
    config = EvalConfig(data, wanted, n, options=options)
    return [score.value for score in evaluate(model, config)]


@click.command()
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("-n", "n", default=5000, show_default=True, help="Samples for each psi.")
def main(source: str, out: Path, n: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for psi in PSI[:-1]:
        print(f"psi {psi}: " + ", ".join(f"{value:.3f}" for value in scores(source, psi, n)))
    net = gz.load(source).generator
    rows = [net.sample(12, seed=0, truncation=psi) for psi in PSI]
    imaging.save(imaging.grid(torch.cat(rows), 12), out / "truncation.png")
    layers = net.synthesis.layers
    parts = (f"0-{layers // 3 - 1}", f"{layers // 3}-{2 * layers // 3 - 1}", f"{2 * layers // 3}-{layers - 1}")
    sheets = [net.sample(1, seed=0, mix_rows=ROWS, mix_cols=COLUMNS, mix_layers=part) for part in parts]
    imaging.save(imaging.grid(torch.cat(sheets), len(sheets)), out / "mixing.png")
    print(f"mixing.png: layers {', then '.join(parts)} are the columns'")


if __name__ == "__main__":
    main()
