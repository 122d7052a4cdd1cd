/** What the matrix of accesses is made of: everybody, every key, every target, door and kind of channel. */
import type { GrantRow, KeyRow } from '../../src/store/schema.ts';

/** Who somebody is to a target, and what a grant leaves them. */
export const standings: Readonly<Record<string, Partial<GrantRow> | 'admin' | 'manager' | 'none'>> = {
  admin: 'admin',
  manager: 'manager',
  grantee: {},
  'grantee as app': { users: ['app'] },
  'grantee, no pty': { noPty: true },
  'grantee, no forwarding': { noForwarding: true },
  'grantee, no sftp': { noSftp: true },
  'disabled grantee': {},
  stranger: 'none',
};

export const keyKinds: Readonly<Record<string, Partial<KeyRow>>> = {
  plain: {},
  'no-pty': { restrictions: { noPty: true } },
  'no-port-forwarding': { restrictions: { noPortForwarding: true } },
  'no-agent-forwarding': { restrictions: { noAgentForwarding: true } },
  command: { restrictions: { command: 'forced' } },
  'permitopen elsewhere': { restrictions: { permitOpen: ['elsewhere:80'] } },
  'permitlisten elsewhere': { restrictions: { permitListen: ['elsewhere:80'] } },
  'tag that it carries': { tag: 'ci' },
  'tag that it lacks': { tag: 'other' },
  expired: { expiresAt: '2020-01-01T00:00:00.000Z' },
};

export const targets = ['web', 'prod', 'open'] as const;
export type TargetName = (typeof targets)[number];

export const doors = [
  'login name',
  'login name, as app',
  'jump, inner key',
  'jump, outer key',
  'lobby',
  'exec',
  'exec without ssh',
] as const;
export type Door = (typeof doors)[number];

export const kinds = [
  'shell',
  'exec',
  'pty',
  'sftp',
  'agent',
  'direct-tcpip',
  'direct-streamlocal',
  'tcpip-forward',
  'streamlocal-forward',
] as const;
export type Kind = (typeof kinds)[number];

export interface Question {
  readonly standing: string;
  readonly key: string;
  readonly target: TargetName;
  readonly door: Door;
  readonly kind: Kind;
}

/** `forced`: the key's own command ran instead. */
export type Answer = 'yes' | 'no' | 'forced';
