/** Questions of the port as statements, and their answers as rows that were checked. */
import { GatewayError } from '../../errors.ts';
import { rowShapes } from '../row-shapes.ts';
import { adoptedRow, type Row } from '../rows.ts';
import type { TableName } from '../schema.ts';
import type { Rows } from './database.ts';
import { type Statement, selectAll, selectAny, selectByField, selectById } from './layout.ts';
import type { Answer, Question } from './read-cache.ts';
import { storedKey } from './stored-key.ts';

export type Ask = (statement: Statement, values: readonly unknown[]) => Promise<Rows>;

/** Throws store-corrupt. */
export async function answerOf(question: Question, ask: Ask, label: string): Promise<Answer> {
  const table = question.table as TableName;
  const rows = (await ask(...statementOf(question))).map(({ body }) => readRow(table, String(body), label));
  return question.kind === 'list' ? Object.freeze(rows) : rows[0];
}

function statementOf(question: Question): [Statement, readonly unknown[]] {
  const table = question.table as TableName;
  if (question.kind === 'get') return [selectById(table), [storedKey(question.id)]];
  if (question.kind === 'any') return [selectAny(table), []];
  const { field, value } = question;
  if (field === undefined) return [selectAll(table), []];
  return [selectByField(table, field), [value === undefined ? null : storedKey(value)]];
}

/** Hands err in databases, too. */
export function readRow(table: TableName, body: string, label: string): Row {
  const row = parsed(body);
  const checked = rowShapes[table].safeParse(row);
  if (checked.success) return adoptedRow(row as Row);
  const field = checked.error.issues[0]?.path.join('.') ?? '';
  const problem = `a row of the table "${table}" is malformed${field === '' ? '' : ` (${field})`}`;
  throw new GatewayError('store-corrupt', {
    file: label,
    problem,
    advice: 'Mend it, or restore a dump of it.',
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
