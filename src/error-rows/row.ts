/** A row of the table of errors, and the usual kinds of it. */

/** What a code stands for. */
export interface Row<Params> {
  readonly sentence: (params: Params) => string;
  readonly exitStatus: number;
  readonly httpStatus: number;
}

export const row = <Params = Record<string, never>>(
  exitStatus: number,
  httpStatus: number,
  sentence: (params: Params) => string,
): Row<Params> => ({ sentence, exitStatus, httpStatus });

export const failed = <P = Record<string, never>>(sentence: (params: P) => string) => row(1, 422, sentence);
export const usage = <P = Record<string, never>>(sentence: (params: P) => string) => row(2, 400, sentence);
export const forbidden = <P = Record<string, never>>(sentence: (params: P) => string) =>
  row(1, 403, sentence);
export const session = <P = Record<string, never>>(sentence: (params: P) => string) =>
  row(255, 422, sentence);
