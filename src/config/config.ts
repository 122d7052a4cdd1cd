/** Everything that can be configured, checked once and frozen. Units stand in the names. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { defaultWorkers } from '../platform/default-workers.ts';
import { isAddressBlock } from './address-blocks.ts';
import { maxStartups, perSourceNetBlockSize, perSourcePenalties } from './limits.ts';
import { isStore } from './store-url.ts';

const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'must be HOST:PORT, like 127.0.0.1:2222 or [::]:2222')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'has a port above 65535');

const addressBlocks = z
  .array(z.string().refine(isAddressBlock, 'must be addresses or blocks like 192.0.2.0/24'))
  .default([]);

/** A host name or an address, as it stands in what tokens are signed for. */
export const domainPattern = /^[\w.:-]+$/;

export const configSchema = z.strictObject({
  /** Where the SSH door listens; port 0 takes any free one. */
  sshListen: listenAddress.default('0.0.0.0:2222'),
  /** Where HTTP is served: POST /exec, and the web servers of containers; unset: nowhere. */
  httpListen: listenAddress.optional(),
  /** Where /healthz and /readyz are served apart from that; unset: nowhere. */
  healthListen: listenAddress.optional(),
  /** Where /metrics is served, for Prometheus; unset: nowhere. */
  metricsListen: listenAddress.optional(),
  /** It may be read from other machines. */
  metricsOffLoopback: z.boolean().default(false),
  /** PEM files; with them the HTTP listener speaks TLS. Read again when they change. */
  tlsCert: z.string().min(1).optional(),
  tlsKey: z.string().min(1).optional(),
  /** A proxy in front does TLS: HTTP may be served off loopback without. */
  httpInsecure: z.boolean().default(false),
  /** Requests a second with the tokens of one key, and how many may come at once. */
  tokenRatePerSecond: z.number().positive().default(10),
  tokenRateBurst: z.int().min(1).default(40),
  /** How long POST /exec lets a command take, and a program in a target. */
  execTimeoutMs: z.int().min(1).max(2_147_483_647).default(30_000),
  execSessionTimeoutMs: z.int().min(1).max(2_147_483_647).default(600_000),
  /** Where accounts, keys and the like are: `lowdb`, a file in the data folder, or a database that several gateways share. */
  store: z.string().refine(isStore, 'must be lowdb, or postgres://USER@HOST/DATABASE').default('lowdb'),
  /** While that database is away, what was read from it holds for so long. */
  storeCacheSeconds: z.number().min(0).max(3600).default(10),
  /** What other gateways on the same database call this one. */
  gatewayName: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be up to 64 letters, digits, dots, hyphens and underscores')
    .default(hostname),
  dataDir: z.string().min(1).default('./data'),
  hostKeysDir: z.string().min(1).default('./hostkeys'),
  /** Public key file of the account `admin`. */
  adminKeyFile: z.string().optional(),
  /** `unix:///var/run/docker.sock`, `tcp://HOST:PORT`; unset: DOCKER_HOST, else the usual socket. */
  docker: z.string().optional(),
  /** The gateway's own name, as people type it. */
  domain: z.string().regex(domainPattern, 'must be a host name or an address').default('localhost'),
  /** Port people connect to, if not the one listened on. */
  publicPort: z.int().min(1).max(65535).optional(),
  targetPrefix: z
    .string()
    .regex(/^[a-z][a-z0-9]*-$/)
    .default('rexec-'),
  /** `all`, or `labelled`: hide containers that carry no `rexec.` label. */
  containers: z.enum(['all', 'labelled']).default('all'),
  /** Whether members may register hosts too; addresses of the gateway's own networks are refused to them. */
  membersMayAddHosts: z.boolean().default(false),
  /** `public`: whoever asks `GET /ACCOUNT.keys` gets the account's public keys. */
  keyFeed: z.enum(['off', 'public']).default('off'),
  /**
   * Whose authorized_keys are kept in step with the keys here: those of containers with the label `rexec.sync=true`, of
   * all, or (`off`) nobody's. What is taken away reaches containers that were synced by a command, whatever this says.
   */
  sync: z.enum(['labelled', 'all', 'off']).default('labelled'),
  maxKeysPerAccount: z.int().min(1).default(100),
  inviteExpiryDays: z.number().positive().default(7),
  /** For so long a key from one address is not asked for its second factor again; 0: always asked. */
  mfaRememberHours: z.number().min(0).max(8760).default(0),
  acceptEnv: z.array(z.string()).default(['LANG', 'LC_*', 'COLORTERM']),
  /** sshd_config's LoginGraceTime; up to a thirtieth more, by chance, so that nobody knows when it ends. */
  loginGraceTimeMs: z.int().min(1).max(2_000_000_000).default(120_000),
  maxStartups,
  /** sshd_config's PerSourceMaxStartups, counted per net block before MaxStartups. */
  perSourceMaxStartups: z.int().min(1).default(10),
  perSourceNetBlockSize,
  perSourcePenalties,
  /** sshd_config's PerSourcePenaltyExemptList: addresses and blocks that get no penalty. */
  perSourcePenaltyExemptList: addressBlocks,
  /**
   * Whose address everybody seems to have behind `docker run -p`, and so has no limits of its own: `auto`, in a container the
   * address of its default gateway; `none`; or an address.
   */
  bridgeAddress: z
    .union([z.literal('auto'), z.literal('none'), z.ipv4(), z.ipv6()], 'must be auto, none or an address')
    .default('auto'),
  /** Proxies that begin each connection with a PROXY header, version 1 or 2: SSH's and HTTP's. From others none is read. */
  proxyProtocolFrom: addressBlocks,
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies: addressBlocks,
  /** sshd_config's MaxAuthTries; a key that is only offered counts against maxKeyProbes. */
  maxAuthTries: z.int().min(1).default(6),
  maxKeyProbes: z.int().min(1).default(20),
  maxConnections: z.int().min(1).default(10_000),
  /** Of those, by SSH, of one account; unset: half. */
  maxConnectionsPerAccount: z.int().min(1).optional(),
  /** sshd_config's MaxSessions. */
  maxSessionsPerConnection: z.int().min(1).default(64),
  maxForwardsPerConnection: z.int().min(1).default(256),
  maxSessionsPerAccount: z.int().min(1).default(256),
  /** sshd_config's ClientAliveInterval and ClientAliveCountMax. */
  keepaliveIntervalMs: z.int().min(0).default(30_000),
  keepaliveCountMax: z.int().min(0).default(3),
  /** For a registered host to be connected to, and again for it to prove its key. */
  hostConnectTimeoutMs: z.int().min(1).default(10_000),
  /** sshd_config's RekeyLimit: new keys after this many bytes, both directions together, or this long. */
  rekeyAfterBytes: z
    .int()
    .min(1024)
    .default(1024 * 1024 * 1024),
  rekeyAfterMs: z.int().min(100).max(2_147_483_647).default(3_600_000),
  /** DATA/audit: a file of so many bytes makes room for the next, and so many full ones are kept (0: all). */
  auditFileBytes: z
    .int()
    .min(4096)
    .default(64 * 1024 * 1024),
  auditKeptFiles: z.int().min(0).default(0),
  /** Nobody is let in while the audit cannot be written. */
  auditRequired: z.boolean().default(false),
  /**
   * What is recorded in DATA/recordings: nothing but the targets and accounts that an admin names (`recording set`), or all
   * sessions in targets; `required`: where none can be made, there is no session.
   */
  recordings: z.enum(['off', 'all', 'required']).default('off'),
  /** What people type, and send to programs, too: passwords with it. */
  recordingInput: z.boolean().default(false),
  /** Of a program without a terminal, so much is recorded of its output, and of its input. */
  recordingExecBytes: z
    .int()
    .min(0)
    .default(1024 * 1024),
  /** One recording is no longer, and all together no more (0: no limit); the oldest make room for others. */
  recordingFileBytes: z
    .int()
    .min(4096)
    .default(1024 * 1024 * 1024),
  recordingsMaxBytes: z
    .int()
    .min(0)
    .default(10 * 1024 * 1024 * 1024),
  /** Older ones are removed; 0: none. */
  recordingsKeptDays: z.number().min(0).default(90),
  /** After the peer is gone: HUP, and after this long TERM. */
  hangupGraceMs: z.int().min(0).default(5_000),
  /**
   * What starts programs in a container without a `docker exec` each (a process of the gateway's there, from the second
   * session of a user within a minute on; for terminals one that waits, after the first) ends when it was not needed for
   * so long; 0: every session is a `docker exec`.
   */
  preparedIdleSeconds: z.number().min(0).max(3600).default(60),
  /** After SIGTERM people are still let in for so long, while `/readyz` tells the balancer in front to send nobody else. */
  drainDelaySeconds: z.number().min(0).max(3600).default(0),
  /** Behind that, sessions have so long to end by themselves; 0: none. */
  drainTimeoutSeconds: z.number().min(0).max(86_400).default(30),
  /** Processes that serve connections; 0: everything is one process. */
  workers: z.int().min(0).max(256).default(defaultWorkers),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

export type Config = Readonly<z.infer<typeof configSchema>>;
