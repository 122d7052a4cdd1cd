/**
 * The process that stays. It starts a supervisor, holds the sockets that listen, and relays signals, so that supervisors can
 * be replaced, by order or after a crash, while nobody is refused. It loads nothing of the gateway, so it has little to
 * fail by. When it goes, all go.
 */
import type { HeldSockets } from './held-sockets.ts';
import type { FromSupervisor, ToSupervisor, Why } from './messages.ts';
import { type Program, type SupervisorProcess, startSupervisor } from './supervisor-process.ts';

export interface KeeperOptions {
  readonly program: Program;
  /** Of `postern serve`. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly sockets: HeldSockets;
  /** Tells the operator, in a sentence. */
  readonly warn: (sentence: string) => void;
  readonly times?: Partial<typeof usual>;
}

const usual = {
  /** For a supervisor to be prepared to take over. */
  prepareMs: 60_000,
  /** For one to hand over. */
  handOverMs: 30_000,
  /** For one that follows another to be in charge, while nobody else is. */
  followMs: 120_000,
  /** Before the second try after a crash; then twice as long each time, up to the longest. */
  firstBackoffMs: 500,
  longestBackoffMs: 30_000,
  /** Who was in charge for so long has not crashed at its start. */
  steadyMs: 60_000,
};

/** `preparing`, `prepared`: to take over from another, which is `told` to hand over, and then `retired`. */
type Stage = 'preparing' | 'prepared' | 'starting' | 'in charge' | 'told' | 'retired' | 'stopping' | 'again';

interface Supervisor {
  readonly process: SupervisorProcess;
  stage: Stage;
  deadline?: NodeJS.Timeout;
}

type Handlers = {
  readonly [Kind in FromSupervisor['kind']]: (
    from: Supervisor,
    message: Extract<FromSupervisor, { kind: Kind }>,
    handle: unknown,
  ) => void;
};

export class Keeper {
  /** Resolves to the exit status, when whoever was in charge has ended in order, or could not even begin. */
  readonly ended: Promise<number>;
  readonly #options: KeeperOptions;
  readonly #times: typeof usual;
  readonly #retired = new Set<Supervisor>();
  #finish: (status: number) => void = () => {};
  #generation = 0;
  #current: Supervisor | undefined;
  #next: Supervisor | undefined;
  /** What was handed over, or is to be remembered. */
  #memory: unknown;
  #configuration: unknown;
  #wasReady = false;
  #inChargeSinceMs = 0;
  #crashes = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Came while nobody was in charge who would act on it. */
  #stop: NodeJS.Signals | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#times = { ...usual, ...options.times };
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#current = this.#start('first');
  }

  /** Passes a signal on to whoever is in charge. */
  signal(signal: NodeJS.Signals): void {
    // Who hands over does not stop; who follows does.
    if (this.#current?.stage === 'told' && signal !== 'SIGHUP') this.#stop = signal;
    else if (this.#current) {
      const isHeard = this.#current.process.send({ kind: 'signal', signal });
      if (!isHeard && signal !== 'SIGHUP') this.#stop = signal;
    }
    // Between two tries to start one.
    else if (signal !== 'SIGHUP') this.#end(0);
  }

  readonly #handlers: Handlers = {
    listening: (_from, { name, at }, handle) => {
      if (isHandle(handle)) this.#options.sockets.add({ name, at, handle });
    },
    restart: (from) => {
      if (from !== this.#current) return;
      if (this.#next) {
        return this.#tell(from, { kind: 'restart-refused', problem: 'a restart is under way already.' });
      }
      this.#next = this.#start('restart');
      this.#endAfter(this.#next, this.#times.prepareMs, 'a new supervisor was not prepared in time');
    },
    refused: (from, { problem }) => {
      if (from === this.#next) this.#refuse(problem);
    },
    prepared: (from) => {
      clearTimeout(from.deadline);
      from.stage = 'prepared';
      // The other one has crashed meanwhile.
      if (from === this.#current) return this.#takeOver(from);
      if (from !== this.#next || this.#current?.stage !== 'in charge') return;
      this.#current.stage = 'told';
      this.#tell(this.#current, { kind: 'hand-over' });
      this.#endAfter(this.#current, this.#times.handOverMs, 'the supervisor did not hand over in time');
    },
    remember: (from, { memory }) => {
      if (from === this.#current && from.stage !== 'told') this.#memory = memory;
    },
    'in-force': (from, { configuration }) => {
      if (from === this.#current) this.#configuration = configuration;
    },
    'handed-over': (from, { memory }) => {
      if (from !== this.#current || from.stage !== 'told') return;
      clearTimeout(from.deadline);
      from.stage = 'retired';
      this.#retired.add(from);
      this.#memory = memory;
      if (this.#next) this.#takeOver(this.#next);
      else this.#current = this.#start('crash');
    },
    ready: (from, { sockets }) => {
      clearTimeout(from.deadline);
      from.stage = 'in charge';
      this.#wasReady = true;
      this.#inChargeSinceMs = performance.now();
      this.#options.sockets.keepOnly(sockets);
      for (const old of this.#retired) this.#tell(old, { kind: 'retired' });
    },
    stopping: (from) => {
      clearTimeout(from.deadline);
      from.stage = 'stopping';
      this.#options.sockets.close();
    },
    again: (from) => {
      from.stage = 'again';
    },
  };

  #start(why: Why): Supervisor {
    const { program, args, env, sockets } = this.#options;
    const started = startSupervisor({
      ...{ program, args, env, why, memory: this.#memory, configuration: this.#configuration },
      held: sockets.list(),
      generation: ++this.#generation,
      onMessage: (message, handle) => {
        const handler = this.#handlers[message.kind] as
          | ((from: Supervisor, message: FromSupervisor, handle: unknown) => void)
          | undefined;
        handler?.(supervisor, message, handle);
      },
      onExit: (status) => this.#exited(supervisor, status),
    });
    const supervisor: Supervisor = { process: started, stage: why === 'restart' ? 'preparing' : 'starting' };
    if (why !== 'restart') this.#tellStop(supervisor);
    if (why === 'crash') this.#endUnlessReady(supervisor);
    return supervisor;
  }

  #tell(supervisor: Supervisor, message: ToSupervisor): void {
    supervisor.process.send(message);
  }

  #tellStop(supervisor: Supervisor): void {
    if (this.#stop) this.#tell(supervisor, { kind: 'signal', signal: this.#stop });
    this.#stop = undefined;
  }

  #endAfter(supervisor: Supervisor, ms: number, sentence: string): void {
    supervisor.deadline = setTimeout(() => {
      this.#options.warn(`${sentence}, and was ended.`);
      supervisor.process.kill();
    }, ms);
  }

  /** Whoever connects meanwhile waits. A first start may take its time: whoever began it sees that. */
  #endUnlessReady(supervisor: Supervisor): void {
    this.#endAfter(supervisor, this.#times.followMs, 'a supervisor was not in charge in time');
  }

  #takeOver(supervisor: Supervisor): void {
    supervisor.stage = 'starting';
    this.#endUnlessReady(supervisor);
    this.#tell(supervisor, { kind: 'take-over', memory: this.#memory });
    this.#tellStop(supervisor);
    this.#current = supervisor;
    this.#next = undefined;
  }

  /** Its deadline stays, until it has ended. */
  #refuse(problem: string): void {
    this.#next = undefined;
    if (this.#current) this.#tell(this.#current, { kind: 'restart-refused', problem });
  }

  #exited(supervisor: Supervisor, status: number): void {
    clearTimeout(supervisor.deadline);
    if (this.#retired.delete(supervisor)) return;
    if (supervisor === this.#next) {
      return this.#refuse(`the new supervisor ended with status ${status} before it was prepared.`);
    }
    if (supervisor !== this.#current) return;
    this.#current = undefined;
    if (supervisor.stage === 'stopping' || !this.#wasReady) return this.#end(status);
    if (supervisor.stage === 'again') this.#startAgain();
    else this.#crashed(status);
  }

  /** Whoever prepares to follow what was there before is not waited for, nor told to. */
  #startAgain(): void {
    this.#next?.process.kill();
    this.#next = undefined;
    this.#current = this.#start('again');
  }

  #crashed(status: number): void {
    const { warn } = this.#options;
    warn(`the supervisor ended with status ${status}; another one is started, sessions go on meanwhile.`);
    if (this.#next?.stage === 'prepared') return this.#takeOver(this.#next);
    if (this.#next) {
      this.#current = this.#next;
      this.#next = undefined;
      return;
    }
    const { steadyMs, firstBackoffMs, longestBackoffMs } = this.#times;
    if (performance.now() - this.#inChargeSinceMs > steadyMs) this.#crashes = 0;
    const delayMs =
      this.#crashes === 0 ? 0 : Math.min(longestBackoffMs, firstBackoffMs * 2 ** (this.#crashes - 1));
    this.#crashes++;
    this.#pause = setTimeout(() => {
      this.#current = this.#start('crash');
    }, delayMs);
  }

  #end(status: number): void {
    clearTimeout(this.#pause);
    for (const supervisor of this.#retired) supervisor.process.kill();
    this.#next?.process.kill();
    this.#finish(status);
  }
}

const isHandle = (value: unknown): value is { readonly fd: number; close(): void } =>
  typeof value === 'object' && value !== null && typeof (value as { fd?: unknown }).fd === 'number';
