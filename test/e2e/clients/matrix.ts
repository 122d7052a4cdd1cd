/** Every client that is tried against the gateway, in the order of the table in README.md. */
import { asyncssh } from './asyncssh.ts';
import type { Client } from './client.ts';
import { curlClient } from './curl.ts';
import { dropbear } from './dropbear.ts';
import { newestOpenssh, opensshOfDebian } from './openssh.ts';
import { paramiko } from './paramiko.ts';
import { putty } from './putty.ts';

export const clients: readonly Client[] = [
  opensshOfDebian,
  newestOpenssh,
  putty,
  dropbear,
  paramiko,
  asyncssh,
  curlClient,
];
