"""The model card: what a person who lands on the repository sees, and what the Hub's search reads of it.

It is made from config.json and metrics.json alone, without a date, so the same model always has the same card.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ganzoo_core import catalogue
from ganzoo_core.catalogue import FamilyInfo
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.licences import hub_licence

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

MARK = "<!-- made by ganzoo from config.json and metrics.json: remove this line to write a card of your own -->"
PIPELINES = {  # our task -> the Hub's; it has none for clips out of nothing
    "unconditional": "unconditional-image-generation", "class_conditional": "unconditional-image-generation",
    "single_image": "unconditional-image-generation", "semi_supervised": "unconditional-image-generation",
    "text_to_image": "text-to-image", "translation": "image-to-image", "inpainting": "image-to-image",
    "super_resolution": "image-to-image",
}  # fmt: skip
DATASETS = {  # our name -> the Hub's
    "mnist": "ylecun/mnist", "fashion_mnist": "zalando-datasets/fashion_mnist", "cifar10": "uoft-cs/cifar10",
}  # fmt: skip
HUB_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,95}")


class Subject(NamedTuple):
    """What a card is of."""

    config: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]]
    source: str  # what gz.load takes to load it
    has_samples: bool

    @property
    def family(self) -> FamilyInfo:
        """Errors: UnknownName for one that is neither installed nor in the register."""
        name = self.config["objective"]["family"]
        known = catalogue.families()
        if name not in known:
            raise UnknownName("family", name, known)
        return known[name]


def card(subject: Subject) -> str:
    """README.md of a model directory, its metadata made and read back by the Hub's own card library.

    Errors: GanzooError for metadata that the library does not take.
    """
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(**metadata(subject))
    text = f"---\n{data.to_yaml()}\n---\n\n{MARK}\n\n{page(subject)}"
    try:
        made = ModelCard(text)
    except ValueError as fault:
        raise GanzooError(f"{subject.config['id']}: no model card can be made: {plain(fault)}") from None
    return str(made.content)


def is_ours(readme: bytes) -> bool:
    """Whether a README.md is one that ganzoo may make anew."""
    return MARK.encode() in readme


def metadata(subject: Subject) -> dict[str, Any]:
    """The keywords of ModelCardData."""
    config, family = subject.config, subject.family
    dataset, paper = hub_dataset(config["dataset"]["name"]), [f"arxiv:{family.arxiv}"] if family.arxiv else []
    scores = eval_results(subject)
    names = sorted({str(score.metric_type) for score in scores})
    measured = {"eval_results": scores, "model_name": config["id"], "metrics": names} if scores else {}
    return {
        "library_name": "ganzoo",
        "tags": ["ganzoo", "gan", family.name, *paper],
        **({"pipeline_tag": PIPELINES[family.task]} if family.task in PIPELINES else {}),
        **hub_licence(config["licence"]),
        **({"datasets": [dataset]} if dataset else {}),
        **measured,
        "ganzoo": {
            "id": config["id"], "family": family.name, "plugin": config["objective"]["plugin"], "task": family.task,
            "dataset": plain(config["dataset"]["name"]), "licence": plain(config["licence"]),
            "dataset_licence": plain(config["dataset"]["licence"]),
            "bytes": sum(file["bytes"] for file in config["files"].values()),
        },
    }  # fmt: skip


def eval_results(subject: Subject) -> list[EvalResult]:
    """The scores as the Hub's model index has them; how each was measured goes with it."""
    from huggingface_hub import EvalResult

    task = PIPELINES.get(subject.family.task, "unconditional-image-generation")
    results = []
    for row in subject.metrics:
        data = plain(row["protocol"].get("data", subject.config["dataset"]["name"]))
        results.append(
            EvalResult(
                task_type=task, dataset_type=hub_dataset(data) or "custom", dataset_name=data,
                dataset_split=row["protocol"].get("split"), metric_type=base(row["name"]), metric_name=row["name"],
                metric_value=row["value"], metric_args=dict(row["protocol"]),
            )
        )  # fmt: skip
    return results


def base(metric: str) -> str:
    """fid of fid[mnist-cnn]."""
    return metric.partition("[")[0]


def hub_dataset(name: str) -> str:
    """A data set's name on the Hub, or "" for one that can have none there."""
    name = name.partition(":")[0]
    return DATASETS.get(name, name if HUB_NAME.fullmatch(name) else "")


def page(subject: Subject) -> str:
    config = subject.config
    samples = [f"![64 samples of {text(config['id'])}, seed 0](samples.png)"] if subject.has_samples else []
    parts = [f"# {text(config['id'])}", *samples, about(subject), use(subject), training(subject), scores(subject)]
    return "\n\n".join([*parts, licences(config), limits(subject), trust(config)]) + "\n"


def about(subject: Subject) -> str:
    family, config = subject.family, subject.config
    paper = f"*{text(family.paper)}* ({family.year})"
    link = f"[{paper}](https://arxiv.org/abs/{family.arxiv})" if family.arxiv else paper
    shape = " x ".join(str(side) for side in config["output"].get("shape") or ())
    made = f", {shape}" if shape else ""
    return f"A **{text(family.name)}**{made}: {text(family.summary)}. {link}."


def use(subject: Subject) -> str:
    plugin, inputs = subject.family.plugin, subject.config["inputs"]
    given = [name for name, i in inputs.items() if i.get("kind") == "label" and i.get("default") is None]
    labels, option = "".join(f", {name}=0" for name in given), " --label 0" if given else ""
    images = any(i.get("kind") == "image" for i in inputs.values())
    call = "translate(images, seed=0)" if images else f"sample(16, seed=0{labels})"
    return f"""## Use

```python
import ganzoo_core as gz
model = gz.load("{subject.source}")
images = model.{call}  # [N, C, H, W] in [-1, 1]
```

```sh
ganzoo sample {subject.source} -n 64 --seed 0{option} -o samples.png
```

It needs `ganzoo-core` and its plugin: `ganzoo install {text(plugin)}`."""


def training(subject: Subject) -> str:
    config, made = subject.config, subject.config["training"]
    args = {**config["networks"]["args"], **config["objective"]["args"]}
    versions = ", ".join(f"{text(k)} {text(v)}" for k, v in made["versions"].items())
    return f"""## Training

On {code(config["dataset"]["name"])}, {made["images"]:,} real images, seed {made["seed"]}, with {versions}:

```sh
{block(made["command"])}
```

{", ".join(f"{code(f'{k}={v}')}" for k, v in sorted(args.items()))}"""


def scores(subject: Subject) -> str:
    if not subject.metrics:
        return f"## Metrics\n\nNone has been measured yet: `ganzoo eval {subject.source}` does."
    rows = [f"| {text(row['name'])} | {row['value']:.6g} | {protocol(row['protocol'])} |" for row in subject.metrics]
    commands = [f"ganzoo verify --metrics {subject.source}  # all of them, and compared"]
    commands += dict.fromkeys(command(subject.source, row) for row in subject.metrics)
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


def limits(subject: Subject) -> str:
    return f"""## Intended use and limits

For research, teaching and play. The model knows {code(subject.config["dataset"]["name"])} and nothing else: what those
data lack it cannot make, what they show too often it shows too often, and single training images may be recognisable
in what it makes. Its pictures are no evidence of anything, and not to be passed off as photographs or as a person's
own work."""


def trust(config: Mapping[str, Any]) -> str:
    (name, file), *_ = config["files"].items()
    return f"""## Files

`{name}` has {file["bytes"]:,} bytes and the sha256 `{file["sha256"]}`.
ganzoo checks it against `config.json` whenever it loads, and runs no code from here. `ganzoo verify` does it again."""


def text(value: Any) -> str:
    """A stranger's words inside a line of Markdown or a cell of a table."""
    return re.sub(r"([\\`*\[\]<>|#])", r"\\\1", plain(value, 300))


def code(value: Any) -> str:
    return "`" + plain(value, 300).replace("`", "'").replace("|", "/") + "`"


def block(value: Any) -> str:
    """A stranger's line inside a fenced block."""
    return plain(value, 1000).replace("```", "'''")
