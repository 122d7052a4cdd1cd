/**
 * What a keeper starts, without a gateway in it. The word behind `supervise` is JSON: what it does, by generation. What it
 * hears and does goes to the file that DIARY names, a line each.
 */
import { appendFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Begin, FromSupervisor, ToSupervisor } from '../../src/keeper/messages.ts';

export interface Behaviour {
  /** Ends with this status at once. */
  readonly ends?: number;
  /** Refuses to take over. */
  readonly refuses?: string;
  /** Never says that it is prepared. */
  readonly hangs?: boolean;
  /** Says that it is prepared after so long. */
  readonly preparesMs?: number;
  /** Is restored from a backup as soon as it has asked for a restart. */
  readonly isRestored?: boolean;
  /** Is told to begin, and is never in charge. */
  readonly neverReady?: boolean;
  /** Listens, and says its generation to whoever connects. */
  readonly listens?: boolean;
  /** For so long after it was told to. */
  readonly handsOverMs?: number;
  /** Ends once it is in charge. */
  readonly crashes?: boolean;
}

const [behaviours = '{}'] = process.argv.slice(3);
const diary = (line: object) => appendFileSync(process.env['DIARY'] ?? '', `${JSON.stringify(line)}\n`);
const say = (message: FromSupervisor, handle?: unknown) => process.send?.(message, handle as never);
let generation = 0;
let server: Server | undefined;

const how = (): Behaviour => (JSON.parse(behaviours) as Record<number, Behaviour>)[generation] ?? {};

function open({ sockets }: Begin, { listens }: Behaviour, then: () => void): void {
  if (!listens) return then();
  const [held] = sockets;
  const mine = createServer((socket) => socket.end(`${generation}\n`));
  server = mine;
  mine.listen(held ? { fd: held.fd } : { port: 0, host: '127.0.0.1' }, () => {
    const { port } = mine.address() as { port: number };
    diary({ generation, listens: port });
    const handle = (mine as unknown as { readonly _handle: unknown })._handle;
    if (!held) say({ kind: 'listening', name: 'ssh', at: 'here' }, handle);
    then();
  });
}

function begin(message: Begin): void {
  generation = message.generation;
  const { ends, refuses, hangs, preparesMs = 0, crashes } = how();
  const ready = () => {
    if (how().neverReady) return;
    open(message, how(), () => {
      say({ kind: 'ready', sockets: ['ssh'] });
      if (crashes) setTimeout(() => process.exit(9), 20);
    });
  };
  on.set('take-over', ready);
  if (ends !== undefined) process.exit(ends);
  if (refuses !== undefined) {
    say({ kind: 'refused', problem: refuses });
    setTimeout(() => process.exit(1), 20);
  } else if (message.why !== 'restart') ready();
  else if (!hangs) setTimeout(() => say({ kind: 'prepared' }), preparesMs);
}

const on = new Map<ToSupervisor['kind'], (message: never) => void>([
  ['begin', begin as (message: never) => void],
  [
    'signal',
    (({ signal }: { signal: string }) => {
      if (signal === 'SIGHUP') say({ kind: 'restart' });
      if (signal === 'SIGHUP' && how().isRestored) {
        say({ kind: 'again' });
        setTimeout(() => process.exit(0), 20);
      }
      if (signal === 'SIGHUP') return;
      say({ kind: 'stopping' });
      setTimeout(() => process.exit(3), 20);
    }) as (message: never) => void,
  ],
  [
    'hand-over',
    () => {
      server?.close();
      const { handsOverMs = 0 } = how();
      setTimeout(() => say({ kind: 'handed-over', memory: { of: generation } }), handsOverMs);
    },
  ],
  ['retired', () => setTimeout(() => process.exit(0), 20)],
]);

process.on('message', (message: ToSupervisor) => {
  const { kind, ...rest } = message;
  diary({ generation: kind === 'begin' ? (message as Begin).generation : generation, heard: kind, ...rest });
  on.get(kind)?.(message as never);
});
process.on('disconnect', () => process.exit(0));
