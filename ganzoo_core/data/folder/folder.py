"""Any folder of images as a data set: flat, or one sub-folder per class; and one image alone."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import BinaryIO, Literal, TypeVar

import torch
from torch import Tensor

from ganzoo_core.data.dataset import KEPT_BYTES, WARNING, Dataset, DatasetInfo
from ganzoo_core.data.folder import rows
from ganzoo_core.data.folder.archive import is_archive, open_archive
from ganzoo_core.data.folder.directory import LEAVES, Directory
from ganzoo_core.data.folder.labels import read_labels
from ganzoo_core.data.folder.listing import Bad, Listing, list_images, refuse_splits
from ganzoo_core.data.folder.places import Place
from ganzoo_core.data.kept import Kept, room_for
from ganzoo_core.data.pixels import taken, to_float
from ganzoo_core.decoding import BadImage, Cut, Header, decode, inspect, span
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.files import as_text

SIZE = 64
EAGER_PIXELS = 1 << 29  # sets whose files have fewer pixels in all are decoded when they are opened: seconds
OnBad = Literal["refuse", "skip"]
Item = TypeVar("Item")
Result = TypeVar("Result")
NAMED = 10  # bad files and endings that notes name
PROBED = 8  # pictures of 16 bits that are looked at
NARROW = 1 / 8  # of their range: a part so small that they come out nearly flat


def open_folder(
    path: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    on_bad_image: OnBad = "refuse",
    follow_links: bool = False,
    cut: Cut | None = None,
) -> Folder:
    """A folder or an archive of images, or one image: x [n, C, size, size] in [-1, 1], and label [n] if it has classes.

    Classes are its sub-folders, or those of a table of labels that lies in it. Of each image the centre square is
    served, or what `cut` makes of it. Unless asked, the size is that of the images if all share one square size, else
    64; they are gray if all are. Every file is checked first, by its header and its end; small sets are decoded at
    once, others when first used. Raises GanzooError (2) that names the first three bad files, or leaves them out
    (`skip`) and says so in the folder's notes.
    """
    listing = _listed(path, follow_links)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, over strangers' files: what matters is an error here
        checked = _Checked(path, listing, on_bad_image == "skip", cut)
        checked.inspect()
        if not listing.alone:
            checked.label()
        return checked.folder(image_size, channels)


class Folder(Dataset):
    """Images by name. Kept as uint8 once decoded: in memory if all take less than 512 MB, else in a memory map."""

    bad: Sequence[Bad] = ()  # files that were left out
    file_notes: tuple[str, ...] = ()  # those of its notes that are of the files, however they are cut

    def __init__(
        self,
        place: Place,
        names: list[str],
        labels: Tensor | None,
        info: DatasetInfo,
        kept: Kept | None,
        cut: Cut | None,
    ) -> None:
        self.place, self.names, self.labels, self.info, self.cut = place, names, labels, info, cut
        self._kept = kept

    def __len__(self) -> int:
        return len(self.names)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = torch.as_tensor(indices, dtype=torch.int64)
        batch = {"x": to_float(self._pixels(at))}
        return batch if self.labels is None else batch | {"label": self.labels[at]}

    def keep(self, index: int, pixels: Tensor) -> None:
        """Remembers what an image decoded to, if there is room for all."""
        if self._kept is not None:
            self._kept.keep(index, pixels)

    def _pixels(self, at: Tensor) -> Tensor:
        if self._kept is None:
            return torch.stack([self._decoded(i) for i in at.tolist()])
        for i in sorted(set(at[~taken(self._kept.ready, at)].tolist())):
            self.keep(i, self._decoded(i))
        return taken(self._kept.pixels, at)

    def _decoded(self, index: int) -> Tensor:
        info = self.info
        with read_from(self.place, self.names[index]) as file:
            return _decoded(file, info.image_size or SIZE, info.channels or 3, self.cut)


@contextmanager
def read_from(place: Place, name: str) -> Iterator[BinaryIO]:
    """A file that was sound when its place was opened.

    Errors: GanzooError where it has turned bad, ExternalError where it cannot be read.
    """
    try:
        with place.open(name) as file:
            yield file
    except OSError as error:
        raise ExternalError(
            f"{escape(place.where(name))}: could be read before and cannot now: {error.strerror}",
            "Restore it; a run goes on where it was saved with --resume.",
        ) from error
    except BadImage as error:
        raise GanzooError(f"{escape(place.where(name))}: {error}", "Replace or remove it.") from error


def _decoded(file: BinaryIO, size: int, channels: int, cut: Cut | None) -> Tensor:
    pixels: Tensor = torch.from_numpy(decode(file, size, channels, cut))
    return pixels


def are_many(path: str) -> bool:
    """Whether pictures of one's own are asked for, and not one: a folder of them, an archive, rows."""
    return path.startswith(rows.PREFIX) or os.path.isdir(path) or is_archive(path)


def _listed(path: str, follow_links: bool) -> Listing:
    """What a folder, an archive or a data set of the Hub holds; any other file is taken for one image."""
    if path.startswith(rows.PREFIX):
        return rows.list_rows(path)
    if os.path.isdir(path):
        return list_images(Directory(path, follow_links=follow_links))
    if is_archive(path):
        return list_images(open_archive(path))
    folder, name = os.path.split(os.path.abspath(path))
    return Listing(Directory(folder), [name], alone=True)


class _Checked:
    """A listing on its way to a Folder: files are inspected, then perhaps decoded, and the bad ones weeded out."""

    def __init__(self, path: str, listing: Listing, skip: bool, cut: Cut | None) -> None:
        self.path, self.listing, self.skip, self.cut = path, listing, skip, cut
        self.total = len(listing.names) + len(listing.bad)
        self.headers: list[Header] = []
        self.table = ""  # of labels

    def inspect(self) -> None:
        """Headers of all files, and pixels of those whose end looks wrong: 60 us a file, and threads only cost."""
        results = [_or_bad(self.listing.place, name, _sound) for name in self.listing.names]
        self._weed(results)
        self.headers = [result for result in results if isinstance(result, Header)]

    def label(self) -> None:
        """Labels of a table, where there is one; sub-folders are classes unless they are plainly something else."""
        self.table = read_labels(self.listing)
        if not self.table:
            refuse_splits(self.listing)

    def folder(self, image_size: int | None, channels: int | None) -> Folder:
        size = image_size or _shared_size(self.headers) or SIZE
        channels = channels or (1 if all(header.gray for header in self.headers) else 3)
        room = len(self.headers) * channels * size * size <= KEPT_BYTES
        pixels = None
        if room and sum(header.width * header.height for header in self.headers) <= EAGER_PIXELS:
            pixels = self._decode(size, channels)
        return self._built(self._facts(size, channels), pixels)

    def _decode(self, size: int, channels: int) -> list[Tensor]:
        look = partial(_decoded, size=size, channels=channels, cut=self.cut)
        results = list(_in_threads(lambda name: _or_bad(self.listing.place, name, look), self.listing.names))
        self.headers = [h for h, result in zip(self.headers, results, strict=True) if not isinstance(result, Bad)]
        self._weed(results)
        return [result for result in results if isinstance(result, Tensor)]

    def _built(self, info: DatasetInfo, pixels: list[Tensor] | None) -> Folder:
        listing = self.listing
        labels = torch.tensor(listing.labels) if listing.classes else None
        shape = (len(listing.names), info.channels or 3, info.image_size or SIZE, info.image_size or SIZE)
        folder = Folder(listing.place, listing.names, labels, info, room_for(shape, KEPT_BYTES), self.cut)
        for index, image in enumerate(pixels or []):
            folder.keep(index, image)
        folder.bad, folder.skipped = listing.bad, len(listing.bad)
        folder.file_notes = (*self._counted(), *self._flat(), *self._labelled())
        folder.notes = (*folder.file_notes, *self._reshaped())
        return folder

    # What its user should know

    def _counted(self) -> Iterator[str]:
        """How many pictures are used, where it is not all of them."""
        listing = self.listing
        total = self.total + listing.unread
        if len(listing.names) < total:
            yield f"{len(listing.names):,} of {total:,} images are used"
        if listing.passed:
            yield f"passed over: {listing.passed_over(NAMED)}"
        if listing.bad:
            yield f"left out: {_named(listing.bad, NAMED)}"

    def _flat(self) -> Iterator[str]:
        """Whether pictures of 16 bits use so little of them that they come out nearly of one colour."""
        deep = [n for n, header in zip(self.listing.names, self.headers, strict=True) if header.deep][:PROBED]
        spans = [_or_bad(self.listing.place, name, span) for name in deep]
        widest = max((s for s in spans if isinstance(s, float)), default=1.0)
        if widest < NARROW:
            what = f"its pictures of 16 bits use {100 * widest:.1f} % of their range and come out nearly flat"
            yield f"{WARNING}{what}: stretch them to 0..65535, or save them with 8 bits"

    def _labelled(self) -> Iterator[str]:
        if self.table:
            yield f"labels are those of {escape(os.path.basename(self.table))}"

    def _reshaped(self) -> Iterator[str]:
        """What the files' pictures are, where they are not served as they are."""
        sizes = sorted({(header.width, header.height) for header in self.headers}, key=lambda s: (s[0] * s[1], s))
        found = " to ".join(dict.fromkeys(f"{w}x{h}" for w, h in (sizes[0], sizes[-1])))
        if self.cut is None and any(w != h for w, h in sizes):
            yield f"files of {found} px, cut to squares about the centre; padded:DATA or stretched:DATA keep all of it"
        elif len(sizes) > 1:
            yield f"files of {found} px"

    def _facts(self, size: int, channels: int) -> DatasetInfo:
        listing = self.listing
        return DatasetInfo(
            name=listing.title or as_text(os.path.basename(os.path.abspath(self.path))),
            keys=frozenset({"x", "label"} if listing.classes else {"x"}),
            image_size=size,
            channels=channels,
            classes=len(listing.classes) or None,
            class_names=tuple(map(as_text, listing.classes)),
            licence="",
            fingerprint=self._fingerprint(size, channels),
        )

    def _fingerprint(self, size: int, channels: int) -> str:
        """Of names, lengths and both ends (4 KiB) of all files: whole files would take minutes for a large folder."""
        cut = f"{self.cut.__name__};" if self.cut else ""
        digest = sha256(f"folder;{cut}{size};{channels};{len(self.headers)};".encode())
        for name, header in zip(self.listing.names, self.headers, strict=True):
            digest.update(os.fsencode(name) + b"\0" + header.digest)
        if self.table:
            digest.update(repr((self.listing.classes, self.listing.labels)).encode("utf-8", "backslashreplace"))
        return digest.hexdigest()

    def _weed(self, results: Sequence[object]) -> None:
        """Moves the files whose result is Bad out of the listing, and refuses them unless they are to be skipped."""
        listing = self.listing
        good = [i for i, result in enumerate(results) if not isinstance(result, Bad)]
        listing.bad += [result for result in results if isinstance(result, Bad)]
        listing.names = [listing.names[i] for i in good]
        listing.labels = [listing.labels[i] for i in good] if listing.labels else []
        if listing.bad and not self.skip:
            raise self._refusal("cannot be used")
        if not listing.names:
            raise self._refusal("cannot be used, which leaves none")
        self._refuse_empty_classes()

    def _refuse_empty_classes(self) -> None:
        listing = self.listing
        empty = set(range(len(listing.classes))) - set(listing.labels)
        if empty:
            names = ", ".join(escape(listing.classes[i]) for i in sorted(empty)[:3])
            raise GanzooError(
                f"{self.listing.place}: {len(empty)} of {len(listing.classes)} classes have no images ({names})",
                "Fill or remove these folders.",
            )

    def _refusal(self, what: str) -> GanzooError:
        bad = self.listing.bad
        if self.total == 1:
            return GanzooError(f"image {escape(self.listing.place.where(bad[0].name))}: {bad[0].why}")
        follow = ", or pass --follow-links" if any(file.why == LEAVES for file in bad) else ""
        return GanzooError(
            f"{self.listing.place}: {len(bad):,} of {self.total:,} images {what}: {_named(bad, 3)}",
            "" if self.skip else f"Replace or remove them{follow}, or go on without them: --on-bad-image skip.",
        )


def _named(bad: Sequence[Bad], most: int) -> str:
    """The first of some bad files, and how many more there are."""
    named = ", ".join(f"{escape(file.name, 80)} ({file.why})" for file in bad[:most])
    return named + (f" and {len(bad) - most:,} more" if len(bad) > most else "")


def _sound(file: BinaryIO) -> Header:
    header = inspect(file)
    if header.suspect:
        decode(file, 1, 1)
    return header


def _or_bad(place: Place, name: str, look: Callable[[BinaryIO], Result]) -> Result | Bad:
    try:
        with place.open(name) as file:
            return look(file)
    except BadImage as error:
        return Bad(name, str(error))
    except OSError as error:
        return Bad(name, f"cannot be read: {(error.strerror or 'unknown fault').lower()}")


def _shared_size(headers: list[Header]) -> int | None:
    sizes = {(header.width, header.height) for header in headers}
    width, height = sizes.pop()
    return width if not sizes and width == height else None


def _in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """In order, several at a time. In lots: a million waiting calls would take more memory than the images."""
    source = iter(items)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        while lot := list(islice(source, 1024)):
            yield from pool.map(work, lot)
