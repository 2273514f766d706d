"""The page: choose a model, and see the pages that suit it. What a visitor does is kept in the browser alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from ganzoo_core.models import Model
from ganzoo_core.nn import Generator
from ganzoo_studio import pages, pressing
from ganzoo_studio.controls import Control, controls_of, unasked
from ganzoo_studio.limits import AT_ONCE, MINUTES, SEARCHES, WAITING
from ganzoo_studio.parts import one_line
from ganzoo_studio.shelf import Seat, Shelf

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
HEAD = (
    "<header class=gz-head><h1>ganzoo studio</h1><p>Choose a model, then a page. Each result comes with the command "
    "that makes it again, bit for bit.</p></header>"
)


class Facts(NamedTuple):
    """A model as its pages know it."""

    seat: Seat
    model: Model
    net: Generator
    controls: list[Control]


class Studio:
    """Models on a shelf, and a room where files lie while they are used."""

    def __init__(self, shelf: Shelf, room: Path) -> None:
        self.shelf, self.room = shelf, room

    def page(self) -> gr.Blocks:
        """The whole of it, not yet served."""
        with gr.Blocks(title="ganzoo studio", analytics_enabled=False, delete_cache=(60, 60 * MINUTES)) as page:
            gr.HTML(HEAD)
            with gr.Row():
                source = gr.Dropdown(self.shelf.sources, value=None, label="Model", filterable=True, elem_id="gz-model")
                net = gr.Radio([], label="Network", visible=False, elem_id="gz-net")
            # One rendering at a time: the first begins when the address has said which model.
            page.load(one_line(self.named), None, source, **QUIET)
            source.change(one_line(self.networks), source, net, **QUIET)
            if self.shelf.sources:
                gr.render(inputs=[source, net], triggers=[source.change, net.input])(one_line(self.suiting))
            if self.shelf.runs:
                pages.watch.build(self)
        page.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)
        return page

    def named(self, request: gr.Request) -> Any:
        """The model that the address names: ?model=dcgan.mnist."""
        wanted = request.query_params.get("model", "")
        return wanted if wanted in self.shelf.sources else first(self.shelf)

    def networks(self, source: str) -> Any:
        """The published generators, where there are several."""
        names = [k for k, net in self.shelf.model(source).networks.items() if isinstance(net, Generator)]
        return gr.Radio(names, value=names[0], visible=len(names) > 1)

    def facts(self, source: str, name: str | None) -> Facts:
        """Errors: GanzooError for a model that is not offered."""
        model = self.shelf.model(source)
        generators = [k for k, net in model.networks.items() if isinstance(net, Generator)]
        name = name if name in generators[1:] else ""
        net = model.network(name or "")
        return Facts(Seat(source, name or ""), model, net, controls_of(net))

    def suiting(self, source: str, net: str | None) -> None:
        """A tab for each page that suits the model."""
        facts = self.facts(source, net)
        missing = unasked(facts.net)
        if missing:
            gr.Markdown(f"{' and '.join(missing)}: this model is given that from Python alone.")
        suitable = [page for page in pages.ALL if page.title(facts) and (not missing or page is pages.card)]
        with gr.Tabs(selected=suitable[0].__name__):
            for page in suitable:
                with gr.Tab(page.title(facts), id=page.__name__):
                    page.build(self, facts)

    def net(self, seat: Seat) -> Generator:
        """The generator, loaded again where it was put back meanwhile."""
        return self.shelf.model(seat.source).network(seat.net)

    def folder(self) -> Path:
        """An empty one, for one press: it is gone when that is answered."""
        return pressing.folder(self.room)

    def samples(self, event: Callable[..., Any], press: Press, given: Any, made: Any, **how: Any) -> None:
        """An event, such as a button's click, is answered by `press`: within a time, and AT_ONCE of all visitors'."""
        answer = one_line(pressing.bounded(press))
        event(answer, given, made, concurrency_id="samples", concurrency_limit=AT_ONCE, **how)

    def searches(self, event: Callable[..., Any], press: Press, given: Any, made: Any) -> None:
        """Likewise by one that takes long, in a process of its own. It has another queue: nobody's sample waits."""
        answer = one_line(pressing.bounded(press))
        event(answer, given, made, concurrency_id="searches", concurrency_limit=SEARCHES)


Press = Callable[..., Any]  # what widgets hold -> what goes into others


def first(shelf: Shelf) -> str | None:
    return shelf.sources[0] if shelf.sources else None
