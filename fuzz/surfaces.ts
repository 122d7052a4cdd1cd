/** All surfaces by name. */
import type { Surface } from './surface.ts';
import { certificates } from './surfaces/certificates.ts';
import { commandLines } from './surfaces/command-lines.ts';
import { controlRequests } from './surfaces/control-requests.ts';
import { scpLines, sftpRequestsSurface } from './surfaces/file-transfers.ts';
import { archives, helperOutput, insidePrograms, outputFrames } from './surfaces/hostile-containers.ts';
import { agentAnswersSurface, hostBytes, hostMessagesSurface } from './surfaces/hostile-hosts.ts';
import { httpHeads } from './surfaces/http-heads.ts';
import { httpRequests } from './surfaces/http-requests.ts';
import { keyBlobs, keyFiles } from './surfaces/keys.ts';
import { configuration, names } from './surfaces/names.ts';
import { proxyHeaders } from './surfaces/proxy-headers.ts';
import { secondFactorCodes } from './surfaces/second-factor-codes.ts';
import { signatures, sshsigBlobs } from './surfaces/signatures.ts';
import { sshBytes, sshKeyExchange } from './surfaces/ssh-bytes.ts';
import { sshAfterLogin, sshBeforeLogin } from './surfaces/ssh-connections.ts';
import { permissions, tokens } from './surfaces/tokens.ts';

export const surfaces = {
  'key-blobs': keyBlobs,
  'key-files': keyFiles,
  certificates,
  signatures,
  sshsig: sshsigBlobs,
  tokens,
  permissions,
  codes: secondFactorCodes,
  names,
  configuration,
  commands: commandLines,
  control: controlRequests,
  sftp: sftpRequestsSurface,
  scp: scpLines,
  archives,
  frames: outputFrames,
  helper: helperOutput,
  inside: insidePrograms,
  'http-heads': httpHeads,
  proxy: proxyHeaders,
  agent: agentAnswersSurface,
  'host-bytes': hostBytes,
  'host-messages': hostMessagesSurface,
  http: httpRequests,
  'ssh-bytes': sshBytes,
  'ssh-exchange': sshKeyExchange,
  'ssh-login': sshBeforeLogin,
  'ssh-connection': sshAfterLogin,
} as const satisfies Record<string, Surface>;

export type SurfaceName = keyof typeof surfaces;

export const isSurfaceName = (name: string): name is SurfaceName => Object.hasOwn(surfaces, name);
