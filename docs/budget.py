"""The same hundred thousand images for every GAN: python docs/budget.py [FAMILY ...] [--data mnist] [--seeds 1]

Each family trains on one thread, at 28 or 32 px, with the same number of images and nothing tuned for it, and is looked
at through the same extractors. What is finished stands in docs/budget.json and is not trained again; an interrupted run
is resumed. Says what is missing and what that will cost before it begins. Writes docs/budget.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_core.metrics import EvalConfig, evaluate
from ganzoo_core.registry.recipes import recipe

HOME = Path(__file__).parent
KEPT = HOME / "budget.json"
IMAGES, SAMPLES, TRIAL = 100_000, 10_000, 640
DEFAULT = ("gan", "dcgan", "lsgan", "wgan_gp", "sngan", "sagan", "ragan", "r1_gan", "stylegan2", "r3gan", "progan")
EYES = {"mnist": ("mnist-cnn", "mnist-lenet"), "fashion_mnist": ("fashion-cnn",), "emoji:faces": ("lite0", "emoji-cnn")}
PRESETS = ("digits", "mnist", "emoji")
SCORES = ("fid", "precision", "recall")
COMMON = ("--precision=auto", "--ema-images=10000", "--batch-size=64")
HEAD = """# One budget for all

`python docs/budget.py` trains each family on {images:,} images of a data set, on one thread, with batches of 64
and averages (half-life 10,000 images), at 28 or 32 px, and with the rest of its small preset: nothing is tuned. FID,
precision and recall of {samples:,} samples. Some games need more: the table compares recipes as they are, not what each
game could do. Means over the seeds, in brackets the least and the most. Where two extractors are far apart, look at the
pictures: those of `lsgan` and `fisher_gan` are digits on a ground that is not quite black, which only one minds.

**The step matters more than the game.** With 1e-3 in place of the preset's 2e-4 or 4e-4, and all else equal, `dcgan`
comes to 3.1, `lipschitz_gan` to 2.7, `fgan` to 3.6 (22 before), `logan` to 3.8 (83), `fisher_gan` to 4.7, `lsgan` to
5.2; `gan_gp` (80), `gn_gan` (75) and `js_regularized_gan` (76) keep gray ground behind their digits even so. What ships
of these runs was measured in the half precision it ships in ([ganzoo-objectives](../plugins/ganzoo-objectives)).
"""


class Task(NamedTuple):
    family: str
    data: str
    seed: int

    def __str__(self) -> str:
        return f"{self.family} {self.data} {self.seed}"


def options(family: str, data: str) -> list[str]:
    """A small preset at 28 px or more, in the data's colours, without labels."""
    channels = 3 if data.startswith("emoji") else 1
    for preset in PRESETS:
        try:
            made = recipe(family, preset=preset)
        except GanzooError:
            continue
        fields = made.args
        given = {"image_size": 32} if fields.get("image_size", 0) < 28 else {}
        if fields.get("channels", channels) != channels:
            given["channels"] = channels
        if fields.get("classes"):
            given["classes"] = 0
        return [f"--preset={preset}", *(word for name, value in given.items() for word in ("-c", f"{name}={value}"))]
    raise SystemExit(f"{family}: has no preset for small pictures: {', '.join(PRESETS)}")


def command(task: Task, images: int, out: Path) -> list[str]:
    words = ["train", task.family, f"--data={task.data}", f"--images={images}", f"--seed={task.seed}", *COMMON]
    return [*words, *options(task.family, task.data), f"--out={out}"]


def ganzoo(words: Sequence[str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "ganzoo_core", *words], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def cost(families: Iterable[str], data: str, runs: Path) -> dict[str, float]:
    """Seconds that a run of each family will take, by a short one."""
    found = {}
    for family in families:
        out = runs / f"trial-{family}"
        began = time.monotonic()
        ganzoo(command(Task(family, data, 0), TRIAL, out))
        found[family] = (time.monotonic() - began) * IMAGES / TRIAL
    return found


def played(task: Task, runs: Path) -> dict[str, Any]:
    """Train, or go on where it stopped, and measure."""
    out = runs / str(task).replace(" ", "-").replace(":", "-")
    ganzoo(["train", task.family, "--resume", f"--out={out}"] if out.exists() else command(task, IMAGES, out))
    model = gz.load(out)
    scores = {}
    for eye in EYES.get(task.data, ("lite0",)):
        for score in evaluate(model, EvalConfig(task.data, n=SAMPLES, metrics=SCORES, extractor=eye)):
            scores[score.name] = score.value
    return {"command": shlex.join(["ganzoo", *command(task, IMAGES, Path("RUN"))]), "scores": scores}


def page(kept: Mapping[str, Any]) -> str:
    """The table of each data set, best first."""
    parts = [HEAD.format(images=IMAGES, samples=SAMPLES)]
    tables: dict[str, dict[str, list[dict[str, float]]]] = {}
    for key, found in kept.items():
        family, data, _ = key.split(" ")
        tables.setdefault(data, {}).setdefault(family, []).append(found["scores"])
    for data, rows in tables.items():
        parts.append("\n".join(table(data, rows)))
    return "\n".join(parts)


def table(data: str, rows: Mapping[str, Sequence[Mapping[str, float]]]) -> list[str]:
    names = [f"{score}[{eye}]" for eye in EYES.get(data, ("lite0",)) for score in SCORES]
    order = sorted(rows, key=lambda family: statistics.mean(run[names[0]] for run in rows[family]))
    lines = [f"## {data}", "", f"| family | seeds | {' | '.join(names)} |", f"|---|---:{'|---:' * len(names)}|"]
    for family in order:
        cells = (cell([run[name] for run in rows[family]]) for name in names)
        lines.append(f"| `{family}` | {len(rows[family])} | {' | '.join(cells)} |")
    return [*lines, ""]


def cell(values: Sequence[float]) -> str:
    spread = f" ({min(values):.3g}-{max(values):.3g})" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3g}{spread}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("family", nargs="*", default=DEFAULT)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/budget"))
    parser.add_argument("--page", action="store_true", help="only write the page from what has been kept")
    given = parser.parse_args()
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    tasks = [Task(family, given.data, seed) for seed in range(given.seeds) for family in given.family]
    missing = [] if given.page else [task for task in tasks if str(task) not in kept]
    if missing:
        seconds = cost(dict.fromkeys(task.family for task in missing), given.data, given.runs)
        tell_user(f"{len(missing)} runs, about {sum(seconds[task.family] for task in missing) / 3600:.1f} hours")
    for task in missing:
        kept[str(task)] = played(task, given.runs)
        KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    (HOME / "budget.md").write_text(page(kept), "utf-8")


if __name__ == "__main__":
    main()
