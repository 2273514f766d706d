"""Licences: SPDX expressions checked, and the Hub's own words for them."""

from __future__ import annotations

import re

from ganzoo_core.errors import GanzooError, UnknownNameError, escape

# SPDX identifier -> the Hub's, "" where it has none. Those that weights, code and data sets are published under.
HUB = {
    "Apache-2.0": "apache-2.0", "MIT": "mit", "ISC": "isc", "Zlib": "zlib", "Unlicense": "unlicense", "WTFPL": "wtfpl",
    "0BSD": "", "BSD-2-Clause": "bsd-2-clause", "BSD-3-Clause": "bsd-3-clause",
    "BSD-3-Clause-Clear": "bsd-3-clause-clear", "BSL-1.0": "bsl-1.0", "NCSA": "ncsa", "PostgreSQL": "postgresql",
    "AFL-3.0": "afl-3.0", "Artistic-2.0": "artistic-2.0", "ECL-2.0": "ecl-2.0", "EPL-1.0": "epl-1.0",
    "EPL-2.0": "epl-2.0", "EUPL-1.1": "eupl-1.1", "EUPL-1.2": "eupl-1.2", "MPL-2.0": "mpl-2.0", "MS-PL": "ms-pl",
    "OSL-3.0": "osl-3.0", "OFL-1.1": "ofl-1.1", "LPPL-1.3c": "lppl-1.3c",
    "GPL-2.0-only": "gpl-2.0", "GPL-2.0-or-later": "gpl-2.0", "GPL-3.0-only": "gpl-3.0", "GPL-3.0-or-later": "gpl-3.0",
    "LGPL-2.1-only": "lgpl-2.1", "LGPL-2.1-or-later": "lgpl-2.1", "LGPL-3.0-only": "lgpl-3.0",
    "LGPL-3.0-or-later": "lgpl-3.0", "AGPL-3.0-only": "agpl-3.0", "AGPL-3.0-or-later": "agpl-3.0",
    "CC0-1.0": "cc0-1.0", "CC-BY-2.0": "cc-by-2.0", "CC-BY-3.0": "cc-by-3.0", "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-3.0": "cc-by-sa-3.0", "CC-BY-SA-4.0": "cc-by-sa-4.0", "CC-BY-NC-2.0": "cc-by-nc-2.0",
    "CC-BY-NC-3.0": "cc-by-nc-3.0", "CC-BY-NC-4.0": "cc-by-nc-4.0", "CC-BY-ND-4.0": "cc-by-nd-4.0",
    "CC-BY-NC-ND-4.0": "cc-by-nc-nd-4.0", "CC-BY-NC-SA-3.0": "cc-by-nc-sa-3.0", "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
    "CDLA-Permissive-1.0": "cdla-permissive-1.0", "CDLA-Permissive-2.0": "cdla-permissive-2.0",
    "CDLA-Sharing-1.0": "cdla-sharing-1.0", "ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl",
    "etalab-2.0": "etalab-2.0",
}  # fmt: skip
BY_LOWER = {name.lower(): name for name in HUB}
OWN = re.compile(r"LicenseRef-[A-Za-z0-9.-]{1,64}")


def spdx(text: str) -> str:
    """An SPDX expression in its canonical spelling: identifiers, LicenseRef-..., joined by AND and OR.

    Errors: UnknownNameError for an identifier that is none, GanzooError for what is no expression.
    """
    words = text.split()
    if len(words) % 2 == 0 or len(text) > 200 or any(word.upper() not in ("AND", "OR") for word in words[1::2]):
        raise GanzooError(f"licence {escape(text, 60)!r}: is no SPDX expression", "For example MIT or Apache-2.0.")
    return " ".join(word.upper() if i % 2 else identifier(word) for i, word in enumerate(words))


def identifier(word: str) -> str:
    if OWN.fullmatch(word):
        return word
    if word.lower() not in BY_LOWER:
        raise UnknownNameError("licence", word, HUB, "An SPDX identifier, or LicenseRef-NAME for one of your own.")
    return BY_LOWER[word.lower()]


def restrictions(expression: str) -> str:
    """What to beware of before weights under this licence are used or passed on; "" where there is nothing."""
    words = expression.split()
    if any("-NC-" in f"{word}-" for word in words):
        return f"{expression} allows no commercial use"
    if any("NOASSERTION" in word or "unknown" in word.lower() for word in words):
        return "nobody knows under which terms these weights may be used"
    if any(word.startswith("LicenseRef-") for word in words):
        return f"{expression} is no licence that SPDX knows: read its terms"
    return ""


def hub_licence(expression: str) -> dict[str, str]:
    """A model card's `license`, and its `license_name` where the Hub has no word for it."""
    known = HUB.get(expression)
    if known:
        return {"license": known}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", expression.lower()).strip("-")}
