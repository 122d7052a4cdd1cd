/** Every client that is tried against the gateway, in the order of the table in README.md. */
import { asyncssh } from './asyncssh.ts';
import type { Client } from './client.ts';
import { curlClient } from './curl.ts';
import { dropbear } from './dropbear.ts';
import { go } from './go.ts';
import { jsch } from './jsch.ts';
import { lftpClient } from './lftp.ts';
import { libssh } from './libssh.ts';
import { netSsh } from './net-ssh.ts';
import { newestOpenssh, opensshOfDebian } from './openssh.ts';
import { paramiko } from './paramiko.ts';
import { putty } from './putty.ts';
import { rcloneClient } from './rclone.ts';
import { russh } from './russh.ts';

/** What people type. */
export const programs: readonly Client[] = [opensshOfDebian, newestOpenssh, putty, dropbear];

/** What programs are built with, each in a small one of its own. */
export const libraries: readonly Client[] = [paramiko, asyncssh, go, netSsh, jsch, russh, libssh];

export const forFiles: readonly Client[] = [curlClient, lftpClient, rcloneClient];

export const clients: readonly Client[] = [...programs, ...libraries, ...forFiles];
