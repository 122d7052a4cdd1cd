"""Runs a program, sends it signals or a break once it has said something, and prints how it ended, as JSON."""

import asyncio
import json
import sys

import asyncssh

given = dict(argument.split("=", 1) for argument in sys.argv[1:])


async def main():
    async with asyncssh.connect(
        "127.0.0.1",
        port=int(given["port"]),
        username=given["login"],
        client_keys=[given["key"]],
        known_hosts=given["knownHosts"],
        agent_path=None,
        config=None,
    ) as connection:
        term = "xterm" if "pty" in given else None
        process = await connection.create_process(given["exec"], term_type=term, encoding="utf-8")
        said = ""
        for each in filter(None, given.get("send", "").split(",")):
            said += await process.stdout.readline()
            if each == "BREAK":
                process.send_break(500)
            else:
                process.send_signal(each)
        said += await process.stdout.read()
        await process.wait_closed()
        signal = process.exit_signal
        print(json.dumps({"said": said, "status": process.exit_status, "signal": list(signal[:3]) if signal else None}))


asyncio.run(main())
