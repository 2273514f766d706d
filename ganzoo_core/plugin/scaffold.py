"""`ganzoo new`: a complete plugin to begin with, made from the working one in template/."""

from __future__ import annotations

from pathlib import Path

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import make_folder, write_aside
from ganzoo_core.plugin.records import NAME

TEMPLATE = Path(__file__).with_name("template")


def scaffold(name: str, parent: Path) -> Path:
    """Write ./ganzoo-<name> with package, entry point, networks, objective, presets, tests and README.

    `name` is as a person writes it: my-gan, my_gan or "My GAN". Errors: GanzooError where it is none, or the folder is
    there already; ExternalError for a disk that refuses.
    """
    words = name.lower().replace("-", " ").replace("_", " ").split()
    snake = "_".join(words)
    if not NAME.fullmatch(snake):
        raise GanzooError(f"name {escape(name, 80)!r}: not of the form my-gan", "Letters, digits and hyphens.")
    folder = parent / f"ganzoo-{'-'.join(words)}"
    if folder.exists():
        raise GanzooError(f"{folder}: exists", "Choose another name, or remove it.")
    names = {"my_gan": snake, "my-gan": "-".join(words), "MyGAN": class_of(words), "MY_GAN": snake.upper()}
    for source in sorted(path for path in TEMPLATE.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        target = folder / renamed(str(source.relative_to(TEMPLATE)), names)
        make_folder(target.parent)
        write_aside(target, renamed(source.read_text("utf-8"), names).encode())
    return folder


def class_of(words: list[str]) -> str:
    """MyGAN of my gan: the field writes GAN in capitals."""
    return "".join("GAN" if word == "gan" else word.capitalize() for word in words)


def renamed(text: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text
