"""The web application for readers.

Everything that matters is checked here and in the database, never in the browser: who asks, where
the form came from, whether the case is on this reader's desk.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sdq_core.errors import ReviewError
from sdq_core.review.desk import Desk
from sdq_core.review.display import Layout, picture
from sdq_core.review.folder import Folder
from sdq_core.review.pages import Pages, ramp
from sdq_core.review.refusal import Refused, refusal
from sdq_core.review.words import words
from sdq_core.vocabulary import Language

__all__ = ["application"]

COOKIE: Final = "sdq_reader"
LANGUAGE: Final = "sdq_language"
MOST_BODY: Final = 64 * 1024
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""The same on every reply, so that none of them tells anything."""

Handler = Callable[[Request], Awaitable[Response]]


class _Guard:
    """Refuses hosts and forms of elsewhere and bodies that are too long; sets the headers.

    Parameters
    ----------
    app : ASGIApp
    hosts : frozenset of str, optional
        Names under which the review may be asked for; None: any.
    desk : Desk
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None, desk: Desk) -> None:
        self.app, self.hosts, self.desk = app, hosts, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                kept = [h for h in message["headers"] if h[0] not in {k for k, _ in own}]
                # Dates and tags of files, which tell how old a file is, are left out.
                kept = [h for h in kept if h[0] not in (b"last-modified", b"etag")]
                message["headers"] = [*kept, *own]
            await send(message)

        request = Request(scope, receive)
        code = self._wrong(request)
        if code is not None:
            await _in_thread(self.desk.refused, code, "", 0, {"path": request.url.path[:200]})
            language = _language(request)
            reply = Response(refusal(code, language), 403, media_type="text/plain; charset=utf-8")
            await reply(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

    def _wrong(self, request: Request) -> str | None:
        host = request.headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if self.hosts is not None and name not in self.hosts:
            return "host"
        if request.method in ("GET", "HEAD"):
            return None
        origin = request.headers.get("origin", "")
        # Every browser sends it with a form; a page of elsewhere cannot forge it.
        return None if origin and urlsplit(origin).netloc == host else "origin"


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments)


def _language(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in set(Language):
        return chosen
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


class _Views:
    """What each address gives."""

    def __init__(self, folder: Folder, desk: Desk, *, secure: bool) -> None:
        self.folder, self.desk, self.secure = folder, desk, secure
        self.pages = Pages(desk)
        self.layout = Layout.of(desk.content["layout"])
        self.ramp = ramp()

    # --- reading ----------------------------------------------------------------------------------

    def home(self, request: Request) -> Response:
        if self._reader(request) is not None:
            return RedirectResponse("/read", 303)
        return self._html(self.pages.enter(_language(request)))

    def link(self, request: Request) -> Response:
        return self._enter(request, request.path_params["token"])

    def read(self, request: Request) -> Response:
        reader = self._need_reader(request)
        return self._desk_page(request, reader, back=request.query_params.get("back") == "1")

    def frame(self, request: Request) -> Response:
        reader = self._need_reader(request)
        number, side, frame, preset = (
            int(request.path_params[name]) for name in ("number", "side", "frame", "preset")
        )
        case, letter = self.desk.side(reader, number, side)
        name = f"{case}-{letter}"
        about = self.desk.content["pictures"][name]
        if preset >= len(self.layout.presets):
            raise Refused("picture")
        try:
            frames = self.folder.read_picture(name, about["sha256"])
        except ReviewError as error:
            raise Refused("changed") from error
        # Of a pair, the one with fewer slices stays on its last.
        shown = frames[min(frame, len(frames) - 1)]
        return Response(picture(shown, self.layout, preset), media_type="image/png")

    def ramp_picture(self, request: Request) -> Response:
        return Response(self.ramp, media_type="image/png")

    def key(self, request: Request) -> Response:
        self._need_reader(request)
        raise Refused("key")

    # --- writing ----------------------------------------------------------------------------------

    def enter(self, request: Request, form: Mapping[str, str]) -> Response:
        return self._enter(request, form.get("token", "").strip())

    def leave(self, request: Request, form: Mapping[str, str]) -> Response:
        reply = RedirectResponse("/", 303)
        reply.delete_cookie(COOKIE)
        return reply

    def language(self, request: Request, form: Mapping[str, str]) -> Response:
        to = form.get("to", "")
        reply = RedirectResponse("/", 303)
        if to in set(Language):
            reply.set_cookie(LANGUAGE, to, httponly=True, samesite="strict", secure=self.secure)
        return reply

    def begin(self, request: Request, form: Mapping[str, str]) -> Response:
        reader = self._need_reader(request)
        language = _language(request)
        self.desk.begin(
            reader, _whole(form.get("session")), form.get("name", ""), words("statement", language)
        )
        return RedirectResponse("/read", 303)

    def proceed(self, request: Request, form: Mapping[str, str]) -> Response:
        reader = self._need_reader(request)
        self.desk.proceed(reader, _whole(form.get("number")))
        return self._after(request, reader)

    def answer(self, request: Request, form: Mapping[str, str]) -> Response:
        reader = self._need_reader(request)
        number, revision = _whole(form.get("number")), _whole(form.get("revision"))
        try:
            facts = json.loads(form.get("facts") or "null")
        except ValueError:
            facts = None
        try:
            self.desk.answer(reader, number, revision, form, facts)
        except Refused as refused:
            kept = refused.code in ("disk_full", "database", "answers", "too_large")
            given = {
                "answers": {q.id: _whole(form.get(q.id)) for q in self.desk.questions},
                "comment": form.get("comment", ""),
            }
            return self._desk_page(
                request, reader, back=kept and revision > 0, status=refused.status,
                message=refusal(refused.code, _language(request)), given=given if kept else None,
            )  # fmt: skip
        return self._after(request, reader)

    def event(self, request: Request, form: Mapping[str, str]) -> Response:
        reader = self._need_reader(request)
        self.desk.event(reader, form.get("kind", ""), _whole(form.get("number")))
        return Response(status_code=204)

    # --- inside -----------------------------------------------------------------------------------

    def _reader(self, request: Request) -> str | None:
        token = request.cookies.get(COOKIE)
        return None if not token else self.desk.reader_of(token[:200])

    def _need_reader(self, request: Request) -> str:
        reader = self._reader(request)
        if reader is None:
            raise Refused("token")
        return reader

    def _enter(self, request: Request, token: str) -> Response:
        reader = self.desk.reader_of(token[:200])
        if reader is None:
            self.desk.refused("token")
            message = refusal("token", _language(request))
            return self._html(self.pages.enter(_language(request), message), 403)
        reply = RedirectResponse("/read", 303)
        # Lax, not strict: else a link in a mail would lead to a page that does not know the reader.
        # Forms are guarded by their origin.
        reply.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=self.secure)
        return reply

    def _after(self, request: Request, reader: str) -> Response:
        if request.headers.get("hx-request") == "true":
            return self._desk_page(request, reader)
        return RedirectResponse("/read", 303)

    def _desk_page(
        self,
        request: Request,
        reader: str,
        *,
        back: bool = False,
        status: int = 200,
        message: str = "",
        given: Mapping[str, Any] | None = None,
    ) -> Response:
        standing = self.desk.standing(reader, back=back)
        if standing.stage == "case" and standing.slot is not None and not message:
            self.desk.show(reader, standing.slot.number, standing.revision)
        page = self.pages.standing(
            standing, _language(request), message=message, given=given,
            whole=request.headers.get("hx-request") != "true",
        )  # fmt: skip
        return self._html(page, status)

    def _html(self, page: str, status: int = 200) -> Response:
        return Response(page, status, media_type="text/html; charset=utf-8")


def _whole(text: object) -> int:
    """Return a small whole number, or -1 for anything else."""
    words_ = str(text)
    return int(words_) if words_.isascii() and words_.isdigit() and len(words_) < 8 else -1


def application(
    folder: Folder, desk: Desk, *, hosts: frozenset[str] | None = None, secure: bool = False
) -> Starlette:
    """Return the application.

    Parameters
    ----------
    folder : Folder
        Where the pictures lie.
    desk : Desk
    hosts : frozenset of str, optional
        Names under which it may be asked for; None: any.
    secure : bool
        Whether it is served over TLS: cookies then never travel without.
    """
    from pathlib import Path

    views = _Views(folder, desk, secure=secure)

    def getting(view: Callable[[Request], Response]) -> Handler:
        async def handler(request: Request) -> Response:
            return await _answered(request, view, request)

        return handler

    def posting(view: Callable[[Request, Mapping[str, str]], Response]) -> Handler:
        async def handler(request: Request) -> Response:
            body = b""
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY:
                    return await _answered(request, _too_large)
            try:
                form = dict(parse_qsl(body.decode("utf-8"), max_num_fields=200))
            except ValueError:
                form = {}
            return await _answered(request, view, request, form)

        return handler

    def _too_large() -> Response:
        raise Refused("too_large")

    async def _answered(
        request: Request, view: Callable[..., Response], *arguments: Any
    ) -> Response:
        try:
            found: Response = await _in_thread(view, *arguments)
        except Refused as refused:
            found = await _in_thread(_refused, request, refused)
        return found

    def _refused(request: Request, refused: Refused) -> Response:
        language = _language(request)
        reader = None
        if refused.code not in ("disk_full", "database"):
            reader = views._reader(request)
            desk.refused(refused.code, reader or "", 0, {"path": request.url.path[:200]})
        message = refusal(refused.code, language)
        if request.headers.get("accept", "").startswith("image/"):
            return Response(message, refused.status, media_type="text/plain; charset=utf-8")
        page = views.pages.refused(language, message, back=refused.code != "token")
        return Response(page, refused.status, media_type="text/html; charset=utf-8")

    async def not_found(request: Request, error: Exception) -> Response:
        reply: Response = await _in_thread(_refused, request, Refused("not_found"))
        return reply

    routes = [
        Route("/", getting(views.home)),
        Route("/enter", posting(views.enter), methods=["POST"]),
        Route("/enter/{token}", getting(views.link)),
        Route("/leave", posting(views.leave), methods=["POST"]),
        Route("/language", posting(views.language), methods=["POST"]),
        Route("/read", getting(views.read)),
        Route("/begin", posting(views.begin), methods=["POST"]),
        Route("/continue", posting(views.proceed), methods=["POST"]),
        Route("/answer", posting(views.answer), methods=["POST"]),
        Route("/event", posting(views.event), methods=["POST"]),
        Route("/frame/{number:int}/{side:int}/{frame:int}/{preset:int}", getting(views.frame)),
        Route("/ramp.png", getting(views.ramp_picture)),
        Route("/key", getting(views.key)),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(_Guard, hosts=hosts, desk=desk)],
        exception_handlers={404: not_found, 405: not_found},
    )
