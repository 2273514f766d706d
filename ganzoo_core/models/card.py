"""The model card: what a person who lands on the repository sees, and what the Hub's search reads of it.

It is made from config.json and metrics.json alone, without a date, so the same model always has the same card.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ganzoo_core.data import view_of
from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.models.usage import usage_of
from ganzoo_core.plugin.infos import FamilyInfo
from ganzoo_core.registry import listing
from ganzoo_core.registry.plugins import registry
from ganzoo_core.weights.licenses import hub_licence

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

MARK = "<!-- made by ganzoo from config.json and metrics.json: remove this line to write a card of your own -->"
DATASETS = {  # our name -> the Hub's
    "mnist": "ylecun/mnist", "fashion_mnist": "zalando-datasets/fashion_mnist", "cifar10": "uoft-cs/cifar10",
}  # fmt: skip
HUB_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,95}")
HUB_SET = re.compile(r"hf:([\w.-]{1,96}(?:/[\w.-]{1,96})?)@[0-9a-f]{40}(?::|\Z)")  # as --data hf:owner/set names itself


class CardData(NamedTuple):
    """What a card is of."""

    config: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]]
    source: str  # what gz.load takes to load it
    has_samples: bool
    has_recording: bool = False  # samples.wav

    @property
    def family(self) -> FamilyInfo:
        """Errors: UnknownNameError for one that is neither installed nor in the register."""
        name = self.config["objective"]["family"]
        known = listing.families()
        if name not in known:
            raise UnknownNameError("family", name, known)
        return known[name]


def card(card_data: CardData) -> str:
    """README.md of a model directory, its metadata made and read back by the Hub's own card library.

    Errors: GanzooError for metadata that the library does not take.
    """
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(**metadata(card_data))
    text = f"---\n{data.to_yaml()}\n---\n\n{MARK}\n\n{page(card_data)}"
    try:
        made = ModelCard(text)
    except ValueError as fault:
        raise GanzooError(f"{card_data.config['id']}: no model card can be made: {escape(fault)}") from None
    return str(made.content)


def is_ours(readme: bytes) -> bool:
    """Whether a README.md is one that ganzoo may make anew."""
    return MARK.encode() in readme


def metadata(card_data: CardData) -> dict[str, Any]:
    """The keywords of ModelCardData."""
    config, family = card_data.config, card_data.family
    dataset, paper = hub_dataset(config["dataset"]["name"]), [f"arxiv:{family.arxiv}"] if family.arxiv else []
    scores = eval_results(card_data)
    names = sorted({str(score.metric_type) for score in scores})
    measured = {"eval_results": scores, "model_name": config["id"], "metrics": names} if scores else {}
    return {
        "library_name": "ganzoo",
        "tags": ["ganzoo", "gan", family.name, *paper],
        **({"pipeline_tag": pipeline} if (pipeline := pipeline_of(family.task)) else {}),
        **hub_licence(config["licence"]),
        **({"datasets": [dataset]} if dataset else {}),
        **measured,
        "ganzoo": {
            "id": config["id"], "family": family.name, "plugin": config["objective"]["plugin"], "task": family.task,
            "dataset": escape(config["dataset"]["name"]), "licence": escape(config["licence"]),
            "dataset_licence": escape(config["dataset"]["licence"]),
            "bytes": sum(file["bytes"] for file in config["files"].values()),
        },
    }  # fmt: skip


def eval_results(card_data: CardData) -> list[EvalResult]:
    """The scores as the Hub's model index has them; how each was measured goes with it."""
    from huggingface_hub import EvalResult

    task = pipeline_of(card_data.family.task) or "other"
    results = []
    for row in card_data.metrics:
        data = escape(row["protocol"].get("data", card_data.config["dataset"]["name"]))
        results.append(
            EvalResult(
                task_type=task, dataset_type=hub_dataset(data) or "custom", dataset_name=data,
                dataset_split=row["protocol"].get("split"), metric_type=base(row["name"]), metric_name=row["name"],
                metric_value=row["value"], metric_args=dict(row["protocol"]),
            )
        )  # fmt: skip
    return results


def pipeline_of(task: str) -> str:
    """The Hub's word for a task, or ""."""
    tasks = registry().tasks
    return tasks[task].pipeline if task in tasks else ""


def base(metric: str) -> str:
    """fid of fid[mnist-cnn]."""
    return metric.partition("[")[0]


def hub_dataset(name: str) -> str:
    """A data set's name on the Hub, whatever views stand before it, or "" for one that can have none there."""
    view, _, inner = view_of(name, registry().views)
    if view is not None:
        return "" if view.of_path else hub_dataset(inner)
    if name.startswith("hf:"):
        pinned = HUB_SET.match(name)
        return pinned[1] if pinned else ""
    name = name.partition(":")[0]
    return DATASETS.get(name, name if HUB_NAME.fullmatch(name) else "")


def page(card_data: CardData) -> str:
    config = card_data.config
    samples = [f"![64 samples of {text(config['id'])}, seed 0](samples.png)"] if card_data.has_samples else []
    heard = '<audio controls preload="none" src="samples.wav"></audio> [Hear the first of them](samples.wav)'
    parts = [
        f"# {text(config['id'])}",
        *samples,
        *([heard] if card_data.has_recording else []),
        about(card_data),
        use(card_data),
        training(card_data),
        scores(card_data),
    ]
    return "\n\n".join([*parts, licences(config), limits(card_data), trust(config)]) + "\n"


def about(card_data: CardData) -> str:
    family, config = card_data.family, card_data.config
    paper = f"*{text(family.paper)}* ({family.year})"
    link = f"[{paper}](https://arxiv.org/abs/{family.arxiv})" if family.arxiv else paper
    shape = " x ".join(str(side) for side in config["output"].get("shape") or ())
    made = f", {shape}" if shape else ""
    return f"A **{text(family.name)}**{made}: {text(family.summary)}. {link}."


def use(card_data: CardData) -> str:
    """How it is called from Python and from the shell."""
    how, source = usage_of(card_data.config), card_data.source
    shape = ", ".join(["n", *(str(side) if side else "*" for side in card_data.config["output"].get("shape") or ())])
    return f"""## Use

```python
import ganzoo_core as gz

model = gz.load("{source}")
samples = model.sample({1 if how.one_by_one else 16}, seed=0{block(how.python)})  # [{shape}]
```

```sh
{block(how.line(source, "samples"))}
```

It needs `ganzoo-core` and its plugin: `ganzoo install {text(card_data.family.plugin)}`."""


def training(card_data: CardData) -> str:
    config, made = card_data.config, card_data.config["training"]
    if "imported" in config:
        return imported(config["imported"], made)
    args = {**config["networks"]["args"], **config["objective"]["args"]}
    versions = ", ".join(f"{text(k)} {text(v)}" for k, v in made["versions"].items())
    return f"""## Training

On {code(config["dataset"]["name"])}, {made["images"]:,} real images, seed {made["seed"]}, with {versions}:

```sh
{block(made["command"])}
```

{", ".join(f"{code(f'{k}={v}')}" for k, v in sorted(args.items()))}"""


def imported(origin: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Where weights that others have trained come from."""
    return f"""## Origin

Others have trained these weights: {text(origin["source"])}. They are those of the file {code(origin["file"])} with the
sha256 `{text(origin["sha256"])}`, in the layout {code(origin["layout"])}, brought here by

```sh
{block(made["command"])}
```

config.json says under `imported` what each of its {len(origin["mapping"])} tensors was called."""


def scores(card_data: CardData) -> str:
    if not card_data.metrics:
        return f"## Metrics\n\nNone has been measured yet: `ganzoo eval {card_data.source}` does."
    rows = [f"| {text(row['name'])} | {row['value']:.6g} | {protocol(row['protocol'])} |" for row in card_data.metrics]
    commands = [f"ganzoo verify --metrics {card_data.source}  # all of them, and compared"]
    commands += dict.fromkeys(command(card_data.source, row) for row in card_data.metrics)
    table = "\n".join(["| metric | value | how it was measured |", "|---|---:|---|", *rows])
    again = "\n".join(commands)
    return f"## Metrics\n\n{table}\n\nThe same numbers again:\n\n```sh\n{again}\n```"


def protocol(facts: Mapping[str, Any]) -> str:
    """All of a protocol on one line; a hash by its beginning."""
    short = {k: str(v)[:12] if k.endswith("sha256") else v for k, v in facts.items() if k not in ("metric", "versions")}
    return ", ".join(f"{text(k)} {text(v)}" for k, v in short.items())


def command(source: str, row: Mapping[str, Any]) -> str:
    """The call of ganzoo eval whose protocol this is."""
    facts = row["protocol"]
    seeds = facts.get("seed", 0)
    options = [("--data", facts.get("data")), ("--metric", facts.get("metric", base(row["name"])))]
    options += [("-n", facts.get("n")), ("--extractor", facts.get("extractor")), ("--net", facts.get("net"))]
    options += [("-c", f"{name}={value}") for name, value in facts.get("options", {}).items()]
    options += [("--seed", seed) for seed in (seeds if isinstance(seeds, list) else [seeds])]
    return f"ganzoo eval {source} " + " ".join(f"{k} {block(v)}" for k, v in options if v is not None)


def licences(config: Mapping[str, Any]) -> str:
    return f"""## Licence

The weights: {text(config["licence"])}. The data that they were trained on, {code(config["dataset"]["name"])}: \
{text(config["dataset"]["licence"])}."""


def limits(card_data: CardData) -> str:
    return f"""## Intended use and limits

For research, teaching and play. The model knows {code(card_data.config["dataset"]["name"])} and nothing else: what
those data lack it cannot make, what they show too often it shows too often, and single training images may be
recognisable in what it makes. Its pictures are no evidence of anything, and not to be passed
off as photographs or as a person's own work."""


def trust(config: Mapping[str, Any]) -> str:
    (name, file), *_ = config["files"].items()
    return f"""## Files

`{name}` has {file["bytes"]:,} bytes and the sha256 `{file["sha256"]}`.
ganzoo checks it against `config.json` whenever it loads, and runs no code from here. `ganzoo verify` does it again."""


def text(value: Any) -> str:
    """A stranger's words inside a line of Markdown or a cell of a table."""
    return re.sub(r"([\\`*\[\]<>|#])", r"\\\1", escape(value, 300))


def code(value: Any) -> str:
    return "`" + escape(value, 300).replace("`", "'").replace("|", "/") + "`"


def block(value: Any) -> str:
    """A stranger's line inside a fenced block."""
    return escape(value, 1000).replace("```", "'''")
