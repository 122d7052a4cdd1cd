/** Programs that a process of the gateway, which died, has left in containers: they are ended as if their clients had gone. */
import type { Logger } from 'pino';
import { parseEngineAddress } from './engine-address.ts';
import { createEngineApi } from './engine-api.ts';
import { createHangups } from './hangup.ts';
import { createSignaller, type Leader } from './signaller.ts';

export interface LeftPrograms {
  /** `programs`: of the configuration's engine, as `onProgram` told them: plain data. */
  end(programs: readonly unknown[]): void;
  /** Waits, but not for long, until all are ended. */
  close(): Promise<void>;
}

export interface LeftProgramsOptions {
  readonly docker: string | undefined;
  readonly hangupGraceMs: number;
  readonly log: Logger;
}

const closeWithinMs = 10_000;

/** Nothing is dialled before there is something to end. */
export function createLeftPrograms(options: LeftProgramsOptions): LeftPrograms {
  const { docker, log } = options;
  const api = createEngineApi(parseEngineAddress(docker, process.env['DOCKER_HOST']));
  const hangups = createHangups(createSignaller(api), options, log);
  return {
    end(programs) {
      for (const program of programs) if (isLeader(program)) hangups.begin(Promise.resolve(program));
    },
    close: () => hangups.close(closeWithinMs),
  };
}

function isLeader(value: unknown): value is Leader {
  const { containerId, startedAt, engineUser, shell, pid } = (value ?? {}) as Partial<Leader>;
  const isText = [containerId, startedAt, shell].every((each) => typeof each === 'string');
  return isText && Number.isSafeInteger(pid) && (engineUser === undefined || typeof engineUser === 'string');
}
