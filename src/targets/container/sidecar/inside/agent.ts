/** A socket for the agent of whoever is connected, where sshd has it: /tmp/ssh-XXXXXXXXXX/agent.PID. Imports nothing but Node. */
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import { homedir } from 'node:os';
import { announcer } from './listen.ts';
import { bindSocket, coded, maxSocketPathBytes, serveSocket } from './sockets.ts';

/** The first that takes it; the last one is the user's own, and hidden. */
const places = () => ['/tmp/ssh-', '/dev/shm/ssh-', `${homedir()}/.ssh-`];

/** What ends each. */
const named = new Map<string, () => void>();

/** As `listenSocket` does; the path is the header `x-path`. `name`: what its folder is called, where that is free. */
export async function listenAgent(stream: ServerHttp2Stream, name: string): Promise<void> {
  // The gateway has given it up already, and its stream has not closed here yet.
  named.get(name)?.();
  const folder = makeFolder(name);
  const remove = () => {
    try {
      rmdirSync(folder);
    } catch {}
  };
  const path = `${folder}/agent.${process.pid}`;
  const close = await bindSocket(path, announcer(stream)).catch((error) => {
    remove();
    throw error;
  });
  const closeBoth = () => {
    if (named.get(name) !== closeBoth) return;
    named.delete(name);
    close();
    remove();
  };
  named.set(name, closeBoth);
  serveSocket(stream, closeBoth, { 'x-path': path });
}

/** For its user alone, whatever the umask. Throws the last error where no place takes one. */
function makeFolder(name: string): string {
  if (!/^[A-Za-z0-9]{10}$/.test(name)) throw coded('EINVAL');
  let problem: unknown = coded('ENAMETOOLONG');
  for (const place of places()) {
    if (`${place}${name}/agent.${process.pid}`.length > maxSocketPathBytes) continue;
    try {
      return makePrivate(place, name);
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

function makePrivate(place: string, name: string): string {
  const make = () => {
    try {
      mkdirSync(`${place}${name}`, { mode: 0o700 });
      return `${place}${name}`;
    } catch (error) {
      // Somebody may have seen the name before, and taken it.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return mkdtempSync(place);
    }
  };
  const folder = make();
  chmodSync(folder, 0o700);
  return folder;
}
