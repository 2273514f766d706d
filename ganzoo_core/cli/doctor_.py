"""ganzoo doctor: is everything as it should be?"""

from __future__ import annotations

import click

from ganzoo_core.cli.output import document, table


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=20.0, show_default=True, help="Seconds a plugin.")
def doctor_(as_json: bool, timeout: float) -> None:
    """Examine the environment, every plugin (each in a process of its own), the data and the register."""
    from ganzoo_core.cli import doctor

    report = doctor.examine(timeout)
    if as_json:
        document(report)
        return
    for title, facts in report.items():
        rows = [list(row.values()) for row in facts] if isinstance(facts, list) else [[k, v] for k, v in facts.items()]
        header = list(facts[0]) if isinstance(facts, list) and facts else ["what", "found"]
        table(title.capitalize(), header, rows)
        print()
