/** Where SSH connections come in: accepted, counted, asked whose they are, admitted; then given to whoever serves them. */
import type { Penalties } from '../auth/penalties.ts';
import { liveAddressBlocks } from '../config/address-blocks.ts';
import type { Config } from '../config/config.ts';
import type { Listener, ListenerOptions } from '../listening/open-listener.ts';
import { openListener } from '../listening/open-listener.ts';
import { inNameOf, ownEvents } from '../platform/fault-owner.ts';
import { createProxiedAcceptance } from '../proxies/accept-proxied.ts';
import { type AdmissionDependencies, createAdmission } from './admission.ts';
import type { SshArrival, Startup } from './arrival.ts';

export interface SshEntranceOptions extends Omit<AdmissionDependencies, 'config' | 'penalties'> {
  readonly config: AdmissionDependencies['config'] &
    Pick<Config, 'sshListen' | 'maxConnections' | 'proxyProtocolFrom'>;
  readonly penalties: Pick<Penalties, 'refuse' | 'penalise'>;
  /** File descriptor of a socket that listens already, in place of config's `sshListen`. */
  readonly inheritedSocket?: number | undefined;
  /** Contract: ListenerOptions. */
  readonly readAs?: ListenerOptions['readAs'];
}

export interface SshEntrance extends Omit<Listener, 'adopt'> {
  /** Counts one that another process let in before this one, as if it had come here. `address` is the client's own. */
  adopt(address: string, isAuthenticated: boolean): Startup;
  /** As `close`, but who has been accepted still arrives: resolves when the PROXY headers that were awaited are read. */
  leave(): Promise<void>;
}

/** A proxy writes it with its first packet; meanwhile who connects waits in the kernel's queue. */
const headersWithinMs = 1_500;

/** Listens; throws a sentence when it cannot. `onArrival` is called in the tick in which the last byte of a head was read. */
export async function openSshEntrance(
  options: SshEntranceOptions,
  onArrival: (arrival: SshArrival) => void,
): Promise<SshEntrance> {
  const { config, meter, penalties, inheritedSocket, readAs } = options;
  const admission = createAdmission(options);
  const proxied = createProxiedAcceptance(liveAddressBlocks(() => config.proxyProtocolFrom));
  const startupOf = (address: string, admitted: Startup, leave: () => void): Startup => ({
    authenticated: admitted.authenticated,
    left(offence) {
      leave();
      admitted.left();
      if (offence) penalties.penalise(address, offence);
    },
  });
  const listener = await openListener(
    {
      listen: inheritedSocket ?? config.sshListen,
      flag: '--ssh-listen',
      config,
      readAs,
      onFull: () => meter.connectionRefused('max_connections'),
    },
    (socket, leave) => {
      // Until it is a connection: what a proxy says of it is read first.
      const owner = { end: () => socket.destroy() };
      const admit = () =>
        proxied.accept(ownEvents(socket, owner), (ends, head) => {
          const { address } = ends.source;
          const admitted = admission.admit(socket, address);
          if (admitted) onArrival({ socket, ends, head, startup: startupOf(address, admitted, leave) });
        });
      inNameOf(owner, admit);
    },
  );
  return {
    ...listener,
    adopt(address, isAuthenticated) {
      const admitted = admission.adopt(address);
      if (isAuthenticated) admitted.authenticated();
      return startupOf(address, admitted, listener.adopt());
    },
    leave() {
      listener.close();
      return proxied.settle(headersWithinMs);
    },
    close() {
      listener.close();
      proxied.close();
    },
  };
}
