"""ganzoo report: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli._shared import writable
from ganzoo_core.cli.output import document
from ganzoo_core.errors import GanzooError, escape


def report_page(run: Path) -> str:
    """The report of a run directory as a whole page of HTML, as `ganzoo report` writes it: a str that loads nothing and
    runs nothing, in which whatever the files hold is escaped. The run may be going on: what is missing or damaged is
    left out. It needs no torch, and writes nothing. Errors: GanzooError for what is no run directory.
    """
    from ganzoo_core.report import page, read_run

    return page.page(read_run.read(run))


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="OUT.html", help="Default: RUN/report.html.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, too.")
@click.option("--force", is_flag=True, help="Overwrite OUT. A report in RUN is always made anew.")
def report_(run: Path, out: Path | None, as_json: bool, force: bool) -> None:
    """Write the report of RUN, a run directory: recipe, losses, pictures over time, warnings and metrics.

    The page needs nothing but itself: no network, no scripts.
    """
    from ganzoo_core.files import write_aside
    from ganzoo_core.report import page, read_run

    found = read_run.read(run)
    target = writable(run / "report.html" if out is None else out, force or out is None)
    if target.is_dir():
        raise GanzooError(f"{escape(target)}: is a directory", "Choose another -o.")
    write_aside(target, page.page(found).encode())
    if as_json:
        document({"report": str(target), **page.summary(found)})
    else:
        print(target)
