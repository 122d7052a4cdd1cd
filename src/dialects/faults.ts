import type { FastifyRequest, FastifySchemaValidationError } from 'fastify';

/** `required` also stands for null, and for text that is blank. */
export type Fault = 'required' | 'maxLength' | 'type';

/**
 * Which of a body's `fields` are not what the route's schema says, and how; the first thing wrong with each, in the
 * order of `fields`. For routes with `attachValidation`. A body that is no object lacks them all.
 */
export function findFaults(request: FastifyRequest, fields: readonly string[]): ReadonlyMap<string, Fault> {
  const found = new Map<string, Fault>();
  const body = request.body as Readonly<Record<string, unknown>> | null | undefined;
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  const errors: readonly FastifySchemaValidationError[] = request.validationError?.validation ?? [];
  for (const field of fields) {
    const isMissing = errors.some(({ params }) => params['missingProperty'] === field);
    const keyword = errors.find(({ instancePath }) => instancePath === `/${field}`)?.keyword;
    if (!isObject || isMissing || (keyword !== undefined && body[field] === null))
      found.set(field, 'required');
    else if (keyword !== undefined) found.set(field, faultOf(keyword));
  }
  return found;
}

const faultOf = (keyword: string): Fault =>
  keyword === 'pattern' || keyword === 'minLength'
    ? 'required'
    : keyword === 'maxLength'
      ? 'maxLength'
      : 'type';
