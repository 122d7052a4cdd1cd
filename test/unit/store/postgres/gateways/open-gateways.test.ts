/** What gateways tell each other, by a real database. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type GatewaysOptions,
  type OpenGateways,
  openGateways,
} from '../../../../../src/store/postgres/gateways/open-gateways.ts';
import { openPostgresStore } from '../../../../../src/store/postgres/open-postgres-store.ts';
import { keepSilent } from '../../../../support/gateways-on-one-database.ts';
import { createTestDatabase, type TestDatabase } from '../../../../support/postgres.ts';

let database: TestDatabase;
let here: OpenGateways;
let there: OpenGateways;

const open = (name: string, identity = name, more: Partial<GatewaysOptions> = {}) =>
  openGateways({ url: database.url, name, identity, ...more });

beforeAll(async () => {
  database = await createTestDatabase();
  await (
    await openPostgresStore({ url: database.url, gatewayName: 'first', cacheSeconds: () => 10 })
  ).close();
});
afterAll(() => database.drop());
beforeEach(async () => {
  [here, there] = await Promise.all([open('here'), open('there')]);
});
afterEach(() => Promise.all([here.close(), there.close()]));

describe('a question', () => {
  it('is answered by all others, and not by who asks', async () => {
    const third = await open('third');
    for (const each of [here, there, third]) {
      each.onQuestion(async (asked) => ({ asked, by: each.name, quoted: `'"\\u0000é` }));
    }
    const answers = await here.ask({ find: 'x' });
    expect(answers.map(({ gateway }) => gateway).toSorted()).toEqual(['there', 'third']);
    expect(answers[0]?.answer).toMatchObject({ asked: { find: 'x' }, quoted: `'"\\u0000é` });
    await third.close();
    expect((await here.ask({})).map(({ gateway }) => gateway)).toEqual(['there']);
  });

  it('many at once are each answered with their own answer, and leave nothing behind', async () => {
    there.onQuestion(async (asked) => asked);
    here.onQuestion(async (asked) => asked);
    // All of a hundred at once take a busy machine longer than the two seconds that each answer is waited for.
    for (let asked = 0; asked < 100; asked += 20) {
      const numbers = Array.from({ length: 20 }, (_, index) => asked + index);
      const answers = await Promise.all(numbers.map((number) => (number % 2 ? here : there).ask(number)));
      expect(answers.map(([first]) => first?.answer)).toEqual(numbers);
    }
    await expect.poll(() => database.query('SELECT * FROM postern_questions')).toEqual([]);
  });

  it('that is not answered in time has no answer, whoever failed', async () => {
    there.onQuestion(() => Promise.reject(new Error('no')));
    expect(await here.ask({})).toEqual([{ gateway: 'there', answer: undefined }]);
  });
});

describe('the name of a gateway', () => {
  it('name-taken: of one that lives is refused to another, by a sentence', async () => {
    there.onQuestion(async () => 'still');
    await expect(open('there', 'another')).rejects.toMatchObject({
      code: 'gateway-name-taken',
      message: expect.stringContaining('another gateway on this database is called "there"'),
    });
    expect(await here.ask({})).toEqual([{ gateway: 'there', answer: 'still' }]);
  });

  it('of one that died is waited for', async () => {
    await database.query(
      `INSERT INTO postern_gateways VALUES ('lost', 'lost', 'x', clock_timestamp() - interval '4 s')`,
    );
    const next = await open('lost', 'another');
    await next.close();
  });

  it('is free at once for who starts again in the same folder, and who was there before is none any more', async () => {
    const next = await open('there', 'there');
    await expect.poll(() => there.ask({}).catch(({ message }) => message)).toMatch(/is called "there"/);
    expect(there.ageMs()).toBeGreaterThan(0);
    expect((await here.ask({})).map(({ gateway }) => gateway)).toEqual(['there']);
    await next.close();
  });
});

describe('a gateway', () => {
  it('that said nothing for too long is asked nothing, until it does again', async () => {
    const speakAgain = await keepSilent(database, 'there');
    expect(await here.ask({})).toEqual([]);
    there.onQuestion(async () => 'back');
    await speakAgain();
    await expect.poll(() => here.ask({})).toEqual([{ gateway: 'there', answer: 'back' }]);
  });

  it('that died is forgotten after a minute, with all that it had', async () => {
    await database.query(
      `INSERT INTO postern_gateways VALUES ('dead', 'dead', 'x', clock_timestamp() - interval '61 s'),
         ('quiet', 'quiet', 'x', clock_timestamp() - interval '30 s');
       INSERT INTO postern_slots VALUES ('session a', 'dead', 2), ('session a', 'quiet', 1);
       INSERT INTO postern_token_rates VALUES ('full', clock_timestamp()), ('empty', clock_timestamp() + interval '1 minute')`,
    );
    await (await open('next')).close();
    expect(await database.query('SELECT gateway FROM postern_slots')).toEqual([{ gateway: 'quiet' }]);
    expect(await database.query('SELECT key FROM postern_token_rates')).toEqual([{ key: 'empty' }]);
  });

  it('comes in again by itself when nobody knows it any more, or its connection breaks', async () => {
    let reached = 0;
    there.onReach(() => reached++);
    there.onQuestion(async () => 'back');
    await database.query('DELETE FROM postern_gateways');
    await expect.poll(() => here.ask({}).catch(() => [])).toEqual([{ gateway: 'there', answer: 'back' }]);
    expect(reached).toBe(1);
    // Others on the same server have gateways of that name, too.
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'postern there among others' AND datname = current_database()`,
    );
    await expect.poll(() => reached).toBe(2);
    expect(await here.ask({})).toEqual([{ gateway: 'there', answer: 'back' }]);
  });
});
