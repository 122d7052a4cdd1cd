/** Programs that a process of the gateway, which died, has left in containers: they are ended as if their clients had gone. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type EngineAddress, parseEngineAddress } from './engine-address.ts';
import { createEngineApi } from './engine-api.ts';
import { createHangups, type Hangups } from './hangup.ts';
import { createSignaller, type Leader } from './signaller.ts';

export interface LeftPrograms {
  /** `programs`: as `onProgram` told them, plain data; with the `engine`'s id where that is not the configuration's. */
  end(programs: readonly unknown[]): void;
  /** Waits, but not for long, until all are ended. */
  close(): Promise<void>;
}

export interface LeftProgramsOptions {
  readonly docker: string | undefined;
  /** To the registered engine of that id; rejects where there is none any more. */
  readonly dial: (engineId: string) => Promise<Duplex>;
  readonly hangupGraceMs: number;
  readonly log: Logger;
}

const closeWithinMs = 10_000;

/** Nothing is dialled before there is something to end. */
export function createLeftPrograms(options: LeftProgramsOptions): LeftPrograms {
  const { docker, dial, log } = options;
  const opened = new Map<string | undefined, Hangups>();
  const addressOf = (engine: string | undefined): EngineAddress =>
    engine === undefined
      ? parseEngineAddress(docker, process.env['DOCKER_HOST'])
      : { kind: 'dialled', dial: () => dial(engine) };
  const hangupsOf = (engine: string | undefined) => {
    const found =
      opened.get(engine) ?? createHangups(createSignaller(createEngineApi(addressOf(engine))), options, log);
    opened.set(engine, found);
    return found;
  };
  return {
    end(programs) {
      for (const program of programs) {
        if (isLeft(program)) hangupsOf(program.engine).begin(Promise.resolve(program));
      }
    },
    async close() {
      await Promise.all([...opened.values()].map((each) => each.close(closeWithinMs)));
    },
  };
}

type LeftProgram = Leader & { readonly engine?: string };

function isLeft(value: unknown): value is LeftProgram {
  const { containerId, startedAt, engineUser, shell, pid, engine } = (value ?? {}) as Partial<LeftProgram>;
  const isText = [containerId, startedAt, shell].every((each) => typeof each === 'string');
  const isTextOrUnset = [engineUser, engine].every((each) => each === undefined || typeof each === 'string');
  return isText && Number.isSafeInteger(pid) && isTextOrUnset;
}
