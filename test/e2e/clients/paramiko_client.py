"""Drives paramiko; the arguments are those of driver.ts."""

import sys
import threading

import paramiko

given = dict(argument.split("=", 1) for argument in sys.argv[1:])
environment = {name[4:]: value for name, value in given.items() if name.startswith("env.")}


def connect():
    client = paramiko.SSHClient()
    client.load_host_keys(given["knownHosts"])
    client.connect(
        "127.0.0.1",
        port=int(given["port"]),
        username=given["login"],
        key_filename=given["key"],
        allow_agent=False,
        look_for_keys=False,
    )
    transport = client.get_transport()
    if "keepalive" in given:
        transport.set_keepalive(int(given["keepalive"]))
    if "rekey" in given:
        transport.packetizer.REKEY_BYTES = int(given["rekey"])
    return client


def feed(channel):
    while data := sys.stdin.buffer.read1(65536):
        channel.sendall(data)
    channel.shutdown_write()


def copy(read, out):
    while data := read(65536):
        out.write(data)
    out.flush()


def run(client):
    channel = client.get_transport().open_session()
    if "pty" in given:
        channel.get_pty("xterm", 80, 24)
    channel.update_environment(environment)
    channel.exec_command(given["exec"])
    workers = [
        threading.Thread(target=copy, args=(channel.recv, sys.stdout.buffer)),
        threading.Thread(target=copy, args=(channel.recv_stderr, sys.stderr.buffer)),
    ]
    threading.Thread(target=feed, args=(channel,), daemon=True).start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return channel.recv_exit_status()


def forward(client):
    destination = ("localhost", int(given["forward"]))
    channel = client.get_transport().open_channel("direct-tcpip", destination, ("127.0.0.1", 1))
    threading.Thread(target=feed, args=(channel,), daemon=True).start()
    copy(channel.recv, sys.stdout.buffer)
    return 0


with connect() as client:
    if "exec" in given:
        status = run(client)
    elif "forward" in given:
        status = forward(client)
    else:
        sftp = client.open_sftp()
        if "put" in given:
            sftp.put(given["put"], given["remote"])
        else:
            sftp.get(given["get"], given["local"])
        status = 0
sys.exit(status)
