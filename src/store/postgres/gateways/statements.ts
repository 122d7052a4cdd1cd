/** What gateways say to each other in their database. Times are the database's own: no gateway's clock counts. */
import type { Statement } from '../layout.ts';

/** As `postern_is_live` in the migrations has it: who has said nothing for longer holds nothing any more. */
export const silentSeconds = 5;

/** Whether the name was free, or this gateway's own of before. */
export const enter: Statement = {
  name: 'enter',
  text: 'SELECT postern_enter($1, $2, $3, $4)::text AS entered',
};
/** No row: it is none of them any more. */
export const beat: Statement = {
  name: 'beat',
  text: `UPDATE postern_gateways SET beat_at = clock_timestamp() WHERE name = $1 AND incarnation = $2
    RETURNING name`,
};
export const leave: Statement = {
  name: 'leave',
  text: 'DELETE FROM postern_gateways WHERE name = $1 AND incarnation = $2',
};
/** Who is gone for good, and what nobody waits for any more; nothing that somebody is at, so that nobody waits for this. */
export const forget = [
  ['postern_gateways', 'name', "beat_at < clock_timestamp() - interval '1 minute'"],
  ['postern_questions', 'number', "at < clock_timestamp() - interval '1 minute'"],
  ['postern_token_rates', 'key', 'full_at < clock_timestamp()'],
]
  .map(
    ([table, id, isPast]) =>
      `DELETE FROM ${table} WHERE ${id} IN (SELECT ${id} FROM ${table} WHERE ${isPast} LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
  )
  .join(';\n');

const askedChannel = 'postern_asked';
export const answeredChannel = 'postern_answered';
export const listen = `LISTEN ${askedChannel}; LISTEN ${answeredChannel}`;

/** All others that live; NOTIFY carries nothing but numbers. */
export const askOthers: Statement = {
  name: 'ask others',
  text: `WITH asked AS (
      INSERT INTO postern_questions (asked, question)
      SELECT name, $2 FROM postern_gateways WHERE name <> $1 AND postern_is_live(beat_at)
      RETURNING number, asked
    )
    SELECT number::text, asked, pg_notify('${askedChannel}', number::text)::text AS told FROM asked`,
};
export const selectQuestions: Statement = {
  name: 'questions',
  text: 'SELECT number::text, question FROM postern_questions WHERE asked = $1 AND answer IS NULL LIMIT 100',
};
export const answerQuestion: Statement = {
  name: 'answer',
  text: `WITH answered AS (UPDATE postern_questions SET answer = $2 WHERE number = $1 RETURNING number)
    SELECT pg_notify('${answeredChannel}', number::text)::text AS told FROM answered`,
};
export const selectAnswers: Statement = {
  name: 'answers',
  text: `SELECT number::text, answer FROM postern_questions
    WHERE number = ANY ($1::bigint[]) AND length(answer) <= $2`,
};
export const forgetQuestions: Statement = {
  name: 'forget questions',
  text: 'DELETE FROM postern_questions WHERE number = ANY ($1::bigint[])',
};

/** Null where this gateway is none of them any more. */
export const countSlots: Statement = {
  name: 'count slots',
  text: 'SELECT postern_count_slots($1, $2, $3::text[], $4::int[], $5::int[], $6::int[])::text AS granted',
};

/** In an order of its own, so that two gateways do not wait for each other. */
export const spendRates: Statement = {
  name: 'spend rates',
  text: `INSERT INTO postern_token_rates AS known (key, full_at)
    SELECT key, now() + make_interval(secs => count / $3::float8)
    FROM unnest($1::text[], $2::float8[]) AS spent (key, count) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(known.full_at, now()) + (excluded.full_at - now())
    RETURNING key, extract(epoch FROM full_at - now())::text AS seconds,
      (SELECT count(*) FROM postern_gateways WHERE postern_is_live(beat_at))::text AS gateways`,
};
