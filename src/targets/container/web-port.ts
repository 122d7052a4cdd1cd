/** Where the web server of a container listens: its address, and the ports it may have there. */
import { GatewayError } from '../../errors.ts';
import type { ContainerDetails } from './engine-api.ts';

export const portLabel = 'rexec.http.port';

/** Tried in this order where nothing says which. */
const usualPorts = [80, 8000, 8080, 3000];

/** The first that listens is meant: of the label, the only exposed TCP port, the usual ones. Throws web-port-invalid. */
export function webPorts({ Config: { Labels, ExposedPorts } }: ContainerDetails, name: string): number[] {
  const label = Labels && Object.hasOwn(Labels, portLabel) ? Labels[portLabel]?.trim() : undefined;
  if (label !== undefined) {
    const port = parsePort(label);
    if (port === undefined) throw new GatewayError('web-port-invalid', { name });
    return [port];
  }
  const exposed = Object.keys(ExposedPorts ?? {}).flatMap((each) => {
    const port = each.endsWith('/tcp') ? parsePort(each.slice(0, -'/tcp'.length)) : undefined;
    return port ?? [];
  });
  return exposed.length === 1 ? exposed : usualPorts;
}

/**
 * One for each of its networks, which need not all be the gateway's. None on no network, on the host's, and on another
 * container's: there is no address that is its own.
 */
export function addressesOf({ NetworkSettings }: ContainerDetails): readonly string[] {
  const networks = Object.values(NetworkSettings.Networks ?? {});
  return networks.flatMap(({ IPAddress, GlobalIPv6Address }) => IPAddress || GlobalIPv6Address || []);
}

function parsePort(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}
