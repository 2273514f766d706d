"""What one visitor may ask for at once. Whoever wants more has the command line, which every page shows."""

from __future__ import annotations

PICTURES = 64  # samples of one press
PIXELS = 4_000_000  # of all samples of one press together
SIDE = 256  # pixels of the longer side of a picture that is given; larger ones are made smaller
UPLOAD = 8 * 2**20  # bytes of a file, and of any request
FRAMES = 48  # of a clip that is given
SOUND = 2 * 2**20  # bytes of a file that is no picture
POINT = 2**20  # bytes of a point of a latent space
LETTERS = 200  # of a text
SEED = 2**31 - 1  # a browser counts no further than 2 ** 53
STEPS = 24  # of a walk
SEARCH = 100  # steps of a search
SECONDS = 120  # of a search, which is a process of its own
SAMPLING = 60  # seconds of all else that is computed
WAITING = 200  # presses in the queue; the next one is told to come back
AT_ONCE = 2  # presses that are computed at the same time, of all visitors together
SEARCHES = 1  # searches at the same time, beside them
LOADED = 6  # models in memory
UNNAMED = 30  # seconds that an upload is kept which no press uses
MINUTES = 10  # that anything is kept, at most
