"""
`exec` and `attach`: a command of its own, or the first process of a container, with a client at the other end.

What is refused after the upgrade travels as the final `Status`, since the client reads nothing else then.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import AttachOptions, ExecOptions, PodStreams, StreamSession
from bookmesh.kube.api import containers, remotes, statuses

_SUCCESS: Final[JsonObject] = {"metadata": {}, "status": "Success"}


async def serve_exec(request: web.Request, pod: JsonObject, streams: PodStreams) -> web.StreamResponse:
    """Run a command in a container until it ends or the client leaves, which ends the command."""
    wanted = remotes.parse_wanted(request)
    options = parse_exec(request, pod, wanted)
    remote = await remotes.accept(request, wanted)
    try:
        session = await streams.execute(pod, options)
    except ApiError as error:
        await remote.finish(error.status())
        return remote.response
    return await _serve(remote, session)


async def serve_attach(request: web.Request, pod: JsonObject, streams: PodStreams) -> web.StreamResponse:
    """Show what a container writes from now on, and let the client write to it, until either is gone."""
    wanted = remotes.parse_wanted(request)
    container = containers.choose(pod, request.query.get("container", ""))
    session = await streams.attach(pod, AttachOptions(container, stdin=wanted.stdin))
    try:
        remote = await remotes.accept(request, wanted)
    except BaseException:
        await session.close()
        raise
    return await _serve(remote, session)


def parse_exec(request: web.Request, pod: JsonObject, wanted: remotes.Wanted) -> ExecOptions:
    """Read the query of an exec request; raises 400."""
    command = tuple(request.query.getall("command", []))
    if not command:
        raise statuses.bad_request("you must specify at least 1 command for the container")
    return ExecOptions(
        container=containers.choose(pod, request.query.get("container", "")),
        command=command,
        stdin=wanted.stdin,
        tty=wanted.tty,
    )


def exit_status(code: int) -> JsonObject:
    """The `Status` that tells a client how a command ended."""
    if code == 0:
        return _SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _serve(remote: remotes.Remote, session: StreamSession) -> web.StreamResponse:
    """Copy both ways; tell the end unless the client left before it."""
    try:
        if await _until_left(remote, session):
            await remote.finish(exit_status(await session.wait()))
    except ApiError as error:
        await remote.finish(error.status())
    except ConnectionError:
        return remote.response
    finally:
        await session.close()
    return remote.response


async def _until_left(remote: remotes.Remote, session: StreamSession) -> bool:
    """True when the output came to its end, False when the client left first."""

    async def copy() -> None:
        async for stream, data in session.output():
            await remote.send(stream, data)

    copier, reader = asyncio.create_task(copy()), asyncio.create_task(_read(remote, session))
    try:
        await asyncio.wait({copier, reader}, return_when=asyncio.FIRST_COMPLETED)
        if not copier.done():
            reader.result()
            return False
        copier.result()
        return True
    finally:
        for task in (copier, reader):
            task.cancel()
        await asyncio.gather(copier, reader, return_exceptions=True)


async def _read(remote: remotes.Remote, session: StreamSession) -> None:
    """Take in what the client sends until it leaves."""
    async for item in remote.receive():
        if isinstance(item, remotes.Size):
            session.resize(item.columns, item.rows)
        elif item.data:
            await _write(session, item.data)
        else:
            await session.write_eof()


async def _write(session: StreamSession, data: bytes) -> None:
    try:
        await session.write(data)
    except (BrokenPipeError, ConnectionResetError):
        # The command closed its standard input or ended; its output and exit code are still to come.
        return
