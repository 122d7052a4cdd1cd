import type { CertificateFacts } from '../auth/identity.ts';
import { excerpt } from '../platform/excerpt.ts';
import { printable } from '../platform/printable.ts';
import type { Command } from './command.ts';
import { keyData } from './ssh-key/key-data.ts';
import { keyTable } from './ssh-key/key-table.ts';
import { shortTime } from './text-parts.ts';

export const command: Command = {
  path: ['whoami'],
  summary: 'your account, its role and keys, and which key this connection uses',
  examples: ['ssh GATEWAY whoami', 'ssh GATEWAY whoami --json'],
  positionals: [],
  options: {},
  permission: 'anyone',
  secondFactor: 'spared',
  async run(_args, { keys, principal }) {
    const {
      account,
      secondFactor,
      identity: { certificate },
    } = principal;
    const mfa = secondFactor.enrolled ? 'on' : undefined;
    const rows = await keys.list(account.id);
    const named =
      account.email === undefined ? `Account: ${account.name}` : `Email Address: ${account.email}`;
    const lines = [
      named,
      ...(account.email === undefined ? [] : [`Account: ${account.name}`]),
      `Role: ${account.role}`,
      ...(certificate ? [`Certificate: ${certificateText(certificate)}`] : []),
      ...(mfa ? [`MFA: ${mfa}`] : []),
    ];
    return {
      data: {
        account: account.name,
        email: account.email ?? null,
        role: account.role,
        ...(certificate ? { certificate: certificateData(certificate) } : {}),
        ...(mfa ? { mfa } : {}),
        ssh_keys: rows.map((row) => {
          const { public_key, fingerprint, name, current } = keyData(row, principal);
          return { public_key, fingerprint, name, current };
        }),
      },
      text: () => [...lines, 'SSH Keys:', keyTable(rows, principal)].join('\n'),
    };
  },
};

const certificateText = ({ keyId, serial, caName, expiresAt }: CertificateFacts) =>
  `"${printable(excerpt(keyId))}", serial ${serial}, signed by ${caName}${expiresAt === undefined ? '' : `, until ${shortTime(expiresAt, '')} UTC`}`;

/** The certificate of this connection, which then has no registered key. */
const certificateData = ({ keyId, serial, caName, expiresAt }: CertificateFacts) => ({
  key_id: keyId,
  serial,
  ca: caName,
  expires_at: expiresAt ?? null,
});
