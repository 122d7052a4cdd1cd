import type { FastifyRequest } from 'fastify';
import { DialectFailure } from '../dialect.ts';
import { type Fault, findFaults } from '../faults.ts';

const told: Readonly<Record<Fault, string>> = {
  required: 'is required',
  maxLength: 'is too long',
  type: 'has the wrong type',
};

/** Throws unless the body's fields are what the schema says: `invalid request: name is required`. */
export function refuseFaults(request: FastifyRequest, fields: readonly string[]): void {
  const faults = [...findFaults(request, fields)].map(([field, fault]) => `${field} ${told[fault]}`);
  if (faults.length > 0) throw new DialectFailure(400, { error: `invalid request: ${faults.join(', ')}` });
}
