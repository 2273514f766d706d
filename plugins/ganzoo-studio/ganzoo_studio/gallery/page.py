"""The gallery as one page of HTML that needs nothing but itself: no network, one short script of its own.

Whatever comes from a model passes through `text`, the only way from a string to markup; a browser runs no other script
than the one whose hash the page names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from ganzoo_core.errors import escape as printable
from ganzoo_studio.gallery.collect import Card

POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'"
HEARD = 2**20  # bytes of a recording
FILTERS = ("task", "dataset", "licence")


def page(cards: Sequence[Card]) -> str:
    """The whole page."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    filters = "\n".join(choice(name, {getattr(card, name) for card in cards}) for name in FILTERS)
    body = "\n".join(map(figure, cards))
    models = sum(bool(card.id) for card in cards)
    count = f"{models} models, {len(cards) - models} more families"
    return TEMPLATE.format(
        policy=POLICY.format(digest), style=STYLE, script=SCRIPT, filters=filters, body=body, count=count
    )


def text(value: object) -> str:
    """A stranger's words as markup."""
    return escape(printable(value, 400))


def choice(name: str, values: Iterable[str]) -> str:
    """One filter."""
    options = "".join(f"<option>{text(value)}</option>" for value in sorted(filter(None, values)))
    title = {"dataset": "Data set"}.get(name, name.capitalize())
    return f'<label>{title} <select data-key="{name}"><option value="">all</option>{options}</select></label>'


def figure(card: Card) -> str:
    """A card."""
    name = card.id or card.family
    keys = " ".join(f'data-{key}="{text(getattr(card, key))}"' for key in FILTERS)
    words = text(f"{name} {card.summary} {card.paper}".lower())
    facts = [("Task", card.task), ("Data", card.dataset), ("Licence", card.licence), ("Scores", ", ".join(card.scores))]
    listed = "".join(f"<dt>{k}</dt><dd>{text(v)}</dd>" for k, v in facts if v)
    return f"""<article {keys} data-words="{words}">
{picture(card)}{player(card)}<h2>{text(name)}</h2>
<p>{text(card.summary)}</p>
<p class=quiet>{text(card.paper)}</p>
<dl>{listed}</dl>
<div class=line><code tabindex=0>{text(card.command)}</code><button type=button>Copy</button></div>
</article>"""


def picture(card: Card) -> str:
    """Samples inside the page; nothing where there are none."""
    if not card.samples:
        return ""
    data = base64.b64encode(card.samples).decode()
    return f'<img src="data:image/png;base64,{data}" alt="Samples of {text(card.id)}" loading=lazy>\n'


def player(card: Card) -> str:
    """What can be heard of them, inside the page."""
    if not card.recording or len(card.recording) > HEARD:
        return ""
    data = base64.b64encode(card.recording).decode()
    label = f"Sounds of {text(card.id)}"
    return f'<audio controls preload=metadata src="data:audio/wav;base64,{data}" aria-label="{label}"></audio>\n'


SCRIPT = """
const cards = [...document.querySelectorAll('article')], selects = [...document.querySelectorAll('select')];
const search = document.querySelector('input'), shown = document.querySelector('output');
function filter() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const card of cards)
    card.hidden = !(words.every(word => card.dataset.words.includes(word)) &&
      selects.every(select => !select.value || card.dataset[select.dataset.key] === select.value));
  shown.textContent = cards.filter(card => !card.hidden).length + ' shown';
}
function copy(button) {
  const code = button.previousElementSibling, range = document.createRange();
  range.selectNodeContents(code);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  const done = () => { button.textContent = 'Copied'; setTimeout(() => button.textContent = 'Copy', 1500); };
  const old = () => document.execCommand('copy') && done();
  navigator.clipboard ? navigator.clipboard.writeText(code.textContent).then(done, old) : old();
}
document.querySelector("form").addEventListener("submit", event => event.preventDefault());
search.addEventListener('input', filter);
selects.forEach(select => select.addEventListener('change', filter));
document.addEventListener('click', event => event.target.matches('.line button') && copy(event.target));
filter();
"""

STYLE = """
:root { --ground: #fdfdfc; --ink: #1c1d1f; --quiet: #63666b; --rule: #e3e3e0; --panel: #f5f5f2; --accent: #2563b0; }
@media (prefers-color-scheme: dark) { :root { --ground: #16171a; --ink: #e7e7e4; --quiet: #9b9ea4; --rule: #303236;
  --panel: #1f2124; --accent: #7ab3f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Noto Sans", "DejaVu Sans",
  sans-serif; }
header, main { max-width: 80rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; }
.quiet, dt, output { color: var(--quiet); }
form { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; margin-top: 1rem; align-items: end; }
label { display: grid; gap: .2rem; font-size: .9rem; color: var(--quiet); }
input, select, button { font: inherit; color: var(--ink); background: var(--panel); border: 1px solid var(--rule);
  border-radius: 6px; padding: .4rem .6rem; min-height: 2.6rem; max-width: 15rem; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: 1.25rem;
  align-items: start; }
article { border: 1px solid var(--rule); border-radius: 8px; padding: 1rem; min-width: 0; }
article[hidden] { display: none; }
article img { width: 100%; height: auto; display: block; border-radius: 4px; image-rendering: pixelated; }
article audio { width: 100%; display: block; margin-top: .5rem; }
h2 { font-size: 1.1rem; margin: .6rem 0 0; overflow-wrap: anywhere; }
article p { margin: .25rem 0; font-size: .92rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; margin: .5rem 0; font-size: .9rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.line { display: flex; gap: .5rem; align-items: stretch; }
code { flex: 1; min-width: 0; background: var(--panel); border-radius: 6px; padding: .5rem .6rem;
  overflow-wrap: anywhere; font: .82rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
"""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ganzoo gallery</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>ganzoo gallery</h1>
<p class=quiet>{count}. Each command makes what its card shows, or trains what has no weights yet.</p>
<form role=search>
<label>Name <input type=search autocomplete=off></label>
{filters}
<output aria-live=polite></output>
</form>
</header>
<main>
{body}
</main>
<script>{script}</script>
</body>
</html>
"""
