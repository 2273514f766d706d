"""The core's own views of data, as records: no torch. A plugin adds others with the hook `ganzoo_views`."""

from __future__ import annotations

from ganzoo_core.plugin.records import View

HERE = "ganzoo_core.data.views"
VIEWS: tuple[View, ...] = (
    View("masked", "with the central box of half the side as a hole", f"{HERE}.masks:Masked", ("mask",)),
    View("masked_regions", "with random regions as holes", f"{HERE}.masks:MaskedRegions", ("mask",)),
    View("x2", "and small copies, half the sides", f"{HERE}.resolution:halved", ("low",)),
    View("x4", "and small copies, a quarter of the sides", f"{HERE}.resolution:quartered", ("low",)),
    View("paired", "two folders A::B with the same names, or one of pairs side by side", f"{HERE}.pairs:open_paired",
         ("a", "b"), of_path=True),
    View("unpaired", "two folders A::B, each of one domain", f"{HERE}.pairs:open_unpaired", ("a", "b"), of_path=True),
    View("crops", "random crops of large pictures", f"{HERE}.whole:open_crops", of_path=True),
    View("padded", "whole pictures on white squares", f"{HERE}.whole:open_padded", of_path=True),
    View("stretched", "whole pictures, stretched to squares", f"{HERE}.whole:open_stretched", of_path=True),
    View("swapped", "a and b exchanged: pairs the other way round", f"{HERE}.pairs:Swapped", ("a", "b")),
    View("captions", "a folder with captions", f"{HERE}.captions:open_captions", ("text",), of_path=True),
    View("aging", "a folder of people whose ages names or ages.csv tell, in ten groups", f"{HERE}.ages:open_ten",
         ("age", "attribute", "identity"), of_path=True),
    View("aging6", "likewise, in six groups", f"{HERE}.ages:open_six", ("age", "attribute", "identity"), of_path=True),
    View("videos", "a folder of GIFs, films or folders of frames: clips of 16 frames", f"{HERE}.videos:open_videos",
         ("video",), of_path=True),
    View("videos8", "likewise of 8 frames", f"{HERE}.videos:open_videos8", ("video",), of_path=True),
    View("videos32", "likewise of 32 frames", f"{HERE}.videos:open_videos32", ("video",), of_path=True),
)  # fmt: skip
