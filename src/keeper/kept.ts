/** The keeper, as the supervisor that it started sees it. */
import { type Begin, type FromSupervisor, keeperProtocol, type ToSupervisor } from './messages.ts';

type Message<Kind extends ToSupervisor['kind']> = Extract<ToSupervisor, { kind: Kind }>;

export interface Kept {
  readonly begin: Begin;
  onSignal(listener: (signal: NodeJS.Signals) => void): void;
  /** The keeper is gone: nobody would start this process again, or tell it to stop. */
  onGone(listener: () => void): void;
  /** Has a socket held that listens, and was opened as `at` says. */
  listening(name: string, at: string, handle: unknown): void;
  /** Resolves to what its predecessor handed over, when it is its turn. */
  prepared(): Promise<unknown>;
  ready(sockets: readonly string[]): void;
  /** Resolves when it is on its way. */
  refused(problem: string): Promise<void>;
  /** Resolves when its successor is in charge. */
  readonly retired: Promise<void>;
  /** Asks for a successor. Resolves when that is in charge, rejects with a sentence when there is none. */
  restart(timeoutMs?: number): Promise<void>;
  /** For how long what is open may stay so after the restart that was asked for; undefined: for ever. */
  timeoutMs(): number | undefined;
  /** For its successor, if this one crashes. */
  remember(memory: unknown): void;
  /** The configuration, for whoever is started after a crash or a restore. */
  inForce(configuration: unknown): void;
  /** To be answered by `handedOver`. */
  onHandOver(listener: () => void): void;
  handedOver(memory: unknown): void;
  stopping(): void;
  again(): Promise<void>;
  /** Nothing more is heard: this process may end when nothing else keeps it. */
  leave(): void;
}

/** What is said between this process and its keeper. */
function openChannel() {
  const listeners = new Map<ToSupervisor['kind'], (message: never) => void>();
  const on = <Kind extends ToSupervisor['kind']>(kind: Kind, listener: (message: Message<Kind>) => void) =>
    void listeners.set(kind, listener as (message: never) => void);
  process.on('message', (message: ToSupervisor) => listeners.get(message.kind)?.(message as never));
  return {
    on,
    once: <Kind extends ToSupervisor['kind']>(kind: Kind) =>
      new Promise<Message<Kind>>((resolve) => on(kind, resolve)),
    /** Resolves when it is on its way. */
    say: (message: FromSupervisor, handle?: unknown) =>
      new Promise<void>((resolve) => {
        if (!process.connected) return resolve();
        process.send?.(message, handle as never, {}, () => resolve());
      }),
  };
}

/** Undefined where no keeper started this process. */
export async function meetKeeper(): Promise<Kept | undefined> {
  if (!process.send) return undefined;
  const { on, once, say } = openChannel();
  const begin = await once('begin');
  if (begin.protocol !== keeperProtocol) {
    const problem = `the running keeper speaks protocol ${begin.protocol} and this version ${keeperProtocol}; stop the gateway and start it.`;
    await say({ kind: 'refused', problem });
    process.disconnect();
    throw new Error(problem);
  }
  const retired = once('retired').then(() => {});
  let hasLeft = false;
  let isAsked = false;
  let asked: number | undefined;
  const early: NodeJS.Signals[] = [];
  on('signal', ({ signal }) => void early.push(signal));
  return {
    begin,
    retired,
    onSignal(listener) {
      on('signal', ({ signal }) => listener(signal));
      for (const signal of early.splice(0)) listener(signal);
    },
    onGone(listener) {
      process.once('disconnect', () => !hasLeft && listener());
    },
    listening: (name, at, handle) => void say({ kind: 'listening', name, at }, handle),
    async prepared() {
      const turn = once('take-over');
      void say({ kind: 'prepared' });
      return (await turn).memory;
    },
    ready: (sockets) => void say({ kind: 'ready', sockets }),
    refused: (problem) => say({ kind: 'refused', problem }),
    timeoutMs: () => asked,
    async restart(timeoutMs) {
      // An answer is to the one question that is open.
      if (isAsked) throw new Error('a restart is under way already.');
      isAsked = true;
      asked = timeoutMs;
      const refused = once('restart-refused').then(({ problem }) => Promise.reject(new Error(problem)));
      void say({ kind: 'restart' });
      await Promise.race([retired, refused]).finally(() => {
        isAsked = false;
      });
    },
    remember: (memory) => void say({ kind: 'remember', memory }),
    inForce: (configuration) => void say({ kind: 'in-force', configuration }),
    onHandOver: (listener) => on('hand-over', listener),
    handedOver: (memory) => void say({ kind: 'handed-over', memory }),
    stopping: () => void say({ kind: 'stopping' }),
    again: () => say({ kind: 'again' }),
    leave() {
      hasLeft = true;
      if (process.connected) process.disconnect();
    },
  };
}
