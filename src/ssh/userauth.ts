/**
 * User authentication, RFC 4252: publickey, then a code by keyboard-interactive where the account has a second
 * factor. Without a key, keyboard-interactive only carries an explanation.
 * ssh2 verifies nothing and counts nothing (library-traps 1, 5); both happen here and in auth/.
 */
import type { AuthContext, Connection, PublicKeyAuthContext } from 'ssh2';
import { type Applicant, isRefusal, type OfferedKey, type Refusal } from '../auth/authenticator.ts';
import type { Identity } from '../auth/identity.ts';
import { type AwaitsCode, awaitsCode, type LoginAuthenticator } from '../auth/second-step.ts';
import type { Config } from '../config/config.ts';
import { plainAlgorithm } from '../keys/certificate.ts';
import { fingerprintOf } from '../keys/parse-public-key.ts';
import { printable } from '../platform/printable.ts';
import { parseLoginName } from '../sessions/login-name.ts';
import type { Peer } from '../sessions/peer.ts';
import type { Address } from '../sessions/session.ts';
import { CodeStep, codeBanner, codeMethods } from './code-step.ts';
import { loginAdvice } from './login-advice.ts';
import type { LoginConduct } from './login-outcome.ts';
import { disconnectReason } from './messages.ts';
import { sendDisconnect, sendPayload } from './ssh2-internals.ts';
import { byte, string } from './wire.ts';

export interface UserauthOptions {
  readonly client: Connection;
  readonly authenticator: LoginAuthenticator;
  readonly config: Config;
  readonly source: Address;
  readonly outer?: Identity;
  /** Ends the connection after a disconnect message. */
  readonly hangUp: () => void;
  /** For penalties: what the peer has just done. */
  readonly onConduct: (conduct: LoginConduct) => void;
  /** For the audit: a signature failed, or the tries are used up. */
  readonly onRefused: (facts: { fingerprint?: string; reason: string }) => void;
  /** Called once, before the client is told of its success: the connection must be ready by then. */
  readonly onAuthenticated: (authenticated: Authenticated) => void;
  /** Called once, after the client was told: the connection protocol has begun. */
  readonly onAccepted: () => void;
}

export interface Authenticated {
  readonly peer: Peer;
  readonly loginName: string;
}

/** What a web page signs says more than the request, so a page could sign for somebody who meant another thing. */
const noBrowserSignatures =
  'Signatures that a web browser makes (webauthn-sk-...) are not accepted here; use the security key with ssh itself.';

const offeredMethods: ('publickey' | 'keyboard-interactive')[] = ['publickey', 'keyboard-interactive'];

/** Answers every USERAUTH_REQUEST until one proves who it is, or the tries are used up. */
export function authenticateUser(options: UserauthOptions): void {
  const { client, config } = options;
  const attempts: Attempts = { requests: 0, probes: 0, offers: 0, inviteRefused: false, failures: 0 };
  const explained = new Set<string>();
  const explain = (text: string) => {
    if (explained.has(text)) return;
    explained.add(text);
    sendBanner(client, `${printable(text)}\n`);
  };
  const refuse = (context: AuthContext, counts: boolean) => {
    if (counts) attempts.failures++;
    if (attempts.failures < config.maxAuthTries && !attempts.codeStep?.isOver) {
      return context.reject(attempts.codeStep ? codeMethods : offeredMethods);
    }
    options.onRefused({ reason: 'too many authentication failures' });
    const advice = attempts.codeStep
      ? 'wait for the next code'
      : 'offer one key with -o IdentitiesOnly=yes -i KEY';
    const text = `Too many authentication failures: ${advice}`;
    sendDisconnect(client, disconnectReason.noMoreAuthMethods, text);
    options.hangUp();
  };
  client.on('authentication', (context) => {
    attempt(options, context, attempts, explain, refuse)
      .then((peer) => {
        if (!peer) return;
        options.onAuthenticated({ peer, loginName: context.username });
        context.accept();
        options.onAccepted();
      })
      .catch((error: unknown) => client.emit('error', error as Error));
  });
}

interface Attempts {
  requests: number;
  probes: number;
  /** Keys offered, signed for or not. */
  offers: number;
  /** An invite was refused, and that said. */
  inviteRefused: boolean;
  failures: number;
  /** The key is proven, and a code is awaited: no other method, key or user name counts any more. */
  codeStep?: CodeStep;
}

/** One USERAUTH_REQUEST: a peer if it proved one; otherwise it has been answered. */
async function attempt(
  options: UserauthOptions,
  context: AuthContext,
  attempts: Attempts,
  explain: (text: string) => void,
  refuse: (context: AuthContext, counts: boolean) => void,
): Promise<Peer | undefined> {
  attempts.requests++;
  if (attempts.codeStep) return attemptCode(options, context, attempts, attempts.codeStep, explain, refuse);
  if (context.method === 'keyboard-interactive') {
    // A server cannot tell which offered key is the last, but a client that turns to this has none left.
    const advice = loginAdvice(joinCode(options, context) !== undefined, attempts);
    if (advice !== undefined) explain(advice);
    refuse(context, true);
    return undefined;
  }
  if (context.method !== 'publickey') {
    // No other method is ever named as one that can go on: whoever sends a password is guessing.
    if (context.method !== 'none') options.onConduct('authfail');
    // By `none` a client asks what there is, first of all and once (RFC 4252 §5.2); sshd counts it from then on, too.
    refuse(context, context.method !== 'none' || attempts.requests > 1);
    return undefined;
  }
  return attemptKey(options, context, attempts, explain, refuse);
}

/** The invite's code in the login name, where it carries one. */
function joinCode({ config, outer }: UserauthOptions, { username }: AuthContext): string | undefined {
  const destination = parseLoginName(username, config.targetPrefix);
  return destination.kind === 'join' && !outer ? destination.code : undefined;
}

/** A key and what it is offered for. */
interface Offer {
  readonly offered: OfferedKey;
  /** Of an invite, where the login name carries one. */
  readonly code: string | undefined;
  /** Undefined: one that is never accepted. */
  readonly algorithm: string | undefined;
}

/** RFC 4252 §7: with a signature to prove who it is, without one to ask whether it is worth making one. */
async function attemptKey(
  options: UserauthOptions,
  context: PublicKeyAuthContext,
  attempts: Attempts,
  explain: (text: string) => void,
  refuse: (context: AuthContext, counts: boolean) => void,
): Promise<Peer | undefined> {
  const { source, outer } = options;
  options.onConduct('offered');
  attempts.offers++;
  const offered: OfferedKey = { blob: context.key.data, source, ...(outer ? { outer } : {}) };
  const offer: Offer = {
    offered,
    code: joinCode(options, context),
    algorithm: signatureAlgorithm(context),
  };
  if (context.key.algo.startsWith('webauthn-sk-')) explain(noBrowserSignatures);

  if (context.signature === undefined || context.blob === undefined) {
    attempts.probes++;
    const refused = await probe(options, context, offer);
    attempts.inviteRefused ||= refused?.refused === 'invite';
    if (refused?.detail) explain(`${refused.detail}.`);
    if (refused) refuse(context, attempts.probes > options.config.maxKeyProbes);
    return undefined;
  }
  const proven = await verify(options, context, offer);
  if (awaitsCode(proven)) {
    attempts.codeStep = new CodeStep(proven, context.username);
    explain(codeBanner);
    context.reject(codeMethods, true);
    return undefined;
  }
  if (!isRefusal(proven)) return toPeer(proven);
  attempts.inviteRefused ||= proven.refused === 'invite';
  options.onConduct(proven.refused === 'invite' ? 'invaliduser' : 'authfail');
  options.onRefused({ reason: proven.refused, fingerprint: fingerprintOf(offered.blob) });
  if (proven.detail) explain(`${proven.detail}.`);
  refuse(context, true);
  return undefined;
}

/** One USERAUTH_REQUEST of somebody whose key is proven. */
async function attemptCode(
  { authenticator, onRefused, onConduct }: UserauthOptions,
  context: AuthContext,
  attempts: Attempts,
  step: CodeStep,
  explain: (text: string) => void,
  refuse: (context: AuthContext, counts: boolean) => void,
): Promise<Peer | undefined> {
  if (context.method !== 'keyboard-interactive' || !step.mayAsk(context)) {
    refuse(context, true);
    return undefined;
  }
  const { fingerprint } = step.awaits;
  let aborted = false;
  context.on('abort', () => {
    aborted = true;
  });
  const code = await step.ask(context);
  const proven = code === undefined ? undefined : await authenticator.proveCode(step.awaits, code);
  const refusal = proven && 'refused' in proven ? proven : undefined;
  if (!proven || refusal) onRefused({ reason: refusal?.refused ?? 'no code', fingerprint });
  if (refusal) onConduct('authfail');
  if (refusal?.final) step.end();
  // RFC 4252 §5: another request has taken the place of this one, and is answered instead.
  if (aborted) {
    attempts.failures++;
    return undefined;
  }
  if (proven && !('refused' in proven)) return { kind: 'account', identity: proven };
  if (refusal) explain(refusal.detail);
  refuse(context, true);
  return undefined;
}

/** What stands against this key; where nothing does, the client has been told to sign. */
async function probe(
  { authenticator, onConduct }: UserauthOptions,
  context: PublicKeyAuthContext,
  { offered, code, algorithm }: Offer,
): Promise<Partial<Refusal> | undefined> {
  const answer =
    code === undefined
      ? await authenticator.probe(offered)
      : await authenticator.probeApplicant(offered, code);
  if (answer !== 'known') {
    // The answer tells whether there is such an invite, so asking is a try.
    if (answer.refused === 'invite') onConduct('invaliduser');
    return answer;
  }
  if (algorithm === undefined) return {};
  // The probe's answer must name the algorithm that was asked (library-traps 7).
  context.key.algo = algorithm;
  context.accept();
  return undefined;
}

async function verify(
  { authenticator }: UserauthOptions,
  context: PublicKeyAuthContext,
  { offered, code, algorithm }: Offer,
): Promise<Identity | AwaitsCode | Applicant | Refusal> {
  if (algorithm === undefined) return { refused: 'signature' };
  const request = {
    ...offered,
    algorithm,
    // The whole blob, thanks to ssh2-internals.
    signature: context.signature as Buffer,
    data: context.blob as Buffer,
  };
  return code === undefined
    ? authenticator.authenticate(request)
    : authenticator.authenticateApplicant(request, code);
}

const toPeer = (proven: Identity | Applicant): Peer =>
  'accountId' in proven ? { kind: 'account', identity: proven } : { kind: 'applicant', applicant: proven };

/** The name on the wire; undefined for SHA-1 RSA, DSA and browsers', which are never accepted (library-traps 7). */
function signatureAlgorithm(context: PublicKeyAuthContext): string | undefined {
  const { hashAlgo } = context as PublicKeyAuthContext & { hashAlgo?: 'sha256' | 'sha512' };
  if (context.key.algo === 'ssh-dss' || context.key.algo.startsWith('webauthn-sk-')) return undefined;
  // As an algorithm, ssh-rsa-cert-v01@openssh.com means SHA-1 too.
  if (/-cert-v\d\d@/.test(context.key.algo)) return plainAlgorithm(context.key.algo) && context.key.algo;
  if (context.key.algo !== 'ssh-rsa') return context.key.algo;
  if (hashAlgo === 'sha512') return 'rsa-sha2-512';
  return hashAlgo === 'sha256' ? 'rsa-sha2-256' : undefined;
}

/** SSH_MSG_USERAUTH_BANNER, RFC 4252 §5.4. ssh2 offers one fixed text per server only (library-traps 20). */
const sendBanner = (client: Connection, text: string): void =>
  sendPayload(client, Buffer.concat([byte(53), string(text), string('')]));
