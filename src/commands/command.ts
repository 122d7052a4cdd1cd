/**
 * What a command of the lobby is. A command is one file that exports `command`; the interpreter finds
 * it, checks permission and arguments, runs it and renders `text` for people or `data` as JSON.
 */
import type { Writable } from 'node:stream';
import type { Accounts, Invites } from '../accounts/accounts.ts';
import type { Audit } from '../audit/audit.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { GatewayPenalties } from '../auth/gateway-penalties.ts';
import type { TokenAuthenticator } from '../auth/token-authenticator.ts';
import type { CertificateAuthorities } from '../certificate-authorities/certificate-authorities.ts';
import type { Config } from '../config/config.ts';
import type { ContainerSshd } from '../container-sshd/container-sshd.ts';
import type { Engines } from '../engines/engines.ts';
import type { GatewayError } from '../errors.ts';
import type { Hosts } from '../hosts/hosts.ts';
import type { Keys } from '../keys/keys.ts';
import type { Clock } from '../platform/clock.ts';
import type { Recordings } from '../recordings/recordings.ts';
import type { SecondFactors } from '../second-factor/second-factors.ts';
import type { Connections } from '../sessions/connections.ts';
import type {
  SessionContext,
  SessionEnd,
  SessionHandler,
  SessionIo,
  SessionRequest,
} from '../sessions/session.ts';
import type { SessionDirectory } from '../sessions/session-directory.ts';
import type { Store } from '../store/store.ts';
import type { JoinedEngine } from '../targets/joined-engine.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import type { ApiKeys } from '../tokens/api-keys.ts';
import type { Handles } from '../tokens/handles.ts';

/** What commands work with; made once by the composition root. */
export interface CommandServices {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly invites: Invites;
  readonly keys: Keys;
  readonly hosts: Hosts;
  readonly engines: Engines;
  readonly engine: Pick<JoinedEngine, 'statuses'>;
  /** The public half of the gateway's own key, `TYPE BASE64`, which it logs in to hosts with. */
  readonly egressKey: () => Promise<{ readonly publicKey: string; readonly fingerprint: string }>;
  readonly certificateAuthorities: CertificateAuthorities;
  readonly secondFactors: SecondFactors;
  readonly authorizer: Authorizer;
  readonly tokens: TokenAuthenticator;
  readonly handles: Handles;
  readonly apiKeys: ApiKeys;
  readonly targets: TargetDirectory;
  readonly containerSshd: ContainerSshd;
  readonly sessions: SessionDirectory;
  readonly connections: Pick<Connections, 'addCommand'>;
  readonly recordings: Recordings;
  readonly penalties: GatewayPenalties;
  readonly audit: Audit;
  /** Resolves when all events so far are on the disk, or could not be written. */
  readonly flushAudit: () => Promise<void>;
  /** `[host]:port`-independent facts people need to connect: see `ssh-config`. */
  readonly endpoint: () => Endpoint;
  /** A session in a target, as the same person: what `ssh TARGET` in the lobby runs. */
  readonly openTarget: (target: string, user: string | undefined) => SessionHandler;
}

/** How the gateway is reached from outside. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** `TYPE BASE64` lines of the host keys. */
  readonly hostKeys: readonly string[];
  /** The same of who signed their certificates, if they have any. */
  readonly hostAuthorities?: readonly string[];
}

export interface Positional {
  readonly name: string;
  readonly required?: boolean;
  /** Takes all remaining words. Only the last one may. */
  readonly variadic?: boolean;
  /** For Tab. */
  readonly completes?: 'key' | 'target' | 'container' | 'host' | 'account' | 'command';
}

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly describe: string;
  /** `--name=N`: the N. */
  readonly placeholder?: string;
}

export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** By name of the positional; a variadic one is an array. */
  readonly positionals: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** What follows TARGET, verbatim, for a command with `verbatimAfter`. */
  readonly rest?: string;
}

/** Who may run a command: anyone logged in, only keys without restrictions, only admins (with such a key). */
export type Permission = 'anyone' | 'unrestricted' | 'admin';

export interface CommandContext extends CommandServices {
  readonly principal: Principal;
  readonly session: SessionContext;
  readonly request: SessionRequest;
  readonly io: SessionIo;
  /**
   * All of stdin as text, at most `limit` bytes (default 64 KiB). Throws `usage` beyond, and what is thrown at whoever may not run
   * the command any more when it is there. Empty where `interactive`.
   */
  readStdin(limit?: number): Promise<string>;
  /** Stdin is a person's terminal, or holds the lines that come next. */
  readonly interactive: boolean;
  /** Where people see how a long command gets on; unset where nobody looks. */
  readonly progress?: Writable;
  /** Every command there is, in order of their paths. */
  readonly commands: readonly Command[];
  /** Ends the prompt, or the lines on stdin, after this command. */
  leave(): void;
  /** A `usage` error that says how this command is used. */
  usage(problem: string): GatewayError;
}

/** For people; what takes some making is made only where it is shown. */
export type Text = string | (() => string);

/**
 * `data` is the JSON, `text` is for people (empty: no line at all), both without trailing newline; `notice` goes to stderr beside the text.
 * `end` of a raw session instead.
 */
export type CommandResult =
  | {
      readonly data: unknown;
      readonly text: Text;
      readonly notice?: string;
      readonly exitStatus?: number;
    }
  | { readonly end: SessionEnd };

export interface Command {
  /** `['ssh-key', 'add']`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** Longer help, and examples that work when pasted. */
  readonly description?: string;
  readonly examples?: readonly string[];
  readonly positionals: readonly Positional[];
  readonly options: Readonly<Record<string, Option>>;
  readonly permission: Permission;
  /**
   * `proven`: it lets keys or people in, so where the account has a second factor this very connection must have
   * proven it. `spared`: also for an account that must have a second factor and has shown none.
   */
  readonly secondFactor?: 'proven' | 'spared';
  /** What it lets in outlasts the token that ran it: only a token that is as good as the account may run it. */
  readonly outlasts?: boolean;
  /** It changes something: the audit keeps each run, done or failed. */
  readonly changes?: boolean;
  /** It may take minutes, and over HTTP as long as a program in a target; it is ended when it may be run no more. */
  readonly long?: boolean;
  /** After this many words, what follows is `rest`, untouched: `ssh TARGET CMD…`. */
  readonly verbatimAfter?: number;
  /** Of a long one: what `run` asks first, asked again while it runs. Throws a GatewayError, which ends it, when it would be refused now. */
  recheck?(args: Arguments, context: CommandContext): Promise<unknown>;
  run(args: Arguments, context: CommandContext): Promise<CommandResult>;
}
