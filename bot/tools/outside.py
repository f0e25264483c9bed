"""Our tools for agents elsewhere: what they ask at our HTTP port goes on to the server on loopback, for whoever has a turn's token."""

from collections.abc import Callable

from aiohttp import ClientError, ClientSession, ClientTimeout, web

PATH = "/tools"
PASSED = {"Authorization", "Accept", "Content-Type", "Mcp-Protocol-Version"}
WAIT = ClientTimeout(total=None, sock_connect=5)  # an answer takes as long as people do


def route(address: Callable[[str], str]) -> web.RouteDef:
    """`address` is that of the server, for a token that it knows; else empty. A body of more than 1 MiB is refused by aiohttp."""

    async def passed(request: web.Request) -> web.StreamResponse:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if not (url := address(token) if kind == "Bearer" else ""):
            return web.Response(status=401, text="Show the token of a turn that runs here.")
        body = await request.read()
        given = {name.title(): value for name, value in request.headers.items() if name.title() in PASSED}
        try:
            async with ClientSession(timeout=WAIT) as http, http.post(url, data=body, headers=given) as answer:
                reply = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
                await reply.prepare(request)
                async for piece in answer.content.iter_any():
                    await reply.write(piece)
                return reply
        except ClientError:
            return web.Response(status=503, text="The tools do not answer any more; the turn may be over.")

    return web.post(PATH, passed)
