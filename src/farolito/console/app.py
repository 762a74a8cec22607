"""The web application: routes, error answers, headers, static files."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any, cast

from litestar import Litestar, MediaType, Request, Response, WebSocket, get, websocket
from litestar.config.compression import CompressionConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, asgi
from litestar.types import Message, Receive, Scope, Send
from msgspec import ValidationError
from starlette.staticfiles import StaticFiles

from farolito.console.routes import (
    admin,
    agreements,
    alerts,
    briefs,
    cameras,
    clips,
    health,
    incidents,
    ledger,
    lists,
    oidc,
    owner,
    partners,
    people,
    pictures,
    public,
    push,
    review,
    search,
    session,
    shared,
    shots,
    shots_reach,
    timings,
    tour,
    walls,
    watch,
    words,
)
from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker, Forged, SignedOut, asker_of
from farolito.console.sockets import Live
from farolito.desk import Conflict, NotFound, NotListened
from farolito.gate import AWAY, LedgerDown
from farolito.model import Away, FarolitoError, Refused
from farolito.review.desk import Decided, NoReview

Connection = ASGIConnection[Any, Any, Any, Any]

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 2**20  # a list's import alone takes more
# Sockets, and files that are read by ranges: a range of a compressed file is another one.
UNCOMPRESSED = ["/tiles", "/api/live", "/api/clips/.*/file"]
PAGES = (
    "brief",
    "audit",
    "health",
    "timings",
    "shots",
    "wall",
    "owner",
    "agreements",
    "search",
    "review",
    "metro",
)
MANIFEST = "application/manifest+json"
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; worker-src 'self' blob:; img-src 'self' blob: data:;"
        " media-src 'self' blob:;"
        " style-src 'self' 'unsafe-inline'; connect-src 'self' {sockets}; frame-ancestors 'none';"
        " base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
}
_HOST = re.compile(r"[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\]")
_STATUS: Mapping[type[FarolitoError], int] = {
    NotListened: 400,
    SignedOut: 401,
    Refused: 403,
    Forged: 403,
    NotFound: 404,
    NoReview: 404,
    Conflict: 409,
    Decided: 409,
    LedgerDown: 503,
    Away: 503,
}


def make_app(services: Services) -> Litestar:
    """The application over these services. It owns nothing and keeps nothing."""

    async def known(connection: Connection, handler: BaseRouteHandler) -> None:
        """Before anything of a request is read: strangers come no further than the open routes."""
        if handler.opt.get("open_to_all"):
            return
        if connection.scope["path"].startswith("/api/admin/"):
            admin.prove_admin(connection.headers, services)
        else:
            connection.state.asker = await asker_of(connection, services.identity)

    async def asker(request: Request[Any, Any, Any]) -> Asker:
        return cast(Asker, request.state.asker)

    @websocket("/api/live", opt=OPEN)  # it tells a stranger so over the socket itself
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        if not _same_origin(socket, services.origin):
            await socket.close(code=4403)
            return
        await Live(socket, services.hub, services.gate, services.identity, services.clock).run()

    return Litestar(
        route_handlers=[
            *session.ROUTES,
            *oidc.ROUTES,
            *people.ROUTES,
            *alerts.ROUTES,
            *incidents.ROUTES,
            *shots.ROUTES,
            *shots_reach.ROUTES,
            *shared.ROUTES,
            *briefs.ROUTES,
            *timings.ROUTES,
            *tour.ROUTES,
            *words.ROUTES,
            *public.ROUTES,
            *push.ROUTES,
            *agreements.ROUTES,
            *cameras.ROUTES,
            *watch.ROUTES,
            *pictures.ROUTES,
            *walls.ROUTES,
            *owner.ROUTES,
            *partners.ROUTES,
            *clips.ROUTES,
            *lists.ROUTES,
            *search.ROUTES,
            *review.ROUTES,
            *ledger.ROUTES,
            *health.ROUTES,
            *admin.ROUTES,
            live,
            _page("/", services.web / "index.html"),
            *(_page(f"/{name}", services.web / f"{name}.html") for name in PAGES),
            _files("/assets", services.web / "assets"),
            # Starlette's own, because Litestar's ignores Range, and a tile file is read by ranges.
            _files("/tiles", services.tiles),
            _page("/favicon.svg", services.web / "favicon.svg", "image/svg+xml"),
            # What browsers ask for where a page names no icon; they go by the type, not the name.
            _page("/favicon.ico", services.web / "favicon.svg", "image/svg+xml"),
            # At the root, since a service worker serves only what lies beside or below it.
            _page("/sw.js", services.web / "sw.js", "text/javascript"),
            _page("/brief.webmanifest", services.web / "brief.webmanifest", MANIFEST),
        ],
        guards=[known],
        before_send=[_secure(services.origin, services.picture_places)],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "asker": Provide(asker),
        },
        exception_handlers={
            FarolitoError: _say,
            ValidationError: _say_invalid,
            HTTPException: _say_http,
            **dict.fromkeys(AWAY, _say_away),
            Exception: _say_fault,
        },
        compression_config=CompressionConfig(backend="gzip", exclude=UNCOMPRESSED),
        openapi_config=None,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )


def _same_origin(socket: WebSocket[Any, Any, Any], origin: str) -> bool:
    """A socket carries the cookie from any page, so the page's origin is checked here."""
    said = socket.headers.get("origin")
    if said is None:
        return True  # no browser sends none
    host = socket.headers.get("host", "")
    return said == origin or said.partition("://")[2] == host


def _page(path: str, file: Path, media_type: str = MediaType.HTML) -> Any:
    @get(path, media_type=media_type, name=f"page {path}", sync_to_thread=True, opt=OPEN)
    def page() -> Response[bytes]:
        if not file.exists():
            raise NotFound(f"the front end is not built ({file.name})", "run: make web")
        return Response(
            file.read_bytes(), media_type=media_type, headers={"Cache-Control": "no-cache"}
        )

    return page


def _files(path: str, folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    files = StaticFiles(directory=folder)

    @asgi(path, is_mount=True, copy_scope=True, opt=OPEN)
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await files(scope, receive, send)  # type: ignore[arg-type]

    return serve


def _say(_: Request[Any, Any, Any], why: FarolitoError) -> Response[dict[str, Any]]:
    status = next((s for kind, s in _STATUS.items() if isinstance(why, kind)), 422)
    permit = why.permit if isinstance(why, Refused) else None
    word = why.reason if isinstance(why, Refused) else _word(why)
    return Response(
        {"error": word, "says": why.says, "do": why.do, "permit": permit}, status_code=status
    )


def _word(why: FarolitoError) -> str:
    name = type(why).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _say_invalid(_: Request[Any, Any, Any], why: ValidationError) -> Response[dict[str, Any]]:
    return Response(
        {"error": "invalid", "says": str(why), "do": "send what the API describes"},
        status_code=422,
    )


def _say_http(_: Request[Any, Any, Any], why: HTTPException) -> Response[dict[str, Any]]:
    return Response({"error": "http", "says": why.detail, "do": ""}, status_code=why.status_code)


def _say_away(_: Request[Any, Any, Any], why: Exception) -> Response[dict[str, Any]]:
    log.warning("the records do not answer: %s", type(why).__name__)
    return Response(
        {"error": "away", "says": "the records do not answer", "do": "try again in a few seconds"},
        status_code=503,
    )


def _say_fault(request: Request[Any, Any, Any], why: Exception) -> Response[dict[str, Any]]:
    """We are wrong. Where goes to the log, never what: an error's words may hold a plate."""
    at = extract_tb(why.__traceback__)[-1]
    log.error("%s in %s:%s, asked %s", type(why).__name__, at.filename, at.lineno, request.method)
    return Response(
        {"error": "fault", "says": "the node made a mistake; it is in its log", "do": "try again"},
        status_code=500,
    )


def _secure(
    origin: str, picture_places: Callable[[str], str]
) -> Callable[[Message, Scope], Awaitable[None]]:
    """Every answer, errors and files too, carries the same headers.

    The sockets' address is named for browsers whose 'self' does not take it in, and where pictures
    come from: by the host that the page was opened by, if it is written as a host can be.
    """
    place = origin.partition("://")[2]
    own = place.partition(":")[0]

    async def secure(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            told = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            host = told.rpartition(":")[0] or told
            pictures = picture_places(host if _HOST.fullmatch(host) else own)
            sockets = f"ws://{place} wss://{place} {pictures}".rstrip()
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value.replace("{sockets}", sockets)

    return secure
