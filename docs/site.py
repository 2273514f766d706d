"""The documents as a site that is read without a network: python docs/site.py OUT

The tree of the repository is kept, documents and pictures only, so that relative links hold; links to source are left
as their words. Ends with an error where a link leads nowhere or a page asks another host for anything.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "docs/*.md",
    "docs/lecture/*.md",
    "plugins/*/README.md",
    "plugins/*/*/weights/*/*.md",
)
PICTURES = ("docs/**/*.png", "plugins/*/*.png", "plugins/*/*/weights/*/*.png")
LINK = re.compile(r"(!?)\[((?:[^][]|\[[^]]*\])*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.S)
ELSEWHERE = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=["']?(?:https?:)?//[^"'\s>]+""")
TITLES = {
    "Begin": ("own-data", "data", "running", "add-a-family", "export", "serving", "faq"),
    "Measured": ("zoo", "budget", "rings", "tricks", "latent"),
    "Reference": ("cli", "api", "hooks", "hub", "design", "gpu", "release"),
}


def site(out: Path) -> None:
    """Write the site. Errors: SystemExit with a line for every dead link or foreign host."""
    with TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        faults = list(gather(tree))
        if faults:
            sys.exit("\n".join(faults))
        config = Path(folder) / "mkdocs.yml"
        config.write_text(yaml.safe_dump(settings(tree, out.resolve()), sort_keys=False), "utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-f", str(config)]
        subprocess.run(command, check=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    asked = sorted({found for page in out.rglob("*.html") for found in ELSEWHERE.findall(page.read_text("utf-8"))})
    if asked:
        sys.exit("pages ask other hosts:\n" + "\n".join(asked))


def gather(tree: Path) -> Iterator[str]:
    """Copy documents and pictures, and say which links lead nowhere."""
    for path in sorted(path for pattern in PICTURES for path in ROOT.glob(pattern)):
        copied(path, tree)
    for path in sorted(path for pattern in PAGES for path in ROOT.glob(pattern)):
        text, faults = linked(path)
        yield from faults
        target = tree / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def copied(path: Path, tree: Path) -> None:
    target = tree / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def linked(path: Path) -> tuple[str, list[str]]:
    """A document with links that hold in the site, and a line for each that leads nowhere. Code stays as it is."""
    faults: list[str] = []

    def held(found: re.Match[str]) -> str:
        picture, words, target, anchor = found.groups()
        at = path.parent / target
        if not at.exists():
            faults.append(f"{path.relative_to(ROOT)}: {target} leads nowhere")
        if at.is_dir() and (at / "README.md").exists():
            return f"{picture}[{words}]({target.rstrip('/')}/README.md{anchor or ''})"
        return found[0] if picture or at.suffix == ".md" else words

    parts = CODE.split(path.read_text("utf-8"))
    parts[1::2] = [part.replace("](", "]\0(") for part in parts[1::2]]  # no link is looked for in code
    text = LINK.sub(held, "".join(parts)).replace("]\0(", "](")
    return text, faults


def settings(tree: Path, out: Path) -> dict[str, object]:
    """mkdocs.yml: material without fonts of others."""
    return {
        "site_name": "ganzoo",
        "docs_dir": str(tree),
        "site_dir": str(out),
        "use_directory_urls": False,  # read from a folder, too; its search wants a server
        "theme": {"name": "material", "font": False, "features": ["navigation.indexes", "content.code.copy"]},
        "plugins": ["search"],
        "markdown_extensions": ["tables", "toc", "pymdownx.superfences", "pymdownx.highlight", "md_in_html"],
        "validation": {"nav": {"omitted_files": "ignore"}, "links": {"anchors": "ignore"}},
        "nav": [
            {"Home": "README.md"},
            {"GANs in twelve pages": [page(path) for path in sorted((tree / "docs/lecture").glob("*.md"))]},
            *({title: [f"docs/{name}.md" for name in names]} for title, names in TITLES.items()),
            {"Families": [page(path) for path in sorted((tree / "plugins").glob("*/README.md"))]},
        ],
    }


def page(path: Path) -> dict[str, str]:
    """Its first heading, and where it lies."""
    heading = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("# "))
    at = path.as_posix()
    return {heading[2:]: at[at.index("/tree/") + len("/tree/") :]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    site(parser.parse_args().out)
