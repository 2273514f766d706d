"""What pages are made of: a form of a model's controls, and a result with all that makes it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from itertools import groupby
from pathlib import Path
from traceback import print_exc
from typing import Any

import gradio as gr
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator
from ganzoo_studio import drawing
from ganzoo_studio.asking import Ask, Product
from ganzoo_studio.controls import Control
from ganzoo_studio.latent import Inside
from ganzoo_studio.limits import LETTERS, POINT, SEED, SOUND
from ganzoo_studio.views import compared, downloads, has_view, shown

CODE: dict[str, Any] = {"interactive": False, "wrap_lines": True, "show_line_numbers": False, "lines": 1}
CANVAS = 320  # pixels of what is drawn on
INK = ["#000000", "#ffffff", "#d83b2d", "#f5b800", "#2f9e44", "#2563b0"]


def one_line(press: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong is told in one line, where the visitor looks; a bug of ours too, without its traceback."""

    @wraps(press)
    def told(*given: Any) -> Any:
        try:
            return press(*given)
        except GanzooError as fault:
            raise gr.Error(str(fault), duration=None, print_exception=False, title="This cannot be made") from None
        except Exception as fault:
            if isinstance(fault, gr.Error):
                raise
            print_exc()
            what = f"{type(fault).__name__}: a fault of ours, which the terminal tells whole"
            raise gr.Error(what, duration=None, print_exception=False, title="This went wrong") from None

    return told


def seed_box(value: int = 0, label: str = "Seed") -> Any:
    return gr.Number(value, label=label, precision=0, minimum=0, maximum=SEED, step=1, min_width=110)


def whole(value: Any, low: int, high: int, name: str) -> int:
    """A whole number that a form has sent. Errors: GanzooError for one that is none, or out of range."""
    if not isinstance(value, (int, float)) or value != int(value) or not low <= value <= high:
        raise GanzooError(f"{name}: not a whole number from {low} to {high:,}")
    return int(value)


@dataclass(frozen=True)
class Form:
    """Widgets, and which control each of them answers."""

    controls: Sequence[Control]
    widgets: Sequence[Any]
    mask: Control | None  # that the picture's canvas answers, too
    switches: Sequence[tuple[str, Any]]  # of inputs and options that are given only by hand

    @property
    def components(self) -> list[Any]:
        return [*self.widgets, *(switch for _, switch in self.switches)]

    def read(self, ask: Ask, values: Sequence[Any]) -> Ask:
        """The ask with all that was answered. Errors: GanzooError for an answer that is none."""
        on = {name for (name, _), value in zip(self.switches, values[len(self.widgets) :], strict=True) if value}
        answers = [
            (control, value) for control, value in zip(self.controls, values, strict=False)
            if not control.optional or control.name in on
        ]  # fmt: skip
        for _, group in groupby(answers, lambda answer: answer[0].name):
            ask = answered(ask, list(group), self.mask is not None)
        if self.mask is not None:
            ask = with_hole(ask, self.mask, next(v for c, v in answers if c.kind == "picture"))
        return ask


def form(controls: Iterable[Control]) -> Form:
    """Widgets for controls, in their order; a picture and its mask share a canvas."""
    asked = list(controls)
    mask = next((control for control in asked if control.kind == "mask"), None)
    if mask is not None:
        asked.remove(mask)
    widgets, switches = [], []
    for name, group in groupby(asked, lambda control: control.name):
        for control in group:
            if control.optional and control.place <= 0:
                switches.append((name, gr.Checkbox(False, label=f"Set {control.name.replace('_', ' ')} by hand")))
            widgets.append(widget(control, mask is not None))
    return Form(asked, widgets, mask, switches)


def widget(control: Control, brushing: bool) -> Any:
    """What a person answers a control with."""
    if control.kind == "choice":
        return gr.Dropdown(
            list(control.choices), value=control.value, label=control.title, filterable=len(control.choices) > 12
        )
    if control.kind == "number":
        start = min(max(control.value if control.value is not None else 0, control.low), control.high)
        step = 1 if control.whole else (control.high - control.low) / 100
        return gr.Slider(control.low, control.high, value=start, step=step, label=control.title)
    if control.kind == "flag":
        return gr.Checkbox(bool(control.value), label=control.title)
    if control.kind == "text":
        lines = "For example: a red heart" if control.needed else ""
        return gr.Textbox(label=control.title, max_length=LETTERS, placeholder=lines)
    if control.kind == "file":
        return given_file(f"{control.title} ({', '.join(control.accepts)})", control.accepts)
    return canvas(control, brushing)


def given_file(label: str, accepts: Sequence[str], largest: int = SOUND) -> Any:
    """A place to put a file in. It is read once and deleted; its text stays in the page, and goes along with a press.

    Returns the widget that holds the text: what `drawing.file_of` reads, "" of none.
    """
    upload = gr.File(label=label, file_types=list(accepts), height=160, elem_classes="gz-given")
    kept = gr.Textbox("", visible=False)

    def take(path: str | None) -> str:
        return drawing.text_of(Path(path), accepts, largest) if path else ""

    upload.upload(one_line(take), upload, kept, show_progress="hidden", api_visibility="private")
    upload.clear(lambda: "", None, kept, api_visibility="private")
    return kept


def canvas(control: Control, brushing: bool) -> Any:
    """To upload a picture or draw one; where there is a hole to fill, to brush it out."""
    brush = (
        gr.Brush(colors=["#ffffff"], color_mode="fixed", default_size=8)
        if brushing
        else gr.Brush(colors=INK, default_size=4)
    )
    what = (
        "Upload a picture, then brush over what is to be made anew." if brushing else "Upload a picture, or draw one."
    )
    gr.HTML(f"<p class=gz-quiet>{what}</p>")  # the canvas leaves its label little room
    return gr.ImageEditor(
        label="Picture", type="pil", image_mode="RGBA",
        sources=["upload", "clipboard"], brush=brush, eraser=gr.Eraser(), transforms=(), layers=False,
        canvas_size=(CANVAS, CANVAS), height=430,
        elem_classes="gz-canvas",
    )  # fmt: skip


def answered(ask: Ask, group: Sequence[tuple[Control, Any]], brushing: bool) -> Ask:
    """The ask with what one input or option was answered. Errors: GanzooError."""
    control, value = group[0]
    if control.kind == "number":
        return numbered(ask, group)
    if control.kind == "choice":
        answer = control.answers[control.choices.index(value)] if value in control.choices else ""
        if control.flag == "--label":
            return replace(ask, labels=(answer,) if answer else ())
        return with_option(ask, control, answer if value != control.value or control.needed else "")
    if control.kind == "flag":
        return with_option(ask, control, str(bool(value)).lower() if bool(value) != bool(control.value) else "")
    if control.kind == "text":
        words = str(value or "").strip()[:LETTERS]
        return replace(ask, text=words) if control.flag == "--text" else with_option(ask, control, words)
    if control.kind == "file":
        return with_file(ask, control, value)
    return with_picture(ask, control, value, brushing)


def numbered(ask: Ask, group: Sequence[tuple[Control, Any]]) -> Ask:
    """Numbers of one input, within what their sliders show."""
    for control, value in group:
        if not isinstance(value, (int, float)) or not control.low <= value <= control.high:
            raise GanzooError(f"{control.title}: not from {control.low:g} to {control.high:g}")
    control, value = group[0]
    if control.place < 0 and value == control.value:
        return ask
    return with_option(ask, control, ",".join(f"{int(v) if c.whole else v:.6g}" for c, v in group))


def with_option(ask: Ask, control: Control, text: str) -> Ask:
    """The same with an option of the command line, unless it is empty."""
    if not text:
        return ask
    if control.flag == "--input":
        return replace(ask, input=text)
    return replace(ask, options={**ask.options, control.name: text})


def with_file(ask: Ask, control: Control, given: str | None) -> Ask:
    """With a file of the visitor's, under a name of ours. Errors: GanzooError for another kind, and for a large one."""
    if not given:
        if control.needed:
            raise GanzooError(f"no {control.title} is given", f"Upload one: {', '.join(control.accepts)}.")
        return ask
    path = drawing.file_of(given, control.accepts, SOUND, ask.folder / control.name)
    if control.size:
        first, *rest = drawing.fitted_clip(path, control)
        first.save(ask.folder / "input.png", save_all=True, append_images=rest)  # APNG: nothing is lost
        return with_option(ask, control, "input.png")
    asked = with_option(ask, control, path.name)
    return asked if control.flag == "--input" else replace(asked, files=(*asked.files, control.name))


def with_picture(ask: Ask, control: Control, given: drawing.Editor | None, brushing: bool = False) -> Ask:
    """With a picture as the model wants it; one that may be left out is left out where there is none."""
    empty = not given or not given.get("composite") or given["composite"].getchannel("A").getbbox() is None
    if empty and not control.needed:
        return ask
    picture = drawing.under(given) if brushing else drawing.drawn(given)
    return replace(ask, input=drawing.save(drawing.fitted(picture, control), ask.folder / "input.png"))


def with_hole(ask: Ask, control: Control, given: drawing.Editor | None) -> Ask:
    """With what was brushed over the picture, and the picture without it. Errors: GanzooError where nothing was."""
    mask = drawing.brushed(given)
    if mask is None and control.needed:
        raise GanzooError("nothing is brushed out", "Brush over what is to be made anew.")
    if mask is None or not ask.input:
        return ask
    return replace(ask, mask=drawing.save(drawing.fitted(mask, control, False), ask.folder / "mask.png"))


@dataclass(frozen=True)
class Result:
    """Where a page shows what was made, and how it is made again."""

    view: Any
    files: Any
    shell: Any
    python: Any

    @property
    def components(self) -> list[Any]:
        return [self.view, self.files, self.shell, self.python]


def result() -> Result:
    """The widgets, empty."""
    view = gr.HTML("<p class=gz-quiet>Nothing has been made yet.</p>", elem_classes="gz-view")
    files = gr.HTML("", elem_classes="gz-view")
    codes = [
        gr.Code(language=language, label=label, visible=False, **CODE)
        for language, label in (("shell", "Make it again, on the command line"), ("python", "Make it again, in Python"))
    ]
    return Result(view, files, *codes)


def told(html: str, files: Sequence[Path], shell: str, python: str) -> list[Any]:
    """What goes into a result's widgets."""
    codes = [gr.Code(code, visible=bool(code)) for code in (shell, python)]
    return [html, downloads(files), *codes]


def of_ask(ask: Ask, net: Generator, alt: str) -> list[Any]:
    """An ask, carried out."""
    made = ask.make(net)
    given = [ask.folder / name for name in (ask.input, ask.mask, *(ask.options[f] for f in ask.files)) if name]
    return told(
        view_of(ask, made, alt), [made.file, *given], ask.shell(made.file.name), ask.python(net, made.file.name)
    )


def view_of(ask: Ask, made: Product, alt: str) -> str:
    """The file as a browser can show it, beside its kind's own drawing; a picture made of one, as a slider."""
    if made.file.suffix == ".png" and ask.input and ask.count == 1:
        return compared(ask.folder / ask.input, made.file, alt)
    seen = shown(made.file, alt) if has_view(made.file) else ""
    return seen + (shown(made.drawing, f"{alt}, drawn") if made.drawing else "")


def found_by(made: Inside, source: str, alt: str, *given: str) -> list[Any]:
    """A search, carried out on the model that lies at `source`."""
    html = made.search(source, alt)
    return told(html, made.files(*given), made.shell, made.python)


def computed(made: Inside, pictures: Tensor, columns: int, alt: str) -> list[Any]:
    """What was computed here, saved as the command saves it."""
    html = made.save(pictures, columns, alt)
    return told(html, made.files(), made.shell, made.python)


def point_file() -> Any:
    """Where a point that a page has found is given again."""
    return given_file("Or a point that was found (.safetensors)", [".safetensors"], POINT)
