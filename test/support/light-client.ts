/**
 * An SSH client that costs next to nothing, so that thousands of them leave the machine to the server: one key
 * exchange (curve25519-sha256, aes128-gcm) and the login as OpenSSH does it (none, the key offered, the key signed).
 * It does not check the server's signature, and uses one X25519 key for all its connections.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { createConnection, type Socket } from 'node:net';

export interface LightClient {
  /** Resolves when logged in; keepalives are answered from then on. Rejects when that fails, or the connection ends first. */
  logIn(): Promise<Socket>;
}

const version = Buffer.from('SSH-2.0-light');
const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex');

const uint32 = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};
const string = (value: string | Buffer) => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
};
const message = (type: number, ...fields: Buffer[]) => Buffer.concat([Buffer.from([type]), ...fields]);
/** RFC 4251 §5, of a positive number. */
const mpint = (value: Buffer) => {
  const start = value.findIndex((byte) => byte !== 0);
  const digits = value.subarray(start);
  return string((digits[0] as number) & 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
};

const nameLists = [
  'curve25519-sha256',
  'ssh-ed25519',
  ...['aes128-gcm@openssh.com', 'aes128-gcm@openssh.com'],
  ...['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-256-etm@openssh.com'],
  ...['none', 'none'],
  ...['', ''],
];

/** `key`: an ed25519 private key that the gateway knows, PKCS#8 PEM. */
export function createLightClient(port: number, key: string): LightClient {
  const privateKey = createPrivateKey(key);
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32);
  const publicBlob = Buffer.concat([string('ssh-ed25519'), string(raw)]);
  const ephemeral = generateKeyPairSync('x25519');
  return { logIn: () => logIn(port, { privateKey, publicBlob, ephemeral }) };
}

interface Keys {
  readonly privateKey: KeyObject;
  readonly publicBlob: Buffer;
  readonly ephemeral: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

/** RFC 5647 §7.1: four fixed bytes, then a counter. */
class GcmDirection {
  readonly key: Buffer;
  readonly iv: Buffer;

  constructor(key: Buffer, iv: Buffer) {
    this.key = key;
    this.iv = iv;
  }

  next(): void {
    this.iv.writeBigUInt64BE(BigInt.asUintN(64, this.iv.readBigUInt64BE(4) + 1n), 4);
  }
}

function logIn(port: number, keys: Keys): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve, reject) => {
    const connection = new LightConnection(socket, keys, resolve);
    let failure = new Error('closed before the login was done');
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once('close', () => reject(failure));
    socket.on('data', (chunk) => {
      try {
        connection.take(chunk);
      } catch (error) {
        failure = error as Error;
        socket.destroy();
      }
    });
  });
}

class LightConnection {
  readonly #socket: Socket;
  readonly #keys: Keys;
  readonly #onLogin: (socket: Socket) => void;
  #input: Buffer = Buffer.alloc(0);
  #theirVersion: Buffer | undefined;
  #kexinit = message(20, randomBytes(16), ...nameLists.map(string), Buffer.alloc(5));
  #theirKexinit: Buffer = Buffer.alloc(0);
  #sessionId: Buffer = Buffer.alloc(0);
  #newKeys: { out: GcmDirection; in: GcmDirection } | undefined;
  #out: GcmDirection | undefined;
  #in: GcmDirection | undefined;
  #offered = false;
  readonly #handlers: ReadonlyMap<number, (payload: Buffer) => void>;

  constructor(socket: Socket, keys: Keys, onLogin: (socket: Socket) => void) {
    this.#socket = socket;
    this.#keys = keys;
    this.#onLogin = onLogin;
    this.#handlers = new Map<number, (payload: Buffer) => void>([
      [20, (payload) => this.#exchange(payload)],
      [31, (payload) => this.#exchanged(payload)],
      [21, () => this.#useNewKeys()],
      [6, () => this.#request('none')],
      [51, () => this.#refused()],
      [60, () => this.#signedRequest()],
      [52, () => this.#onLogin(socket)],
      [80, (payload) => this.#globalRequest(payload)],
    ]);
    socket.write(Buffer.concat([version, Buffer.from('\r\n')]));
  }

  take(chunk: Buffer): void {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    if (!this.#theirVersion) {
      const end = this.#input.indexOf('\r\n');
      if (end < 0) return;
      this.#theirVersion = this.#input.subarray(0, end);
      this.#input = this.#input.subarray(end + 2);
    }
    for (;;) {
      const payload = this.#read();
      if (!payload) return;
      this.#handlers.get(payload[0] as number)?.(payload);
    }
  }

  #read(): Buffer | undefined {
    if (this.#input.length < 4) return undefined;
    const length = this.#input.readUInt32BE(0);
    const end = 4 + length + (this.#in ? 16 : 0);
    if (this.#input.length < end) return undefined;
    let body = this.#input.subarray(4, 4 + length);
    if (this.#in) {
      const decipher = createDecipheriv('aes-128-gcm', this.#in.key, this.#in.iv);
      decipher.setAAD(this.#input.subarray(0, 4)).setAuthTag(this.#input.subarray(4 + length, end));
      body = decipher.update(body);
      decipher.final();
      this.#in.next();
    }
    this.#input = this.#input.subarray(end);
    return body.subarray(1, body.length - (body[0] as number));
  }

  #send(payload: Buffer): void {
    const block = this.#out ? 16 : 8;
    // The length counts for the padding only where it is encrypted.
    const unpadded = payload.length + (this.#out ? 1 : 5);
    const padding = block - (unpadded % block) + (block - (unpadded % block) < 4 ? block : 0);
    const length = uint32(1 + payload.length + padding);
    const body = Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding)]);
    if (!this.#out) {
      this.#socket.write(Buffer.concat([length, body]));
      return;
    }
    const cipher = createCipheriv('aes-128-gcm', this.#out.key, this.#out.iv);
    const sealed = cipher.setAAD(length).update(body);
    cipher.final();
    this.#out.next();
    this.#socket.write(Buffer.concat([length, sealed, cipher.getAuthTag()]));
  }

  #exchange(payload: Buffer): void {
    this.#theirKexinit = Buffer.from(payload);
    this.#send(this.#kexinit);
    this.#send(message(30, string(this.#ephemeralKey())));
  }

  #ephemeralKey(): Buffer {
    return this.#keys.ephemeral.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  }

  #exchanged(payload: Buffer): void {
    const hostKey = payload.subarray(5, 5 + payload.readUInt32BE(1));
    const theirs = payload.subarray(5 + hostKey.length + 4, 5 + hostKey.length + 4 + 32);
    const publicKey = createPublicKey({
      key: Buffer.concat([x25519Prefix, theirs]),
      format: 'der',
      type: 'spki',
    });
    const secret = mpint(diffieHellman({ privateKey: this.#keys.ephemeral.privateKey, publicKey }));
    const hashed = [version, this.#theirVersion as Buffer, this.#kexinit, this.#theirKexinit, hostKey];
    const hash = createHash('sha256');
    for (const each of [...hashed, this.#ephemeralKey(), theirs]) hash.update(string(each));
    const exchangeHash = hash.update(secret).digest();
    this.#sessionId = exchangeHash;
    // RFC 4253 §7.2.
    const derive = (letter: string, bytes: number) =>
      createHash('sha256')
        .update(Buffer.concat([secret, exchangeHash, Buffer.from(letter), this.#sessionId]))
        .digest()
        .subarray(0, bytes);
    this.#newKeys = {
      out: new GcmDirection(derive('C', 16), derive('A', 12)),
      in: new GcmDirection(derive('D', 16), derive('B', 12)),
    };
  }

  #useNewKeys(): void {
    this.#send(message(21));
    this.#in = this.#newKeys?.in;
    this.#out = this.#newKeys?.out;
    this.#send(message(5, string('ssh-userauth')));
  }

  #request(method: string, ...fields: Buffer[]): void {
    this.#send(message(50, string('light'), string('ssh-connection'), string(method), ...fields));
  }

  #refused(): void {
    if (this.#offered) throw new Error('the key was refused');
    this.#offered = true;
    this.#request('publickey', Buffer.from([0]), string('ssh-ed25519'), string(this.#keys.publicBlob));
  }

  #signedRequest(): void {
    const { publicBlob, privateKey } = this.#keys;
    const fields = [Buffer.from([1]), string('ssh-ed25519'), string(publicBlob)];
    const request = [string('light'), string('ssh-connection'), string('publickey'), ...fields];
    const signed = Buffer.concat([string(this.#sessionId), message(50, ...request)]);
    const signature = Buffer.concat([string('ssh-ed25519'), string(sign(null, signed, privateKey))]);
    this.#send(message(50, ...request, string(signature)));
  }

  /** A keepalive wants an answer, RFC 4254 §4; refused is one. */
  #globalRequest(payload: Buffer): void {
    const wantReply = payload[5 + payload.readUInt32BE(1)];
    if (wantReply) this.#send(message(82));
  }
}
