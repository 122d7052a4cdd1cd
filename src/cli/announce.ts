import type { Gateway } from '../gateway.ts';

/** What the operator sees at start: where it listens, its fingerprints, the first invite, and whether containers are there. */
export async function announce(gateway: Gateway, stdout: NodeJS.WritableStream): Promise<void> {
  const { host, port } = gateway.endpoint;
  const lines = [`Postern listens for SSH on ${addressText(gateway.sshAddress)}`];
  if (gateway.httpAddress)
    lines.push(`Commands over HTTP: POST ${gateway.httpScheme}://${addressText(gateway.httpAddress)}/exec`);
  if (gateway.healthAddress)
    lines.push(`Health is served on http://${addressText(gateway.healthAddress)}/healthz`);
  if (gateway.metricsAddress)
    lines.push(`Metrics are served on http://${addressText(gateway.metricsAddress)}/metrics`);
  for (const { type, fingerprint } of gateway.hostKeys) lines.push(`Host key ${type} ${fingerprint}`);
  if (gateway.firstInviteCode !== undefined) {
    lines.push(
      'Nobody has an account yet. To become the admin, paste this (with the path of your own key):',
      `  ssh -p ${port} -o IdentitiesOnly=yes -i ~/.ssh/id_ed25519 join+${gateway.firstInviteCode}@${host}`,
    );
  }
  stdout.write(`${lines.join('\n')}\n`);
  const problem = await gateway.engineProblem();
  if (problem !== undefined) {
    stdout.write(`No containers for now: ${problem} Start the engine, or name another with --docker URL.\n`);
  }
}

const addressText = ({ address, port }: { address: string; port: number }) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
