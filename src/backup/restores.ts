/** Restores that the operator asks for, and the hand-over to a successor: whichever comes first decides. */
import { GatewayError } from '../errors.ts';

export interface Restores {
  /** Throws backup-refused once this gateway hands over: the successor would not know of it, until some later start. */
  stage(work: () => Promise<string>): Promise<string>;
  /** Ends this gateway, and starts it again with what was staged; undefined where nobody would. */
  readonly restart: (() => void) | undefined;
  /** Resolves to whether one holds, and whoever asked for it knows; where none does, none begins any more. */
  settled(): Promise<boolean>;
}

export function createRestores(restart: (() => void) | undefined): Restores {
  const answered = Promise.withResolvers<void>();
  let isStaged: Promise<boolean> = Promise.resolve(false);
  let isLeaving = false;
  return {
    async stage(work) {
      if (isLeaving) {
        const problem = 'the gateway is being restarted; try again when that is done';
        throw new GatewayError('backup-refused', { problem });
      }
      const staging = work();
      const before = isStaged;
      isStaged = staging.then(
        () => true,
        () => before,
      );
      return staging;
    },
    restart:
      restart &&
      (() => {
        answered.resolve();
        restart();
      }),
    async settled() {
      isLeaving = true;
      const holds = await isStaged;
      if (holds) await answered.promise;
      return holds;
    },
  };
}
