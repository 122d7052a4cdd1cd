import type { AuditSink } from './audit.ts';

/** Each event with the name of the gateway where it was, for those who read the audits of several together. */
export const atGateway =
  (gateway: string, sink: AuditSink): AuditSink =>
  (event, fields) =>
    sink(event, { ...fields, gateway });
