"""An SSH server as asyncssh's own examples write it: public keys, commands by sh."""
import asyncio
import sys

import asyncssh


async def pump(source, sink):
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


async def feed(source, sink):
    try:
        await pump(source, sink)
        sink.close()
    except (BrokenPipeError, ConnectionResetError):
        pass


async def run(process):
    command = process.command or "true"
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_shell(command, stdin=pipe, stdout=pipe, stderr=pipe)
    feeding = asyncio.create_task(feed(process.stdin, child.stdin))
    await asyncio.gather(pump(child.stdout, process.stdout), pump(child.stderr, process.stderr))
    status = await child.wait()
    feeding.cancel()
    process.exit(status)


async def main(host_key, authorized_keys):
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=authorized_keys,
        process_factory=run,
        encoding=None,
        backlog=1000,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
