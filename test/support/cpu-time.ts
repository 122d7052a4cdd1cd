/** How much of the processor this process has used so far, in ms: on a busy machine it stands still while others run. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
