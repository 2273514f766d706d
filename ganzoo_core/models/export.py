"""A model directory made complete: config.json, weights, metrics, samples and card, in memory, on disk, or for the Hub.

What is there already keeps its bytes, so a model that was pushed, pulled and exported is the same to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import make_folder, write_aside
from ganzoo_core.models import card
from ganzoo_core.models.resolve import Located, locate
from ganzoo_core.models.store import read_model
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import cycled, needs_data
from ganzoo_core.nn.outputs import Output
from ganzoo_core.weights.config import FILES, TRAINING, parse_config, parse_metrics
from ganzoo_core.weights.hashes import read_pinned, snapshot

SAMPLES, SAMPLES_OF_ANY_SIZE = 64, 9
PNG = b"\x89PNG\r\n\x1a\n"


def export(source: str, folder: Path) -> None:
    """Write the model directory of a SOURCE to `folder`, config.json last. Errors: GanzooError, ExternalError."""
    made = contents(locate(source), source)
    make_folder(folder)
    for name in reversed(FILES):
        if name in made:
            write_aside(folder / name, made[name])


def contents(located: Located, source: str, licence: str = "", with_discriminators: bool = True) -> dict[str, bytes]:
    """The files of a model directory by name, each checked; samples and card are made where there are none.

    `source` is what the card tells people to load; `licence` (SPDX) replaces that of the config. Errors: GanzooError
    for a directory that is damaged, IntegrityError.
    """
    names = [name for name in FILES if with_discriminators or name not in TRAINING]
    files = {name: present(located, name) for name in names if (located.folder / name).exists()}
    config = parse_config(located.folder / "config.json", files["config.json"])
    files |= samples(located)  # builds the networks and loads the weights: the last check of all
    if licence and config["licence"] != licence:
        config["licence"] = licence
        files["config.json"] = (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()
    if "README.md" not in files or (licence and card.is_ours(files["README.md"])):
        files["README.md"] = readme(files, config, source)
    return {name: files[name] for name in FILES if name in files}


def readme(files: dict[str, bytes], config: dict[str, Any], source: str) -> bytes:
    metrics = parse_metrics(Path("metrics.json"), files["metrics.json"]) if "metrics.json" in files else []
    named = "path/to/this/directory" if Path(source).is_dir() else source
    data = card.CardData(config, metrics, named, "samples.png" in files, "samples.wav" in files)
    return card.card(data).encode()


def present(located: Located, name: str) -> bytes:
    """A file that is there. A link is followed inside the client's cache only."""
    path = located.folder / name
    if path.is_symlink() and snapshot(path) is None:
        raise GanzooError(f"{escape(path)}: is a link", "Put the file itself there.")
    data = read_pinned(path, FILES[name], located.pins)
    if name == "samples.png" and not data.startswith(PNG):
        raise GanzooError(f"{escape(path)}: is no PNG", "Remove it: it is made anew.")
    if name == "samples.wav" and not (data.startswith(b"RIFF") and data[8:12] == b"WAVE"):
        raise GanzooError(f"{escape(path)}: is no WAV", "Remove it.")
    return data


def samples(located: Located) -> dict[str, bytes]:
    """Files of samples where there are none yet; the networks are built in any case, and given the weights."""
    nets = read_model(*located).networks.values()
    if (located.folder / "samples.png").exists():
        return {}
    return next((shown(net) for net in nets if isinstance(net, Generator) and not needs_data(net)), {})


def sheet(folder: Path, pins: Mapping[str, str], net: Generator) -> bytes:
    """The picture of samples that a model directory has, or one that is drawn; nothing where neither can be."""
    there = (folder / "samples.png").exists()
    return present(Located(folder, pins), "samples.png") if there else drawn(net)


def drawn(net: Generator) -> bytes:
    """A sheet of samples of seed 0, classes in turn; nothing of a network that must be given pictures or words."""
    return shown(net).get("samples.png", b"")


def shown(net: Generator) -> dict[str, bytes]:
    """Likewise the files that show samples, by name: the sheet, and what can be heard of them.

    64 of them, or 9 of a network that makes pictures of any size: these are large.
    """
    if needs_data(net):
        return {}
    n = SAMPLES if net.output.shape[-1] else SAMPLES_OF_ANY_SIZE
    return files_of(net.output, net.sample(n, seed=0, **cycled(net, n)))


def files_of(output: Output, samples: Tensor, given: Sequence[Tensor] = ()) -> dict[str, bytes]:
    """The files of a model directory that show samples [n, *shape]; `given` are pictures that they were made of."""
    heard = output.recording(samples)
    return {"samples.png": output.poster(samples, given), **({"samples.wav": heard} if heard else {})}
