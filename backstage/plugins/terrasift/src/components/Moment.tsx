const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** How long ago something was; the exact time is in the element, and shown on hover. */
export function Moment(props: { at: string; now?: Date }) {
  const at = new Date(props.at);
  if (Number.isNaN(at.getTime())) return <>unknown</>;
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()}>
      {ago((at.getTime() - (props.now ?? new Date()).getTime()) / 1000)}
    </time>
  );
}

function ago(seconds: number): string {
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) {
      return format.format(Math.trunc(seconds / length), unit);
    }
  }
  return Math.abs(seconds) < 10
    ? 'just now'
    : format.format(Math.trunc(seconds), 'second');
}
