"""A place where people sign in: a real OAuth 2 and OpenID Connect server on 127.0.0.1, with the interfaces of all that
QHub can be set to.

It refuses what a real one refuses: an unknown application or redirect URI, a wrong secret, a code that was used, a
verifier that does not fit the challenge (PKCE), a token that it did not give. It asks nobody for a password: `person`
is who signs in next.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "the-hub"
CLIENT_SECRET = "the-secret-of-the-hub"
CALLBACK = "https://qhub.localhost/hub/oauth_callback"


@dataclass
class Person:
    """Who signs in.

    Attributes:
        claims: what the provider says of them.
        groups: full paths at GitLab; organization:team at GitHub, where organization alone is a mere member.
    """

    claims: dict[str, Any]
    groups: tuple[str, ...] = ()


@dataclass
class Provider:
    """What the server knows. Tests change it while it runs.

    Attributes:
        person: who signs in next.
        scopes: that were asked for last.
        failure: error and description that the token endpoint answers with; None to answer as it should.
        failure_status: HTTP status of that answer: GitHub says 200 also to a refusal.
        issuer: what it calls itself; None for its own address.
        gone: ends it, so that nothing answers any more.
        broken: what it answers 502 to, whoever asks: paths that begin with one of these.
    """

    person: Person = field(default_factory=lambda: Person({}))
    scopes: tuple[str, ...] = ()
    failure: tuple[str, str] | None = None
    failure_status: int = 400
    issuer: str | None = None
    broken: tuple[str, ...] = ()
    address: str = ""
    gone: Callable[[], object] = lambda: None
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, Person] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))


#: Where a request finds what the server knows.
PROVIDER = web.AppKey("provider", Provider)


def bearer(request: web.Request) -> Person:
    """Return whose token a request has."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    known = request.app[PROVIDER].tokens
    if kind != "Bearer" or token not in known:
        raise web.HTTPUnauthorized
    return known[token]


async def authorize(request: web.Request) -> web.Response:
    """Where a browser is sent to; it comes back with a code."""
    provider, asked = request.app[PROVIDER], request.query
    if asked["client_id"] != CLIENT_ID or asked["redirect_uri"] != CALLBACK or asked["response_type"] != "code":
        raise web.HTTPBadRequest(text="no such application, or not its redirect URI")
    code = secrets.token_urlsafe(16)
    provider.scopes = tuple(asked.get("scope", "").split())
    provider.codes[code] = {"challenge": asked.get("code_challenge", ""), "person": provider.person}
    raise web.HTTPFound(f"{CALLBACK}?code={code}&state={asked['state']}")


async def token(request: web.Request) -> web.Response:
    """Where the hub changes a code into a token."""
    provider, asked = request.app[PROVIDER], await request.post()
    if provider.failure is not None:
        error, words = provider.failure
        return web.json_response({"error": error, "error_description": words}, status=provider.failure_status)
    if (asked["client_id"], asked["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
        return web.json_response({"error": "invalid_client"}, status=401)
    known = provider.codes.pop(str(asked["code"]), None)
    digest = hashlib.sha256(str(asked.get("code_verifier", "")).encode()).digest()
    fits = known is not None and known["challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if known is None or not fits or asked["redirect_uri"] != CALLBACK:
        return web.json_response({"error": "invalid_grant"}, status=400)
    given = secrets.token_urlsafe(16)
    provider.tokens[given] = known["person"]
    claims = {**known["person"].claims, "aud": CLIENT_ID, "iss": provider.address}
    id_token = jwt.encode(claims, provider.key, algorithm="RS256")
    scope = " ".join(provider.scopes)
    return web.json_response({"access_token": given, "token_type": "bearer", "id_token": id_token, "scope": scope})


async def user_info(request: web.Request) -> web.Response:
    """Who somebody is."""
    return web.json_response(bearer(request).claims)


async def discovery(request: web.Request) -> web.Response:
    """What an OpenID provider says of itself."""
    provider = request.app[PROVIDER]
    here = provider.address
    return web.json_response(
        {
            "issuer": provider.issuer or here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "userinfo_endpoint": f"{here}/userinfo",
        }
    )


async def github_member(request: web.Request) -> web.Response:
    """GitHub: 204 for a member of an organization or of its team, else 404."""
    organization, team = request.match_info["organization"], request.match_info.get("team")
    groups = bearer(request).groups
    wanted = f"{organization}:{team}" if team else organization
    is_member = wanted in groups or (not team and any(name.startswith(f"{wanted}:") for name in groups))
    return web.Response(status=204 if is_member else 404)


async def github_teams(request: web.Request) -> web.Response:
    """GitHub: the teams that somebody is in."""
    teams = [name.split(":") for name in bearer(request).groups if ":" in name]
    return web.json_response([{"organization": {"login": owner}, "slug": team} for owner, team in teams])


async def gitlab_version(request: web.Request) -> web.Response:
    """GitLab: its version."""
    bearer(request)
    return web.json_response({"version": "18.5.1-ee"})


async def gitlab_member(request: web.Request) -> web.Response:
    """GitLab: whether somebody is in a group, or in one above it."""
    return web.Response(status=200 if unquote(request.match_info["group"]) in bearer(request).groups else 404)


async def gitlab_groups(request: web.Request) -> web.Response:
    """GitLab: the groups that somebody is in, one a page."""
    if "read_api" not in request.app[PROVIDER].scopes or request.query["min_access_level"] != "10":
        raise web.HTTPForbidden
    groups, page = bearer(request).groups, int(request.query["page"])
    following = {"X-Next-Page": str(page + 1) if page < len(groups) else ""}
    return web.json_response([{"full_path": name} for name in groups[page - 1 : page]], headers=following)


@web.middleware
async def break_down(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Answer as a proxy does while what is behind it is away."""
    if request.path.startswith(request.app[PROVIDER].broken):
        return web.Response(status=502, text="<h1>Bad gateway</h1>")
    return await handler(request)


TOKEN_PATHS = ("/login/oauth/access_token", "/oauth/token", "/oauth2/v4/token", "/token")
USER_PATHS = ("/api/v3/user", "/api/v4/user", "/oauth2/v1/userinfo", "/userinfo")
ROUTES = [
    *(web.get(path, authorize) for path in ("/login/oauth/authorize", "/oauth/authorize", "/authorize")),
    *(web.post(path, token) for path in TOKEN_PATHS),
    *(web.get(path, user_info) for path in USER_PATHS),
    web.get("/.well-known/openid-configuration", discovery),
    web.get("/api/v3/user/teams", github_teams),
    web.get("/api/v3/orgs/{organization}/members/{user}", github_member),
    web.get("/api/v3/orgs/{organization}/teams/{team}/members/{user}", github_member),
    web.get("/api/v4/version", gitlab_version),
    web.get("/api/v4/groups", gitlab_groups),
    web.get("/api/v4/groups/{group}/members/all/{user}", gitlab_member),
]


class RunningProvider:
    """The server in a thread of its own, from `with` to its end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Provider:
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)

    async def _start(self) -> Provider:
        provider = Provider()
        application = web.Application(middlewares=[break_down])
        application[PROVIDER] = provider
        application.add_routes(ROUTES)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        provider.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        provider.gone = lambda: asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        return provider

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
