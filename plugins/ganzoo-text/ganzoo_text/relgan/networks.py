"""RelGAN's networks: a relational memory that writes, and D, which reads a line in many embeddings at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import embedding as looked_up

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_text.kinds import lines_of
from ganzoo_text.language import Writer
from ganzoo_text.relgan.memory import RelationalMemory
from ganzoo_text.windows import filters, fitting, seen


class D(Discriminator):
    """A line in S embeddings of its words, each seen through the same windows: a score for each.  [N, S]"""

    def __init__(
        self, words: int, parts: int, size: int, windows: Sequence[int], widths: Sequence[int], hidden: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.parts, features = parts, sum(widths)
        self.embed = nn.Linear(words, parts * size, bias=False)  # of soft words: no line of a table is looked up
        self.convs, self.highway = filters(size, windows, widths), nn.Linear(features, features)
        self.judge = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, hidden), nn.Linear(hidden, 1))

    def embedded(self, x: Tensor) -> Tensor:
        """Words by their numbers [N, L], or soft ones [N, L, V].  [N, L, S size]"""
        return self.embed(x) if x.is_floating_point() else looked_up(x, self.embed.weight.T)

    def forward(self, x: Tensor) -> Tensor:
        """Of words by their numbers, int64 [N, L], or soft ones [N, L, V]."""
        e = self.embedded(x)
        each = e.view(*e.shape[:2], self.parts, -1).permute(0, 2, 3, 1).flatten(0, 1)  # [N S, size, L]
        return self.judge(seen(each, self.convs, self.highway)).view(len(x), self.parts)


def networks(
    *,
    words: Annotated[int, "known, word 0 among them: the data say it"] = 5_000,
    tokenizer: Annotated[str, "how lines become words and come back, JSON: the data say it"] = "",
    length: Annotated[int, "words of a line: the data say it"] = 20,
    embedding: Annotated[int, "numbers of a word, to G"] = 32,
    slots: Annotated[int, "of G's memory"] = 1,
    heads: Annotated[int, "of its attention"] = 2,
    head_size: Annotated[int, "numbers of a slot, to each head"] = 256,
    parts: Annotated[int, "embeddings that D reads a line in, S"] = 64,
    part_size: Annotated[int, "numbers of a word in each of them"] = 1,
    windows: Annotated[tuple[int, ...], "words that D's filters see, longer ones than a line left out"] = (2, 3, 4, 5),
    widths: Annotated[tuple[int, ...], "filters of each window"] = (300, 300, 300, 300),
    d_hidden: Annotated[int, "units of D's last layer but one"] = 100,
    dropout: Annotated[float, "share of D's features that are left out"] = 0.25,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if min(slots, heads, head_size, parts, part_size) < 1 or slots > heads * head_size:
        raise GanzooError(f"slots {slots}: from 1 to heads x head_size, and all others at least 1")
    output = lines_of(words, tokenizer, length)
    kept, numbers = fitting(windows, widths, length)
    return {
        "G": Writer(output, RelationalMemory(words, embedding, slots, heads, head_size)),
        "D": D(words, parts, part_size, kept, numbers, d_hidden, dropout),
    }
