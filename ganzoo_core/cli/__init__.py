"""The command line: one module per verb, imported when its verb is called. Public: what verbs of plugins do alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from ganzoo_core.errors import DATA_ONLY, ExternalError, GanzooError, Stopped, UnknownNameError, escape, tell_user
from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.cli._shared import labelled as labelled
    from ganzoo_core.cli._shared import pair as pair
    from ganzoo_core.cli._shared import writable as writable
    from ganzoo_core.cli.completion import sources as sources
    from ganzoo_core.cli.image_inputs import read_fitted as read_fitted
    from ganzoo_core.cli.image_inputs import told as told
    from ganzoo_core.cli.making import Making as Making
    from ganzoo_core.cli.making import making_of as making_of
    from ganzoo_core.cli.meter import Meter as Meter
    from ganzoo_core.cli.report_ import report_page as report_page
    from ganzoo_core.cli.ways import is_clip as is_clip
    from ganzoo_core.cli.ways import save_beside as save_beside
    from ganzoo_core.cli.ways import save_sheet as save_sheet
    from ganzoo_core.cli.ways import save_way as save_way
    from ganzoo_core.cli.writing import write as write
    from ganzoo_core.files import write_aside as write_aside

_HOMES = {
    "Making": "ganzoo_core.cli.making",
    "Meter": "ganzoo_core.cli.meter",
    "is_clip": "ganzoo_core.cli.ways",
    "labelled": "ganzoo_core.cli._shared",
    "making_of": "ganzoo_core.cli.making",
    "pair": "ganzoo_core.cli._shared",
    "read_fitted": "ganzoo_core.cli.image_inputs",
    "report_page": "ganzoo_core.cli.report_",
    "save_beside": "ganzoo_core.cli.ways",
    "save_sheet": "ganzoo_core.cli.ways",
    "save_way": "ganzoo_core.cli.ways",
    "sources": "ganzoo_core.cli.completion",
    "told": "ganzoo_core.cli.image_inputs",
    "writable": "ganzoo_core.cli._shared",
    "write": "ganzoo_core.cli.writing",
    "write_aside": "ganzoo_core.files",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)

VERBS = {  # verb -> its one line of help; `ganzoo_core.cli.<verb>_` holds the command `<verb>_`
    "list": "List GAN families and trained models.",
    "info": "Show all that is known of a family or a model.",
    "search": "Search every GAN ever named.",
    "plugins": "List installed plugins, broken ones too.",
    "install": "Install plugins of the zoo.",
    "uninstall": "Remove plugins.",
    "data": "Look at data as a model sees it.",
    "train": "Train a family on your data.",
    "report": "Write a run's report as one HTML page.",
    "sample": "Make pictures with a trained model.",
    "interpolate": "Show the way from one sample to another.",
    "eval": "Measure a model: scores with their protocol.",
    "verify": "Check that models are what they should be.",
    "export": "Write a model directory elsewhere.",
    "push": "Publish a model on the Hub.",
    "pull": "Fetch models from the Hub.",
    "registry": "Make and check registry.toml.",
    "new": "Begin a plugin of your own.",
    "doctor": "Examine the environment, the plugins and the data.",
}
NO_MEMORY = ("can't allocate memory", "out of memory", "Cannot allocate memory")  # as torch and others say it
SPARING = {  # verb -> which of its options take less memory
    "train": "Set a smaller --batch-size or --micro-batch.",
    "sample": "Give smaller pictures (--size), or ask for fewer (-n).",
    "eval": "Ask for fewer samples (-n).",
}


class Verbs(click.Group):
    """Finds verbs without importing those that are not called; a plugin's verbs come after the core's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in VERBS:
            command: click.Command = getattr(import_module(f"ganzoo_core.cli.{name}_"), f"{name}_")
            return command
        from ganzoo_core.plugin.records import resolve
        from ganzoo_core.registry.plugins import registry

        commands = registry().commands
        if name not in commands:
            raise UnknownNameError("command", name, [*VERBS, *commands], "`ganzoo --help` shows all.")
        command = resolve(commands[name].command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ganzoo-core", prog_name="ganzoo", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def ganzoo(debug: bool) -> None:
    """A model zoo of generative adversarial networks: look up, sample, train.

    \b
      ganzoo list
      ganzoo sample dcgan.mnist -n 64 -o digits.png
      ganzoo train dcgan --data digits
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The entry point: runs a verb and ends with the exit code that says how it went."""
    arguments = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal in the C locale shows escapes, no traceback
    stdout = sys.stdout
    data_only = DATA_ONLY.set(True)
    try:
        ganzoo.main(arguments, prog_name="ganzoo", standalone_mode=False)
        sys.stdout.flush()
        status = 0
    except BrokenPipeError:  # `ganzoo list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except click.exceptions.Exit as end:
        status = end.exit_code
    except SystemExit:
        if sys.stdout is stdout:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 0  # click met a closed pipe, put another stdout in its place, and would exit 1
    except BaseException as fault:
        if "--debug" in arguments:
            raise
        status = report(fault, next((word for word in arguments if not word.startswith("-")), ""))
        if isinstance(fault, OSError):  # stdout's perhaps: what is left in it goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    finally:
        DATA_ONLY.reset(data_only)
    sys.exit(status)


def report(fault: BaseException, verb: str = "") -> int:
    """One line on stderr, and the exit code. What we do not know is a bug: it keeps its traceback and exits 1."""
    if isinstance(fault, click.UsageError):
        where = f"ganzoo {fault.ctx.info_name}" if fault.ctx and fault.ctx.parent else "ganzoo"
        what = " ".join(fault.format_message().split()).replace("'?", "'").rstrip(".")
        fault = GanzooError(what, f"`{where} --help` shows how.")
    elif isinstance(fault, (KeyboardInterrupt, click.Abort)):
        tell_user("stopped by Ctrl-C")
        return 130
    elif isinstance(fault, OSError) and fault.errno:
        where = f"{fault.filename}: " if fault.filename is not None else ""
        fault = ExternalError(f"{where}{fault.strerror}", "Is the disk full, read-only or gone?")
    elif isinstance(fault, MemoryError) or any(words in str(fault) for words in NO_MEMORY):
        fault = ExternalError("out of memory", SPARING.get(verb, "Free some of it, or use another machine."))
    if not isinstance(fault, GanzooError):
        raise fault
    tell_user(escape(fault, 2000) if isinstance(fault, Stopped) else f"error: {escape(fault, 2000)}")
    return fault.exit_code
