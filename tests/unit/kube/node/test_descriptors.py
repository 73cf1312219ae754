from __future__ import annotations

import asyncio
import os

from bookmesh.kube.node import descriptors


async def test_what_is_written_is_read_also_more_than_a_pipe_holds() -> None:
    read, write = os.pipe()
    reader, writer = descriptors.DescriptorReader(read), descriptors.DescriptorWriter(write)

    async def produce() -> None:
        await writer.write(b"x" * 1_000_000)
        writer.close()

    _, output = await asyncio.gather(produce(), reader.read_all(limit=2_000_000))
    assert len(output) == 1_000_000
    reader.close()
    reader.close()


async def test_output_is_limited() -> None:
    read, write = os.pipe()
    reader = descriptors.DescriptorReader(read)
    os.write(write, b"x" * 100)
    os.close(write)
    assert len(await reader.read_all(limit=10)) == 10
    reader.close()
    assert await reader.read() == b""


async def test_writing_to_nobody_is_dropped() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = descriptors.DescriptorWriter(write)
    await writer.write(b"x")
    writer.close()
    await writer.write(b"y")


async def test_the_end_of_a_terminal_is_an_end() -> None:
    ours, theirs = os.openpty()
    reader = descriptors.DescriptorReader(ours)
    os.write(theirs, b"bye")
    assert await reader.read() == b"bye"
    os.close(theirs)
    assert await reader.read() == b""
    reader.close()
