"""The catalogues that briefs are told in: open to all, for they hold words and no fact."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from farolito.console.services import Services
from farolito.console.signed_in import OPEN
from farolito.desk import NotFound

LANGUAGE = "language"  # the key under which a catalogue gives its own name


@get("/api/words", opt=OPEN)
async def languages(services: NamedDependency[Services]) -> dict[str, Any]:
    words = services.words
    return {
        "languages": [
            {"language": tag, "name": words.catalogue(tag).get(LANGUAGE, tag)}
            for tag in words.languages
        ]
    }


@get("/api/words/{language:str}", opt=OPEN)
async def catalogue(
    language: FromPath[str], services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    words = services.words
    if language not in words.languages:
        raise NotFound(f"no catalogue {language!r}", f"choose one of {', '.join(words.languages)}")
    texts = words.catalogue(language)
    return Response(
        {"language": language, "name": texts.get(LANGUAGE, language), "words": texts},
        headers={"Cache-Control": "no-cache"},
    )


ROUTES = [languages, catalogue]
