"""ganzoo list: families and trained models."""

from __future__ import annotations

import click

from ganzoo_core.cli.completion import names
from ganzoo_core.cli.output import document, table
from ganzoo_core.registry import listing


@click.command("list")
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]", shell_complete=names)
@click.option("--task", default="", help="Only of this task, e.g. unconditional.")
@click.option("--family", default="", help="Only of this family.")
@click.option("--licence", "--license", "licence", default="", help="Only models under this licence (SPDX).")
@click.option("--dataset", default="", help="Only models trained on this data set.")
@click.option("--installed", is_flag=True, help="Only what is installed.")
@click.option("--weights", is_flag=True, help="Only families that have trained weights.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(
    patterns: tuple[str, ...],
    task: str,
    family: str,
    licence: str,
    dataset: str,
    installed: bool,
    weights: bool,
    as_json: bool,
) -> None:
    """List GAN families and trained models whose name matches any PATTERN (all without one): dcgan, "*.mnist"."""
    families = [
        info
        for name, info in listing.families().items()
        if listing.matching(name, patterns)
        and listing.having(info, task=task, name=family)
        and (info.installed or not installed)
        and (info.weights or not weights)
    ]
    models = [
        info
        for name, info in listing.models().items()
        if (listing.matching(name, patterns) or listing.matching(info.family, patterns))
        and listing.having(info, task=task, family=family, licence=licence, dataset=dataset)
        and (info.installed or not installed)
    ]
    if as_json:
        document({"families": [f._asdict() for f in families], "models": [m._asdict() for m in models]})
        return
    rows = [[f.name, f.year, f.task, "yes" if f.installed else "no", f.summary] for f in families]
    table("Families", ["name", "year", "task", "installed", "summary"], rows)
    print()
    rows = [[m.id, m.dataset, m.licence, f"{m.bytes / 2**20:.1f} MiB"] for m in models]
    table("Trained models", ["id", "data set", "licence", "size"], rows)
