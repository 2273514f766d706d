"""SeqGAN's networks: a recurrent language G, and D, which looks at lines through windows of many lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn

from ganzoo_core.nn import Discriminator
from ganzoo_text.kinds import Lines, lines_of
from ganzoo_text.language import Language, Writer
from ganzoo_text.windows import filters, fitting, seen
from ganzoo_text.words import spaced


class G(Writer):
    """The LSTM that writes; its first weights are N(0, 0.1)."""

    language: Language

    def __init__(self, output: Lines, words: int, embedding: int, hidden: int) -> None:
        super().__init__(output, Language(words, embedding, hidden))
        for w in self.parameters():
            nn.init.normal_(w, 0, 0.1)


class D(Discriminator):
    """Zhang & LeCun's text CNN: windows of several lengths over embedded words, max over time, a highway.  [N]

    Its score is the difference of the two logits, real and not.
    """

    def __init__(
        self, words: int, embedding: int, windows: Sequence[int], widths: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, embedding)
        self.convs = filters(embedding, windows, widths)
        self.highway, self.dropout = nn.Linear(sum(widths), sum(widths)), nn.Dropout(dropout)
        self.out = nn.Linear(sum(widths), 2)

    def features(self, x: Tensor) -> Tensor:
        """Of words [N, L], what the windows see.  [N, F]"""
        return seen(self.embed(x).transpose(1, 2), self.convs, self.highway)

    def forward(self, x: Tensor) -> Tensor:
        real, made = self.out(self.dropout(self.features(x))).unbind(1)
        return real - made


WINDOWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
WIDTHS = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)


def networks(
    *,
    words: Annotated[int, "known, word 0 among them: the data say it"] = 5_000,
    tokenizer: Annotated[str, "how lines become words and come back, JSON: the data say it"] = "",
    vocabulary: Annotated[tuple[str, ...], "words between spaces, in place of a tokenizer: models of 0.2.0"] = (),
    length: Annotated[int, "words of a line: the data say it"] = 20,
    embedding: Annotated[int, "numbers of a word, to G"] = 32,
    hidden: Annotated[int, "units of G's LSTM"] = 32,
    d_embedding: Annotated[int, "numbers of a word, to D"] = 64,
    windows: Annotated[tuple[int, ...], "words that D's filters see, longer ones than a line left out"] = WINDOWS,
    widths: Annotated[tuple[int, ...], "filters of each window"] = WIDTHS,
    dropout: Annotated[float, "share of D's features that are left out"] = 0.25,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    output = lines_of(words, tokenizer or (spaced(vocabulary) if vocabulary else ""), length)
    kept, numbers = fitting(windows, widths, length)
    return {
        "G": G(output, words, embedding, hidden),
        "D": D(words, d_embedding, kept, numbers, dropout),
    }
