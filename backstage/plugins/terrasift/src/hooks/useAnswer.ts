import { DependencyList, useCallback, useEffect, useState } from 'react';

/** How often what is shown is asked for again, while somebody looks. */
const AGAIN_MS = 15_000;

/** What was asked for: not there yet, there, or not to be had. With data and an error, the data is of before. */
export interface Answer<T> {
  data?: T;
  error?: Error;
  pending: boolean;
  /** When the data was asked for. */
  at?: Date;
  reload(): void;
}

/**
 * Asks, and asks again while the page is visible. What was answered stays until something newer is, also when asking
 * fails in between.
 */
export function useAnswer<T>(
  ask: () => Promise<T>,
  dependencies: DependencyList,
): Answer<T> {
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const asking = useCallback(ask, dependencies);
  const [turn, setTurn] = useState(0);
  const [answer, setAnswer] = useState<{
    of?: () => Promise<T>;
    data?: T;
    error?: Error;
    at?: Date;
  }>({});

  useEffect(() => {
    let wanted = true;
    const settle = (outcome: { data: T } | { error: Error }) => {
      if (!wanted) return;
      setAnswer(before => {
        const same = before.of === asking;
        return 'data' in outcome
          ? { of: asking, data: outcome.data, at: new Date() }
          : {
              of: asking,
              error: outcome.error,
              data: same ? before.data : undefined,
              at: same ? before.at : undefined,
            };
      });
    };
    asking().then(
      data => settle({ data }),
      error => settle({ error }),
    );
    return () => {
      wanted = false;
    };
  }, [asking, turn]);

  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setTurn(it => it + 1);
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);

  const reload = useCallback(() => setTurn(it => it + 1), []);
  const current = answer.of === asking ? answer : {};
  return {
    data: current.data,
    error: current.error,
    at: current.at,
    pending: current.data === undefined && current.error === undefined,
    reload,
  };
}
