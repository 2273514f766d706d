"""ganzoo push: a model onto the Hub."""

from __future__ import annotations

import click

from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.output import document
from ganzoo_core.errors import tell_user


@click.command("push")
@click.argument("source", shell_complete=sources)
@click.argument("repo", metavar="OWNER/REPO")
@click.option("--license", "--licence", "licence", required=True, metavar="SPDX", help="Of the weights: mit ...")
@click.option("--private", is_flag=True, help="Make the repository private, if it is made.")
@click.option("--create-pr", is_flag=True, help="Open a pull request in place of committing.")
@click.option("--revision", default="main", show_default=True, metavar="BRANCH", help="Made where it is missing.")
@click.option("--parent", default="", metavar="COMMIT", help="The commit that may be replaced; default: one you saw.")
@click.option("--with-discriminators", is_flag=True, help="Their weights, too: others can train on.")
@click.option("--dry-run", is_flag=True, help="Only say what would be pushed; asks the Hub nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def push_(
    source: str, repo: str, licence: str, private: bool, create_pr: bool, revision: str, parent: str,
    with_discriminators: bool,
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Publish SOURCE on the Hub: its model directory with a model card, in one commit.

    Prints hf:owner/repo@COMMIT, which brings back these very bytes. The token is that of `hf auth login` or $HF_TOKEN.
    """
    from ganzoo_core.models import push

    wanted = push.prepare(
        source,
        repo,
        licence,
        revision=revision,
        private=private,
        create_pr=create_pr,
        parent=parent,
        with_discriminators=with_discriminators,
    )
    if dry_run:
        pushed = push.PushResult(str(wanted.repo), False, "")
        for name, data in wanted.files.items():
            tell_user(f"would push {name}: {len(data):,} bytes")
    else:
        pushed = push.push(wanted)
        tell_user("pushed" if pushed.changed else "the Hub has these bytes already: nothing was pushed")
    if pushed.pull_request:
        tell_user(f"to be merged: {pushed.pull_request}")
    if as_json:
        document({**pushed._asdict(), "files": {name: len(data) for name, data in wanted.files.items()}})
    else:
        print(pushed.source)
