import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { hostOfStore, labelOfStore } from '../../../src/config/store-url.ts';

const secret = 'hunter2';
const loaded = (sources: { flags?: Record<string, unknown>; env?: NodeJS.ProcessEnv }) =>
  loadConfig({ flags: {}, env: {}, ...sources }).config;
const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
};

describe('the configuration key store', () => {
  it.each([
    'postgres://postern@db.example/postern',
    'postgresql://db.example:5433/postern?sslmode=disable',
    'postgres:///postern?host=/run/postgresql',
    'postgres://postern@/postern?host=%2Frun%2Fpostgresql&port=5433',
    'postgres://[2001:db8::1]/postern',
  ])('may be %s', (store) => {
    expect(loaded({ env: { POSTERN_STORE: store } }).store).toBe(store);
  });

  it.each(['mysql://db/postern', '/data/postern.json', 'postgres:/db', 'postgres://a b/c'])(
    'is refused as %s, with what it may be',
    (store) => {
      expect(messageOf(() => loaded({ flags: { store } }))).toContain(
        'must be lowdb, or postgres://USER@HOST/DATABASE',
      );
    },
  );

  it.each([`postgres://postern:${secret}@db/postern`, `postgres://db/postern?password=${secret}`])(
    'password-in-argv: is refused as a flag with a password, and the sentence does not repeat it',
    (store) => {
      const message = messageOf(() => loaded({ flags: { store } }));
      expect(message).toContain('could be read by everybody on this machine');
      expect(message).not.toContain(secret);
      expect(loaded({ env: { POSTERN_STORE: store } }).store).toBe(store);
    },
  );

  it('password-in-errors: is not repeated where it is malformed', () => {
    const store = `postgres://postern:${secret}@db:port/postern`;
    expect(messageOf(() => loaded({ env: { POSTERN_STORE: store } }))).not.toContain(secret);
  });

  it('is shown without password and parameters', () => {
    const shown = labelOfStore(
      `postgres://postern:${secret}@db:5433/postern?sslkey=/etc/key&password=${secret}`,
    );
    expect(shown).toBe('postgres://postern@db:5433/postern');
    expect(labelOfStore('postgres:///postern?host=/run')).toBe('postgres:///postern');
  });

  it.each([
    ['postgres://a@db.example/x', 'db.example'],
    ['postgres://[::1]:5433/x', '::1'],
    ['postgres:///x?host=/run/postgresql', '/run/postgresql'],
    ['postgres:///x', undefined],
  ])('names the host of %s as %s', (store, host) => {
    expect(hostOfStore(store)).toBe(host);
  });
});
