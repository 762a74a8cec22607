"""Who issued a plate: the two-letter code of a state, province or territory."""

from __future__ import annotations

_NAMES = {
    "AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california",
    "CO": "colorado", "CT": "connecticut", "DE": "delaware", "DC": "district of columbia",
    "FL": "florida", "GA": "georgia", "HI": "hawaii", "ID": "idaho", "IL": "illinois",
    "IN": "indiana", "IA": "iowa", "KS": "kansas", "KY": "kentucky", "LA": "louisiana",
    "ME": "maine", "MD": "maryland", "MA": "massachusetts", "MI": "michigan", "MN": "minnesota",
    "MS": "mississippi", "MO": "missouri", "MT": "montana", "NE": "nebraska", "NV": "nevada",
    "NH": "new hampshire", "NJ": "new jersey", "NM": "new mexico", "NY": "new york",
    "NC": "north carolina", "ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon",
    "PA": "pennsylvania", "RI": "rhode island", "SC": "south carolina", "SD": "south dakota",
    "TN": "tennessee", "TX": "texas", "UT": "utah", "VT": "vermont", "VA": "virginia",
    "WA": "washington", "WV": "west virginia", "WI": "wisconsin", "WY": "wyoming",
    "PR": "puerto rico", "GU": "guam", "VI": "virgin islands", "AS": "american samoa",
    "MP": "northern mariana islands", "AB": "alberta", "BC": "british columbia",
    "MB": "manitoba", "NB": "new brunswick", "NL": "newfoundland", "NS": "nova scotia",
    "ON": "ontario", "PE": "prince edward island", "QC": "quebec", "SK": "saskatchewan",
    "YT": "yukon", "NT": "northwest territories", "NU": "nunavut",
}  # fmt: skip
_CODES = {name: code for code, name in _NAMES.items()}


def state_code(text: str | None) -> str | None:
    """`NM` from `nm`, `us-nm`, `US_NM`, `new_mexico`, `New Mexico`; None where it names no state.

    A country alone (`USA`) or an index says nothing of the state: unknown is a value, a guess is
    not.
    """
    if not text:
        return None
    words = text.strip().lower().replace("_", " ").replace("-", " ").split()
    if len(words) > 1 and words[0] in {"us", "usa", "ca", "can"}:
        words = words[1:]
    joined = " ".join(words)
    if joined.upper() in _NAMES:
        return joined.upper()
    return _CODES.get(joined)
