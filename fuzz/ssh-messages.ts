/** Sound messages of RFC 4252 and RFC 4254, as an honest client sends them, to be made dishonest. */
import { boolean, byte, string, uint32 } from '../src/ssh/wire.ts';
import { corpus } from './corpus.ts';

const message = (number: number, ...parts: Buffer[]) => Buffer.concat([byte(number), ...parts]);
const blobs = corpus.signatures.map(({ key }) => Buffer.from(key, 'base64'));
const certificate = Buffer.from(corpus.certificates[0] as string, 'base64');

const login = (method: string, ...parts: Buffer[]) =>
  message(50, string('fuzz'), string('ssh-connection'), string(method), ...parts);

/** Stands for a channel that the gateway has confirmed: the byte behind it says which. */
export const channelMark = Buffer.from([0xc0, 0xde, 0x00]);
const channel = (number: number) => Buffer.concat([channelMark, byte(number)]);

export const loginMessages: readonly Buffer[] = [
  login('none'),
  login('password', boolean(false), string('secret')),
  login('keyboard-interactive', string(''), string('')),
  login(
    'hostbased',
    string('ssh-ed25519'),
    string(blobs[0] as Buffer),
    string('host'),
    string('user'),
    string(''),
  ),
  ...corpus.signatures.flatMap(({ algorithm, signature }, at) => [
    login('publickey', boolean(false), string(algorithm), string(blobs[at] as Buffer)),
    login(
      'publickey',
      boolean(true),
      string(algorithm),
      string(blobs[at] as Buffer),
      string(Buffer.from(signature, 'base64')),
    ),
  ]),
  login('publickey', boolean(false), string('ssh-ed25519-cert-v01@openssh.com'), string(certificate)),
  message(61, uint32(1), string('123456')),
  message(5, string('ssh-userauth')),
  message(5, string('ssh-connection')),
];

/** Of the transport, RFC 4253 §11; at any time. */
export const transportMessages: readonly Buffer[] = [
  message(2, string('ignored')),
  message(3, uint32(7)),
  message(4, boolean(true), string('debug'), string('')),
  message(7, uint32(1), string('ext-info-in-auth@openssh.com'), string('0')),
  message(192, string('ping')),
  message(1, uint32(11), string('bye'), string('')),
];

const open = (type: string, ...parts: Buffer[]) =>
  message(90, string(type), uint32(3), uint32(2 ** 21), uint32(32_768), ...parts);
const request = (name: string, ...parts: Buffer[]) =>
  message(98, channel(0), string(name), boolean(true), ...parts);
const global = (name: string, ...parts: Buffer[]) => message(80, string(name), boolean(true), ...parts);
const size = [uint32(80), uint32(24), uint32(0), uint32(0)];
const target = [string('127.0.0.1'), uint32(80), string('127.0.0.1'), uint32(4_000)];

export const openSession = open('session');

export const connectionMessages: readonly Buffer[] = [
  openSession,
  open('direct-tcpip', ...target),
  open('direct-streamlocal@openssh.com', string('/tmp/x'), string(''), uint32(0)),
  open('x11', string('127.0.0.1'), uint32(6_000)),
  open('tun@openssh.com', uint32(1), uint32(0)),
  message(93, channel(0), uint32(100_000)),
  message(94, channel(0), string('ssh-ed25519 AAAA\n')),
  message(95, channel(0), uint32(1), string('stderr')),
  message(96, channel(0)),
  message(97, channel(0)),
  message(97, channel(1)),
  request('pty-req', string('xterm'), ...size, string(Buffer.from([53, 0, 0, 0, 1, 0]))),
  request('env', string('LANG'), string('C')),
  request('exec', string('whoami')),
  request('exec', string('ssh-key list --json')),
  request('exec', string('help')),
  request('shell'),
  request('subsystem', string('sftp')),
  request('window-change', ...size),
  request('signal', string('TERM')),
  request('break', uint32(0)),
  request('auth-agent-req@openssh.com'),
  request('eow@openssh.com'),
  request('x11-req', boolean(false), string('MIT-MAGIC-COOKIE-1'), string('00'), uint32(0)),
  message(98, channel(0), string('exit-status'), boolean(false), uint32(0)),
  message(91, uint32(0), uint32(1), uint32(100), uint32(1_000)),
  message(92, uint32(0), uint32(1), string('no'), string('')),
  message(99, channel(0)),
  message(100, channel(0)),
  global('tcpip-forward', string('localhost'), uint32(0)),
  global('cancel-tcpip-forward', string('localhost'), uint32(8_080)),
  global('streamlocal-forward@openssh.com', string('/tmp/x')),
  global('no-more-sessions@openssh.com'),
  global('keepalive@openssh.com'),
  global('hostkeys-prove-00@openssh.com', string(blobs[0] as Buffer)),
  message(81),
  message(82),
  login('none'),
];

/** Messages of key exchanges: most end the connection, so they are few among the others. */
export const exchangeMessages: readonly Buffer[] = [
  message(
    20,
    Buffer.alloc(16),
    ...Array.from({ length: 10 }, () => string('none')),
    boolean(false),
    uint32(0),
  ),
  message(21),
  message(30, string(Buffer.alloc(32, 9))),
];
