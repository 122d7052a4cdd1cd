/** One command in a container: what `ssh rexec-web CMD` comes down to, on the real engine. */
import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { textOfBytes } from '../../src/platform/text-of-bytes.ts';
import { containerForAllTests } from '../support/container-engine.ts';
import { images } from '../support/engine.ts';
import { heldMib } from '../support/held-memory.ts';
import { runSession, startSession, terminal } from '../support/session-io.ts';

describe.each([
  ['busybox, each by an exec', images.users, { prepares: false }],
  ['Debian, as it comes', images.debian, {}],
])('a command in %s', (_name, image, options) => {
  const at = containerForAllTests(image, options);

  it('exit-status: ends with the status of the program', async () => {
    for (const status of [0, 1, 2, 3, 42, 77, 99, 125, 126, 127, 128, 129, 130, 137, 143, 200, 254, 255]) {
      expect((await runSession(at.session, `exit ${status}`)).end).toEqual({ exitStatus: status });
    }
  });

  it('killed by a signal it ends with 128 and the number of the signal', async () => {
    expect((await runSession(at.session, 'kill -TERM $$')).end).toEqual({ exitStatus: 143 });
    expect((await runSession(at.session, 'kill -KILL $$')).end).toEqual({ exitStatus: 137 });
  });

  it('a command that is not there gets the words of its own shell, and 127', async () => {
    const { end, stderr } = await runSession(at.session, 'no-such-program-here');
    expect(end).toEqual({ exitStatus: 127 });
    expect(stderr).toMatch(/no-such-program-here.*not found/);
  });

  it('stderr-data: stdout and stderr stay apart, byte for byte', async () => {
    const { stdout, stderr, end } = await runSession(
      at.session,
      'printf "a\\r\\nb"; printf "\\0x\\n" >&2; exit 4',
    );
    expect({ stdout, stderr, end }).toEqual({ stdout: 'a\r\nb', stderr: '\0x\n', end: { exitStatus: 4 } });
  });

  it('nothing of the launcher is seen, though stdout and stderr race', async () => {
    for (let round = 0; round < 10; round++) {
      expect(await runSession(at.session, 'echo out; echo err >&2')).toMatchObject({
        stdout: 'out\n',
        stderr: 'err\n',
      });
    }
  });

  it('stdin-eof: a program that reads to the end ends by itself', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    const running = startSession(at.session, 'cat', { stdin: bytes });
    expect(await running.end).toEqual({ exitStatus: 0 });
    expect(running.stdout()).toEqual(bytes);
  });

  it('stdin stays open until the client ends it', async () => {
    const running = startSession(at.session, 'read a; echo "1:$a"; read b; echo "2:$b"; cat');
    running.stdin.write('x\n');
    await running.saw('1:x');
    running.stdin.write('y\n');
    await running.saw('2:y');
    running.stdin.end('rest');
    expect(await running.end).toEqual({ exitStatus: 0 });
    expect(running.stdout().toString()).toBe('1:x\n2:y\nrest');
  });

  it('a command that is full of quotes and metacharacters arrives as it is', async () => {
    const text = `it's "$HOME" \`id\` \\ ; & | \n \t * end`;
    const { stdout } = await runSession(at.session, `cat <<'EOF'\n${text}\nEOF\n`);
    expect(stdout).toBe(`${text}\n`);
  });

  it('a command in another encoding than UTF-8 arrives as it is, at a terminal too', async () => {
    const command = textOfBytes(Buffer.from("printf %s 'caf\xe9\n' | od -An -to1", 'latin1'));
    for (const pty of [undefined, terminal()]) {
      const { stdout } = await runSession(at.session, command, pty && { pty });
      expect(stdout.trim()).toBe('143 141 146 351 012');
    }
  });

  it('exit-after-100MB: output written right before the exit arrives whole', async () => {
    const hash = createHash('sha256');
    let bytes = 0;
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        bytes += chunk.length;
        done();
      },
    });
    const size = 100 * 1024 * 1024;
    const { end } = await runSession(at.session, `head -c ${size} /dev/zero; exit 9`, { stdout });
    expect({ bytes, end }).toEqual({ bytes: size, end: { exitStatus: 9 } });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.alloc(size)).digest('hex'));
  });

  it('both outputs arrive whole when both are large', async () => {
    const { stdout, stderr } = await runSession(
      at.session,
      'head -c 3000000 /dev/zero | tr "\\0" o; head -c 3000000 /dev/zero | tr "\\0" e >&2',
    );
    expect([stdout.length, stderr.length, /^o+$/.test(stdout), /^e+$/.test(stderr)]).toEqual([
      3_000_000,
      3_000_000,
      true,
      true,
    ]);
  });

  it('background-child-does-not-hang: what keeps stdout open delays the end by less than a second', async () => {
    const delays: number[] = [];
    // A busy machine delays some. The engine by itself would take its 2 s at each.
    for (let round = 0; round < 3; round++) {
      const running = startSession(at.session, 'sleep 300 & echo hi; exit 3', { stdin: '' });
      await running.saw('hi\n');
      const exited = Date.now();
      expect(await running.end).toEqual({ exitStatus: 3 });
      delays.push(Date.now() - exited);
      expect(running.stdout().toString()).toBe('hi\n');
    }
    expect(Math.min(...delays)).toBeLessThan(1_000);
  });

  it('output of a background child after the exit does not hold the session for ever', async () => {
    const started = Date.now();
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
    const { end } = await runSession(at.session, 'yes & exit 5', { stdout });
    expect(end).toEqual({ exitStatus: 5 });
    expect(Date.now() - started).toBeLessThan(20_000);
    await at.container.killProgram('yes');
  });

  it('stdin left unread by a program that exits costs none of its output', async () => {
    const endless = new Readable({ read: () => void endless.push(Buffer.alloc(65_536)) });
    const { end, stdout } = await runSession(at.session, 'sleep 0.3; seq 1 20000; exit 6', {
      stdin: endless,
    });
    endless.destroy();
    expect(end).toEqual({ exitStatus: 6 });
    expect(stdout.trim().split('\n').length).toBe(20_000);
  });

  it('a slow reader gets every byte, also those the program wrote just before it exited', async () => {
    let bytes = 0;
    const stdout = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        // 12 MB at about 2 MB/s: the program's exit comes seconds before the end.
        setTimeout(done, chunk.length / 2_000);
      },
    });
    const { end } = await runSession(at.session, 'head -c 12000000 /dev/zero; exit 8', { stdout });
    expect({ bytes, end }).toEqual({ bytes: 12_000_000, end: { exitStatus: 8 } });
  });

  it('a reader that stops bounds memory: the program waits', async () => {
    const held: (() => void)[] = [];
    const stdout = new Writable({
      highWaterMark: 1024,
      write: (_chunk, _encoding, done) => void held.push(done),
    });
    const before = heldMib();
    const running = startSession(at.session, 'head -c 300000000 /dev/zero; echo done >&2', { stdout });
    await pause(1_500);
    expect(heldMib() - before).toBeLessThan(10);
    expect(running.stderr().toString()).toBe('');
    running.vanish();
    await running.end;
  });

  it('a program that does not read bounds what is taken from the client', async () => {
    let taken = 0;
    const endless = new Readable({
      read() {
        taken += 65_536;
        this.push(Buffer.alloc(65_536));
      },
    });
    const running = startSession(at.session, 'sleep 300', { stdin: endless });
    await pause(1_500);
    expect(taken).toBeLessThan(8 * 1024 * 1024);
    running.vanish();
    await running.end;
    endless.destroy();
  });
});
