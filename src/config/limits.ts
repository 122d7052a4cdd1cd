/** sshd_config(5)'s limits on strangers, by its names and with its defaults. */
import { z } from 'zod';

const percent = z.int().min(1).max(100);

/** MaxStartups: unauthenticated connections start, rate in percent, full; `"10:30:100"` says the same, `"10"` is `"10:100:10"`. */
export const maxStartups = z
  .union(
    [
      z.strictObject({ start: z.int().min(1), ratePercent: percent, full: z.int().min(1) }),
      z
        .string()
        .regex(/^[1-9]\d{0,6}(:([1-9]\d?|100):[1-9]\d{0,6})?$/)
        .transform((text) => {
          const [start = 0, ratePercent = 100, full = start] = text.split(':').map(Number);
          return { start, ratePercent, full };
        }),
    ],
    'must be START:RATE:FULL, like "10:30:100"',
  )
  .refine(({ start, full }) => start <= full, 'must be START:RATE:FULL with START at most FULL')
  .default({ start: 10, ratePercent: 30, full: 100 });

/** PerSourceNetBlockSize, `"32:128"`: how many bits of an address make a source, of IPv4 and of IPv6. */
export const perSourceNetBlockSize = z
  .union(
    [
      z.strictObject({ ipv4Bits: z.int().min(0).max(32), ipv6Bits: z.int().min(0).max(128) }),
      z
        .string()
        .regex(/^(\d|[12]\d|3[0-2]):(\d{1,2}|1[01]\d|12[0-8])$/)
        .transform((text) => {
          const [ipv4Bits = 0, ipv6Bits = 0] = text.split(':').map(Number);
          return { ipv4Bits, ipv6Bits };
        }),
    ],
    'must be the bits of IPv4 and of IPv6, like "32:64"',
  )
  .default({ ipv4Bits: 32, ipv6Bits: 128 });

const seconds = (usual: number) => z.int().min(0).max(31_536_000).default(usual);
const overflow = z.enum(['permissive', 'deny-all']);

/** PerSourcePenalties; `false` is its `no`. */
export const perSourcePenalties = z
  .union(
    [
      z.literal(false),
      z.strictObject({
        /** For who ends in an error of ours. */
        crashSeconds: seconds(90),
        /** For who leaves after signatures, codes or passwords that were refused; over HTTP, for each token. */
        authfailSeconds: seconds(5),
        /** For who leaves without having tried. */
        noauthSeconds: seconds(1),
        /** For who has not logged in within LoginGraceTime. */
        graceExceededSeconds: seconds(10),
        /** For who tries an invite that there is not. */
        invaliduserSeconds: seconds(5),
        /** More does not accumulate. */
        maxSeconds: seconds(600),
        /** Less is not enforced. */
        minSeconds: seconds(15),
        /** So many sources are kept track of, of each family. */
        maxSources4: z.int().min(1).max(1_000_000).default(65_536),
        maxSources6: z.int().min(1).max(1_000_000).default(65_536),
        /** Where there are more: the penalties that end soonest are forgotten, or everybody without exemption is refused. */
        overflow: overflow.default('permissive'),
        overflow6: overflow.optional(),
      }),
    ],
    'must be false, or an object of seconds such as {"authfailSeconds": 5}',
  )
  .prefault({});
