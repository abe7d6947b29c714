/** The seeds that a text names: `7`, `1 2 3`, `1-50`. */
export function seeds(text: string): number[] {
  return text.split(/[\s,]+/).flatMap(part => {
    const [, first, last] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? [];
    const from = Number(first);
    const to = Number(last ?? first);
    if (!(to >= from)) {
      throw new Error(
        `--seeds: expected whole numbers or ranges such as 1-50, not ${part}`,
      );
    }
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}
