import { describeHostKey } from '../../hosts/pinned-keys.ts';
import type { Command } from '../command.ts';
import { allWords } from '../text-parts.ts';
import { keyLines } from './host-data.ts';
import { getManagedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'trust'],
  summary: 'pin the host keys that a server behind the gateway shows now',
  description:
    'Shows the fingerprints that are pinned and those that the server shows, and takes these only with --yes. Somebody\n' +
    'between the gateway and the server could show others: compare them first, on the server, with\n' +
    '"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub".',
  examples: ['ssh GATEWAY host trust production-db', 'ssh GATEWAY host trust production-db --yes'],
  positionals: [{ name: 'NAME|ID', required: true, variadic: true, completes: 'host' }],
  options: { yes: { type: 'boolean', describe: 'pin what the server shows now' } },
  permission: 'unrestricted',
  outlasts: true,
  changes: true,
  long: true,
  async run({ positionals, options }, context) {
    const { hosts, audit, principal } = context;
    const host = await getManagedHost(allWords(positionals['NAME|ID']).join(' '), 'host trust', context);
    const seen = await hosts.scan(host);
    const before = host.hostKeys ?? [];
    const [old, shown] = [before.map(describeHostKey), seen.map(describeHostKey)];
    const isSame = before.length === seen.length && seen.every((key) => before.includes(key));
    const isTrusted = isSame || options['yes'] === true;
    if (isTrusted && !isSame) {
      await hosts.pin(host, seen);
      const fingerprints = (keys: typeof old) => keys.map(({ fingerprint }) => fingerprint);
      audit.hostKeysTrusted(principal.identity, {
        host: host.slug,
        before: fingerprints(old),
        after: fingerprints(shown),
      });
    }
    const data = { id: host.id, name: host.name, pinned: old, shown, trusted: isTrusted };
    if (isSame)
      return { data, text: [`"${host.name}" shows the pinned host keys:`, ...keyLines(old)].join('\n') };
    const lines = [
      ...(old.length === 0 ? [`"${host.name}" is unpinned.`] : ['Pinned until now:', ...keyLines(old)]),
      `"${host.name}" shows now:`,
      ...keyLines(shown),
    ];
    if (isTrusted) return { data, text: [...lines, 'These are pinned from now on.'].join('\n') };
    const notice =
      old.length === 0
        ? `nothing was changed; if these are the fingerprints of the server, run "host trust ${host.slug} --yes".`
        : `nothing was changed; somebody may be between the gateway and the server. Only if you know why its keys changed, run "host trust ${host.slug} --yes".`;
    return { data, text: lines.join('\n'), notice, exitStatus: 1 };
  },
};
