/** What a gateway's /metrics says. */
export interface MetricsPage {
  readonly text: string;
  /** As Prometheus would have it: `name` or `name{label="value",…}`; undefined where there is no such series. */
  value(series: string): number | undefined;
  /** All series of a metric together. */
  sum(name: string): number;
  /** Of every series, those of histograms with their suffixes. */
  readonly names: ReadonlySet<string>;
}

export async function readMetrics(port: number | undefined): Promise<MetricsPage> {
  return parseMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
}

export function parseMetrics(text: string): MetricsPage {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^([a-z]\w*(?:\{.*\})?) (\S+)$/.exec(line);
    if (found) series.set(found[1] as string, Number(found[2]));
  }
  const nameOf = (key: string) => key.split('{', 1)[0] as string;
  return {
    text,
    value: (key) => series.get(key),
    sum: (name) => [...series].reduce((total, [key, value]) => total + (nameOf(key) === name ? value : 0), 0),
    // A metric with labels has no series before its first value, and yet it is there.
    names: new Set([
      ...[...series.keys()].map(nameOf),
      ...[...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    ]),
  };
}
