"""How the page looks: system fonts, small pictures enlarged without smoothing, one column on a phone; a script."""

from __future__ import annotations

STYLE = """
.gz-head h1 { font-size: 1.5rem; margin: 0; }
.gz-head p, .gz-quiet, .gz-figure figcaption { margin: .25rem 0;
  color: color-mix(in srgb, var(--body-text-color) 72%, transparent); }
.gz-figure { margin: 0 0 1rem; }
.gz-image { display: block; max-width: 100%; height: auto; border-radius: 4px; }
.gz-pixels { width: min(100%, 24rem); image-rendering: pixelated; }
.gz-figure audio { width: 100%; max-width: 30rem; display: block; margin-bottom: .5rem; }
.gz-slide { width: min(100%, 32rem); --at: 50%; }
.gz-both { position: relative; }
.gz-both img { width: 100%; display: block; }
.gz-both img + img { position: absolute; inset: 0; height: 100%; clip-path: inset(0 0 0 var(--at)); }
.gz-slide input { width: 100%; margin: .5rem 0 0; min-height: 1.75rem; }
.gz-scroll { overflow: auto; max-height: 26rem; }
.gz-scroll table, .gz-facts { border-collapse: collapse; font-size: .9rem; }
.gz-scroll th, .gz-scroll td, .gz-facts th, .gz-facts td { text-align: left; padding: .3rem .8rem .3rem 0;
  border: solid var(--border-color-primary) !important; border-width: 1px 0 0 !important; vertical-align: top;
  overflow-wrap: anywhere; }
.gz-facts th { font-weight: 600; min-width: 8rem; }
.gz-facts, .gz-facts tbody, .gz-facts tr { border: 0 !important; }
.gz-facts td:nth-child(2):not(:last-child) { white-space: nowrap; }
.gz-files { margin: 0 0 1rem; padding-left: 1.2rem; }
.gz-files li { padding: .2rem 0; overflow-wrap: anywhere; }
.gz-given a { pointer-events: none; } /* the file is no longer there */
.gz-words { white-space: pre-wrap; }
.gz-pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 1.5rem; }
.gz-run { width: 100%; height: 75vh; border: 1px solid var(--border-color-primary); border-radius: 4px; }
button:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible, [tabindex]:focus-visible {
  outline: 2px solid var(--color-accent); outline-offset: 2px; }
@media (max-width: 40rem) {
  .gradio-container { padding: .5rem !important; }
  .gz-facts, .gz-facts tbody, .gz-facts tr, .gz-facts th, .gz-facts td { display: block; width: 100%; }
  .gz-facts td { border: 0 !important; padding-top: 0; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
"""

# The slider from before to after. The policy lets no handler run that stands in markup.
SCRIPT = """
document.addEventListener('input', event => {
  const slide = event.target.closest('.gz-slide');
  if (slide) slide.style.setProperty('--at', event.target.value + '%');
});
"""
