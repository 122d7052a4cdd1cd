import type { Command } from '../command.ts';

export const command: Command = {
  path: ['host', 'key'],
  summary: "the public half of the gateway's own key, for a server's authorized_keys",
  description:
    'The gateway logs in with it to servers that an admin registered with --egress-key, and to no others.',
  examples: [
    'ssh GATEWAY host key',
    "ssh GATEWAY host key | ssh root@db.example.com 'cat >> .ssh/authorized_keys'",
  ],
  positionals: [],
  options: {},
  permission: 'anyone',
  async run(_args, { egressKey, config }) {
    const { publicKey, fingerprint } = await egressKey();
    return { data: { public_key: publicKey, fingerprint }, text: `${publicKey} postern@${config.domain}` };
  },
};
