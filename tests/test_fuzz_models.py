"""config.json and metrics.json of strangers, malformed in every way: nothing but our own errors, on one line."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo_core.errors import GanzooError
from ganzoo_core.models import card, store
from ganzoo_core.models.usage import usage_of
from ganzoo_core.models.verify import missing_plugin
from ganzoo_core.weights.config import parse_config, parse_metrics

ROOT = Path(__file__).parent.parent
FOLDERS = sorted(ROOT.glob("plugins/*/*/weights/*.*"))
NASTY = [
    None, True, -1, 0, 3, 2**70, 1.5, -1e300, "", "x" * 3000, "a\x1b[31m\n", "\u202e", "../..", "0", "dcgan", [], {},
    [None], [[]], ["a", 1], {"a": {}}, {"kind": []}, {"kind": "label"}, {"kind": "image", "shape": "x"}, ["b", {}],
    {"shape": [None], "kind": "image", "multiple": "2"}, {"names": 3, "kind": "label"}, "```\n# x", "--help",
]  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def spoilt(document: Any, rng: random.Random) -> Any:
    """One to three things of it are gone, added or something else."""
    document = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        everywhere = list(places(document))
        if not everywhere:
            break
        place, key = rng.choice(everywhere)
        kind = rng.random()
        if kind < 0.2:
            del place[key]
        elif kind < 0.3 and isinstance(place, dict):
            place[rng.choice(["new", "", "x\x1b", "default", "kind"])] = rng.choice(NASTY)
        else:
            place[key] = copy.deepcopy(rng.choice(NASTY))
    return document


def read_whole(config: Any, metrics: Any) -> None:
    """All that is made of both before any byte of weights is read."""
    path = Path("config.json")
    made = parse_config(path, json.dumps(config).encode())
    rows = parse_metrics(Path("metrics.json"), json.dumps(metrics).encode())
    missing_plugin(made)
    usage_of(made)
    card.card(card.CardData(made, rows, "hf:me/model", True))
    store.on_meta(Path("m"), store.recipe_of(Path("m"), made))


def fuzz(rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    documents = [[json.loads((folder / name).read_text("utf-8")) for name in ("config.json", "metrics.json")]
                 for folder in FOLDERS]  # fmt: skip
    for number in range(rounds):
        config, metrics = rng.choice(documents)
        which = rng.random()
        config = spoilt(config, rng) if which < 0.7 else config
        metrics = spoilt(metrics, rng) if which > 0.6 else metrics
        try:
            read_whole(config, metrics)
        except GanzooError as fault:
            assert "\n" not in str(fault) and "\x1b" not in str(fault), (number, fault)
        except Exception as fault:
            fault.add_note(f"round {number} of seed {seed}")
            raise


def test_fuzzed_documents_raise_only_our_own_errors() -> None:
    fuzz(300, seed=0)


@pytest.mark.parametrize("blocks", [2**70, 2**20])
def test_networks_without_end_are_refused_at_once(blocks: int) -> None:
    (folder,) = ROOT.glob("plugins/*/*/weights/srgan.kodak")
    config, metrics = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("config", "metrics"))
    config["networks"]["args"]["blocks"] = blocks
    with pytest.raises(GanzooError, match="too large"):
        read_whole(config, metrics)
    assert torch.is_grad_enabled()


@pytest.mark.slow
def test_many_fuzzed_documents_raise_only_our_own_errors() -> None:
    fuzz(1_500, seed=1)
