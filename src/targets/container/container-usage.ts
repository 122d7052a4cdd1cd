/** What a container takes now of what is limited; undefined where the engine does not say. */
export interface ContainerUsage {
  /** Without what the kernel would give up of itself. */
  readonly memoryBytes: number | undefined;
  /** Processes and threads. */
  readonly pids: number | undefined;
}

/** Of files, on either of their lists, in the kernel's first and second version of memory.stat. */
const reclaimable = [
  ['total_active_file', 'total_inactive_file'],
  ['active_file', 'inactive_file'],
] as const;

/** The engine's answer to `stats`, which may be a stranger's. */
export function parseUsage(stats: unknown): ContainerUsage {
  const { memory_stats: memory, pids_stats: pids } = fieldsOf(stats);
  const { usage, stats: parts } = fieldsOf(memory);
  const of = fieldsOf(parts);
  const files = reclaimable.find(([name]) => numberOf(of[name]) !== undefined);
  const cached = files?.reduce((sum, name) => sum + (numberOf(of[name]) ?? 0), 0);
  const used = numberOf(usage);
  return {
    // Podman does not say how much of it are files, which may be all.
    memoryBytes: used === undefined || cached === undefined ? undefined : Math.max(0, used - cached),
    pids: numberOf(fieldsOf(pids)['current']),
  };
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
