"""ganzoo compress: a translator with fewer channels, taught by the wide one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ganzoo_core.cli import Meter, sources, write_aside
from ganzoo_core.errors import tell_user

REPORT = "compressed.json"


@click.command("compress")
@click.argument("source", shell_complete=sources)
@click.option("--data", required=True, help="What the teacher was trained on, or the like.")
@click.option("--width", type=click.IntRange(1), help="Channels next to the picture; default: half the teacher's.")
@click.option("--images", type=click.IntRange(1), default=20_000, show_default=True, help="Length of the lesson.")
@click.option("--batch-size", type=click.IntRange(1), default=4, show_default=True)
@click.option("--lr", type=float, default=2e-4, show_default=True)
@click.option("--recon", type=float, default=100.0, show_default=True, help="Weight of the reconstruction.")
@click.option("--distill", type=float, default=1.0, show_default=True, help="Weight of what is seen at four layers.")
@click.option("--eval-data", default="", help="What both are measured on; default: the data.")
@click.option("--metric", "metrics", multiple=True, help="Default: psnr of pix2pix, fid of cyclegan.")
@click.option("-n", "n", type=click.IntRange(1), default=1_000, show_default=True, help="Pictures that are measured.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="A run directory.")
@click.option("--resume", is_flag=True, help="Go on with the run that is there.")
@click.option("--force", is_flag=True, help="Replace the run that is there.")
def command(
    source: str, data: str, width: int | None, images: int, batch_size: int, lr: float, recon: float, distill: float,
    eval_data: str, metrics: tuple[str, ...], n: int, seed: int, device: str, out: Path, resume: bool, force: bool,
) -> None:  # fmt: skip
    """Distil and prune SOURCE, a translator of pix2pix or cyclegan: a student with fewer channels learns from it.

    RUN is a run directory like those of `ganzoo train`, whose model is an ordinary one of the family: `sample`, `eval`,
    `export` and `push` take it. RUN/compressed.json has size, multiply-adds, milliseconds and scores before and after.
    """
    import ganzoo_core as gz
    from ganzoo_compress.distil.students import student_of, trade_of

    teacher = gz.load(source)
    trade = trade_of(teacher)
    width = width or max(1, int(teacher.config["networks"]["args"]["width"]) // 2)
    game = student_of(teacher, width, seed, lr=lr, recon=recon, distill=distill)
    settings: dict[str, Any] = {
        "images": images, "batch_size": batch_size, "seed": seed, "device": device, "out": out, "resume": resume,
        "force": force, "signals": True,
    }  # fmt: skip
    with Meter() as meter:
        for report in gz.train(game, data, **settings):
            meter("the lesson, images", report.position.images, images)
        student = gz.load(out)
        chosen = metrics or (trade.metric,)
        both = {
            name: measured(m, eval_data or data, chosen, n, meter)
            for name, m in (("before", teacher), ("after", student))
        }
    write_aside(out / REPORT, (json.dumps(both, indent=2) + "\n").encode())
    told(both)
    print(out)


def measured(model: Any, data: str, metrics: tuple[str, ...], n: int, meter: Meter) -> dict[str, Any]:
    """What a translator costs, and how good it is, network by network."""
    from ganzoo_compress.distil.measures import cost
    from ganzoo_core.metrics import EvalConfig, evaluate

    side = int(model.config["networks"]["args"]["image_size"])
    scores = evaluate(model, EvalConfig(data, metrics, n=n), meter)
    return {
        "source": model.source,
        "costs": {name: asdict(cost(model.network(name), side)) for name in model.networks},
        "scores": {score.name: score.value for score in scores},
    }


def told(both: dict[str, dict[str, Any]]) -> None:
    """Before and after, a line for each number, on stderr."""
    before, after = both["before"], both["after"]
    units = {"weights": "weights", "macs": "multiply-adds", "milliseconds": "ms a picture"}
    for name, old in before["costs"].items():
        new = after["costs"][name]
        for what, unit in units.items():
            tell_user(f"{name}: {old[what]:,.6g} -> {new[what]:,.6g} {unit}, {old[what] / new[what]:.1f} times fewer")
    for name, score in before["scores"].items():
        tell_user(f"{name}: {score:.4g} -> {after['scores'][name]:.4g}")
