import { qrText } from '../../second-factor/qr-text.ts';
import type { Command } from '../command.ts';
import { ownAccountId } from '../ssh-key/own-keys.ts';

export const command: Command = {
  path: ['mfa', 'enroll'],
  summary: 'begin to protect your account with a second factor: a code from an authenticator app',
  description:
    'Shows a QR code and the secret in it, once. Nothing is asked of you before you confirmed it with "mfa confirm".',
  examples: ['ssh GATEWAY mfa enroll', 'ssh GATEWAY mfa enroll --invert'],
  positionals: [],
  options: { invert: { type: 'boolean', describe: 'draw the QR code for a light background' } },
  permission: 'unrestricted',
  outlasts: true,
  secondFactor: 'spared',
  changes: true,
  async run({ options }, { secondFactors, principal }) {
    ownAccountId(principal);
    const { secret, url } = await secondFactors.enroll(principal.account);
    const lines = [
      'Scan this with an authenticator app, or type the secret into it:',
      '',
      qrText(url, { invert: options['invert'] === true }),
      '',
      `Secret: ${secret}`,
      `URL: ${url}`,
      '',
      'Then give the code that the app shows:  ssh GATEWAY mfa confirm CODE',
    ];
    return { data: { secret, url }, text: lines.join('\n') };
  },
};
