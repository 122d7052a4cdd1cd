import { describe, expect, it } from 'vitest';
import { cpuTimeMs } from '../../../support/cpu-time.ts';
import { leave, prompt, ran, type } from '../../../support/prompt.ts';

describe('secrets at the prompt', () => {
  const key = `-----BEGIN OPENSSH PRIVATE KEY-----\r${'b3BlbnNzaC1rZXktdjEAAAAA\rSECRETBODYSECRETBODY\r'.repeat(3)}-----END OPENSSH PRIVATE KEY-----\r`;

  it('private-key-pasted: refused with the sentence, its body neither run nor echoed, the next line runs', async () => {
    const session = prompt();
    await type(session, `${key}say next\r`, 'said next');
    await leave(session);
    const seen = session.stdout().toString() + session.stderr().toString();
    expect(seen.match(/that is the private key/g)).toHaveLength(1);
    expect(seen).not.toContain('SECRETBODY');
    expect(ran).toEqual(['next']);
  });

  it('a private key that breaks off does not swallow what is typed a second later', async () => {
    const session = prompt();
    session.stdin.write('-----BEGIN OPENSSH PRIVATE KEY-----\rSECRETBODY');
    await expect.poll(() => session.stderr().toString()).toContain('that is the private key');
    await new Promise((resolve) => setTimeout(resolve, 800));
    await type(session, 'say alive\r', 'said alive');
    expect(session.stdout().toString()).not.toContain('SECRETBODY');
    await leave(session);
  });

  it.each(['say exe0.SECRET.SECRET', 'say join+SECRETCODE', 'say exe1.secretsecret'])(
    'the line "%s" is not in the history',
    async (line) => {
      const session = prompt();
      await type(session, `say first\r${line}\r`, /said [ej]/);
      await type(session, '\x1b[A\r', /said first[\s\S]*said first/);
      expect(ran).toEqual(['first', line.slice(4), 'first']);
      await leave(session);
    },
  );
});

describe('hostile input at the prompt', () => {
  it('a paste of 64 KiB in one line keeps the process free', async () => {
    const session = prompt();
    await session.saw('▶');
    const longest = measureBlocking();
    await type(session, `say ${'x'.repeat(60_000)}\r`, /said x{60000}/);
    expect(await longest()).toBeLessThan(500);
    await leave(session);
  });

  it('a line without an end is dropped at 64 KiB', async () => {
    const session = prompt();
    await session.saw('▶');
    for (let count = 0; count < 40; count++) session.stdin.write('y'.repeat(4096));
    await session.saw('longer than 64 KiB');
    await type(session, '\x03say on\r', 'said on');
    await leave(session);
  });

  it('random bytes end in nothing worse than error sentences', async () => {
    const session = prompt();
    await session.saw('▶');
    let seed = 7;
    const bytes = Buffer.from(
      Array.from({ length: 20_000 }, () => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        const byte = (seed >> 8) & 255;
        return byte === 4 ? 65 : byte;
      }),
    );
    const longest = measureBlocking();
    session.stdin.write(bytes);
    session.stdin.write('\x03\rsay survived\r');
    // Looked for now and then: at each of the thousands of echoes, that would take longer than all the rest.
    await expect.poll(() => session.stdout().includes('said survived'), { timeout: 50_000 }).toBe(true);
    expect(await longest()).toBeLessThan(500);
    await leave(session);
  });

  it('invisible controls beyond ASCII are not echoed', async () => {
    const session = prompt();
    await type(session, 'say a\u009b31m\u202eb\r', 'said a31mb');
    await leave(session);
    expect(session.stdout().toString()).not.toMatch(/[\u0080-\u009f\u202e]/);
  });
});

/** The longest time for which this process computed and its event loop was held up, between the call and the call of its result. */
function measureBlocking() {
  let longest = 0;
  let last = cpuTimeMs();
  const timer = setInterval(() => {
    const now = cpuTimeMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    clearInterval(timer);
    return longest;
  };
}
