"""ganzoo export: a model elsewhere, as a model directory or as a program."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli._shared import pair, writable
from ganzoo_core.cli.completion import sources
from ganzoo_core.errors import GanzooError, escape, tell_user

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
OF_FILES = (".bin", ".ckpt", ".gz", ".h5", ".pkl", ".pt", ".pth", ".safetensors", ".tar", ".tgz", ".zip")


@click.command("export")
@click.argument("source", shell_complete=sources)
@click.argument("out")
@click.option(
    "--format",
    "format",
    type=click.Choice(["model", *SUFFIXES]),
    help="A model directory, or a program. Default: by OUT, .onnx, .pt2, or else a directory.",
)
@click.option("--net", default="", metavar="NAME", help="Of a program: another published network.")
@click.option("-c", "options", multiple=True, metavar="OPTION=VALUE", help="Of a program: sampling options, frozen.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def export_(source: str, out: str, format: str | None, net: str, options: tuple[str, ...], force: bool) -> None:
    """Write SOURCE to OUT: a model directory, or a program that needs no ganzoo.

    A model directory (config, weights, samples, metrics, model card) is what push publishes, and what every command
    takes as a SOURCE. A program is the generator in ONNX (OUT.onnx, with the extra onnx) or as torch.export has it
    (OUT.pt2): latents, conditions and all noise go in, samples come out. It is compared with the model's own samples;
    beside it, OUT.json says what it takes and how far apart they are.
    """
    target = Path(out)
    format = format or {suffix: name for name, suffix in SUFFIXES.items()}.get(target.suffix.lower(), "model")
    if format != "model":
        return export_program(source, target, format, net, options, force)
    refuse_file(target)
    if net or options:
        raise GanzooError("--net and -c are of programs", "Name OUT .onnx or .pt2, or leave them out.")
    writable(target, force)
    from ganzoo_core.models.export import export

    export(source, target)
    print(target)


def export_program(source: str, target: Path, format: str, net: str, options: tuple[str, ...], force: bool) -> None:
    """--format onnx and torch."""
    if target.suffix.lower() != SUFFIXES[format]:
        raise GanzooError(f"{escape(target)}: no name of a program in {format}", f"Name it {SUFFIXES[format]}.")
    for path in (target, target.with_suffix(".json")):
        writable(path, force)
    if target.is_dir():
        raise GanzooError(f"{escape(target)}: is a directory", "Name a file.")
    chosen = dict(pair(text) for text in options)
    from ganzoo_core.models import model
    from ganzoo_core.models.programs.write import export_program as write
    from ganzoo_core.registry.recipes import sampling_options

    trained = model.load(source)
    worst = write(trained, target, format, net, sampling_options(trained.network(net), chosen))
    tell_user(f"{trained.config['id']}: at most {worst:.2g} from the model's own samples")
    print(target)


def refuse_file(target: Path) -> None:
    """A directory is written. Errors: GanzooError for a name that only a file has."""
    suffix = target.suffix.lower()
    if suffix in SUFFIXES.values():
        raise GanzooError(f"{escape(target)}: a model directory is no {suffix} file", "Leave out --format model.")
    if suffix in OF_FILES:
        raise GanzooError(f"{escape(target)}: a model directory is written, not a {suffix} file", "Name a directory.")
