"""The headers of every answer: what a browser may do with it, and that nothing personal is kept."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: MapLibre draws with workers that it makes from blobs, and reads its own pictures from blobs.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self' data: blob:; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self' blob:; child-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Adds the headers as an answer begins; plain ASGI, so tasks and contexts stay as they are."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        always = {**ALWAYS, **({"Strict-Transport-Security": _HSTS} if is_https else {})}
        # Whoever wants an answer kept says so; the rest may be about people.
        always["Cache-Control"] = "no-store"
        self._always = [(name.lower().encode(), value.encode()) for name, value in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A page with forms has a policy of its own; the rest take these.
                said = {name for name, _ in message.get("headers", ())}
                more = (pair for pair in self._always if pair[0] not in said)
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        await self._app(scope, receive, send_with_headers)
