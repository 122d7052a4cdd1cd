"""Drives asyncssh; the arguments are those of driver.ts."""

import asyncio
import sys

import asyncssh

given = dict(argument.split("=", 1) for argument in sys.argv[1:])
environment = {name[4:]: value for name, value in given.items() if name.startswith("env.")}


async def run(connection):
    # What asyncssh itself passes on to a pipe is lost where nobody has read it when this program leaves.
    async with connection.create_process(
        given["exec"],
        env=environment,
        term_type="xterm" if "pty" in given else None,
        term_size=(80, 24),
        stdin=sys.stdin.buffer,
        stderr=sys.stderr.buffer,
        encoding=None,
    ) as process:
        while chunk := await process.stdout.read(65536):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return (await process.wait()).exit_status


async def forward(connection):
    reader, writer = await connection.open_connection("localhost", int(given["forward"]))
    writer.write(sys.stdin.buffer.read())
    writer.write_eof()
    sys.stdout.buffer.write(await reader.read())
    return 0


async def main():
    options = {"port": int(given["port"]), "username": given["login"], "config": None}
    if "keepalive" in given:
        options["keepalive_interval"] = int(given["keepalive"])
    if "rekey" in given:
        options["rekey_bytes"] = int(given["rekey"])
    async with asyncssh.connect(
        "127.0.0.1",
        client_keys=[given["key"]],
        known_hosts=given["knownHosts"],
        agent_path=None,
        **options,
    ) as connection:
        if "exec" in given:
            return await run(connection)
        if "forward" in given:
            return await forward(connection)
        async with connection.start_sftp_client() as sftp:
            if "put" in given:
                await sftp.put(given["put"], given["remote"])
            else:
                await sftp.get(given["get"], given["local"])
        return 0


sys.exit(asyncio.run(main()))
