/** The shape of each table's rows, checked when a file is opened: hands and disks err. Unknown fields are kept. */
import { z } from 'zod';
import type { Rows, TableName } from '../schema.ts';

const id = z.string().min(1);
const time = z.iso.datetime({ offset: true });
const role = z.enum(['admin', 'member']);
const flag = z.boolean().optional();
const texts = z.array(z.string()).optional();

export const rowShapes: { readonly [T in TableName]: z.ZodType<Rows[T]> } = {
  accounts: z.looseObject({
    id,
    name: z.string().min(1),
    email: z.string().optional(),
    role,
    disabled: z.boolean(),
    createdAt: time,
    origin: z.enum(['invite', 'admin-key', 'operator', 'admin']),
    secondFactorRequired: flag,
  }) as z.ZodType<Rows['accounts']>,
  accountNames: z.looseObject({ id, accountId: id }),
  keys: z.looseObject({
    id,
    accountId: id,
    name: z.string().min(1),
    fingerprint: z.string().min(1),
    publicKey: z.string().min(1),
    keyType: z.string().min(1),
    kind: z.enum(['user', 'api']),
    createdAt: time,
    lastUsedAt: time.optional(),
    expiresAt: time.optional(),
    tag: z.string().optional(),
    restrictions: z.looseObject({
      from: z.string().optional(),
      command: z.string().optional(),
      noPty: flag,
      noPortForwarding: flag,
      noAgentForwarding: flag,
      permitOpen: texts,
      permitListen: texts,
      environment: texts,
      noTouchRequired: flag,
      verifyRequired: flag,
    }),
  }) as z.ZodType<Rows['keys']>,
  keyTombstones: z.looseObject({ id, removedAt: time }),
  invites: z.looseObject({
    id,
    codeHash: z.string().min(1),
    role,
    name: z.string().optional(),
    createdBy: z.string(),
    createdAt: time,
    expiresAt: time,
  }) as z.ZodType<Rows['invites']>,
  grants: z.looseObject({
    id,
    targetKey: z.string().min(1),
    accountId: id,
    users: z.array(z.string()),
    noPty: z.boolean(),
    noForwarding: z.boolean(),
    noSftp: z.boolean(),
    createdBy: z.string(),
    createdAt: time,
  }),
  targetTags: z.looseObject({ id, tags: z.array(z.string()) }),
  cas: z.looseObject({
    id,
    name: z.string().min(1),
    fingerprint: z.string().min(1),
    publicKey: z.string().min(1),
    principals: z.array(z.string().min(1)),
    admins: z.boolean(),
    createdBy: z.string(),
    createdAt: time,
  }),
  revocations: z.looseObject({
    id,
    authority: z.string().min(1),
    serial: z.string().optional(),
    keyId: z.string().optional(),
    createdBy: z.string(),
    createdAt: time,
  }) as z.ZodType<Rows['revocations']>,
  secondFactors: z.looseObject({
    id,
    secret: z.string().regex(/^[A-Z2-7]{16,}$/),
    createdAt: time,
    confirmedAt: time.optional(),
    lastStep: z.int().min(0),
    recoveryCodes: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
    wrongCodes: z.int().min(0),
    lockedUntil: time.optional(),
  }) as z.ZodType<Rows['secondFactors']>,
  rememberedLogins: z.looseObject({ id, accountId: id, until: time }),
  secondFactorTargets: z.looseObject({ id, since: time }),
  tokens: z.looseObject({
    id,
    lookup: z.string().regex(/^[0-9a-f]{64}$/),
    sealed: z.string().min(1),
    keyFingerprint: z.string().min(1),
    expiresAt: time.optional(),
    createdAt: time,
    secondFactor: z.literal('proven').optional(),
  }) as z.ZodType<Rows['tokens']>,
};
