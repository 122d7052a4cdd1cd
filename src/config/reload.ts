/** Reading the configuration anew while everybody stays. */
import type { Config } from './config.ts';
import type { LiveConfig } from './live-config.ts';

/** Puts in force what can be of a configuration that was read anew, and returns what there is to say about it in sentences. */
export function putInForce(live: LiveConfig, config: Config): string {
  const { applied, waiting } = live.replace(config);
  const done =
    applied.length === 0
      ? 'The configuration was read again; nothing of it that can change while the gateway runs was changed.'
      : `The configuration was read again; in force from now on: ${applied.join(', ')}.`;
  if (waiting.length === 0) return done;
  return `${done} Changed too, but in force only after a restart: ${waiting.join(', ')}.`;
}
