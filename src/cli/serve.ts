/** `postern serve` as one process: a gateway until a signal ends it. */
import { setTimeout as pause } from 'node:timers/promises';
import { startGateway } from '../gateway.ts';
import { takeInheritedSockets } from '../platform/inherited-sockets.ts';
import { announce } from './announce.ts';
import type { CliCommand } from './run-cli.ts';
import { setUpServe, warnOfSlowCrypto } from './serve-setup.ts';
import { createServiceManager } from './service-manager.ts';
import { awaitSignals, reloadAtHangup, sameSignalMs } from './signals.ts';
import { stopBounded } from './stop-bounded.ts';
import { uncaught } from './uncaught.ts';

export const serve: CliCommand = async (args, terminal) => {
  const setup = await setUpServe(args, terminal);
  if (!setup) return 0;
  const { config, log, readConfig, readConfigOrLast } = setup;
  const signals = awaitSignals();
  let restart = () => {};
  const manager = createServiceManager(terminal.env, log);
  const inheritedSockets = takeInheritedSockets(terminal.env, (sentence) => log.warn(sentence));
  const program = { readConfig, restart: () => restart(), inheritedSockets };
  let gateway = await startGateway(config, log, {}, program);
  reloadAtHangup(() => gateway, log, manager);
  manager.ready();
  const failed = uncaught(() => gateway, log);
  warnOfSlowCrypto(terminal);
  // An engine that accepts and never answers must not keep the gateway from stopping.
  const awaitEnd = async () => {
    const restored = new Promise<'restored'>((resolve) => {
      restart = () => resolve('restored');
    });
    const ended = Promise.race([signals.first, failed, restored]);
    return Promise.race([announce(gateway, terminal.stdout).then(() => ended), ended]);
  };
  let reason = await awaitEnd();
  // A socket that was passed on is closed with the gateway: then systemd starts us again.
  while (reason === 'restored' && inheritedSockets.size === 0) {
    log.info('starting again with the restored backup');
    await gateway.stop(restoreGraceMs, restoredReason);
    gateway = await startGateway(readConfigOrLast(), log, {}, program);
    reason = await awaitEnd();
  }
  manager.stopping();
  const drained =
    reason === 'SIGTERM' ? await Promise.race([gateway.drain(signals.hurry), failed]) : undefined;
  log.info({ reason }, 'stopping');
  await stopBounded(gateway, reason === 'restored' ? restoredReason : undefined);
  // npm's copy of a Ctrl-C finds us while we still take signals, or it would end us as we leave.
  if (reason === 'SIGINT') await pause(sameSignalMs);
  return reason === 'failure' || drained === 'failure' ? 1 : 0;
};

const restoreGraceMs = 2_000;
const restoredReason = 'the gateway was restored from a backup; connect again.';
