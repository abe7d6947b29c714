import { entity } from '../__testUtils__/entity';
import {
  afterComparison,
  Comparison,
  isBelievable,
  pauseMs,
} from './comparison';
import { fromFeed } from './entities';
import { initialState } from './state';

const LIMITS = { maxPercent: 20, alwaysAllowed: 0 };
const emitted = (name: string, description?: string) =>
  fromFeed('acme', entity(name, description))!;
const listed = (name: string) => emitted(name);
const ref = (name: string) => `resource:acme/${name}`;

describe('Comparison', () => {
  it('finds what is missing, changed and too many, and nothing else', () => {
    const comparison = new Comparison([]);
    comparison.list(['same', 'changed', 'extra'].map(listed));
    const again = comparison.snapshot([
      emitted('same'),
      emitted('changed', 'as it is now'),
      emitted('missing'),
    ]);
    expect(again.map(it => it.entityRef)).toEqual([
      ref('changed'),
      ref('missing'),
    ]);
    expect(comparison.extras()).toEqual([ref('extra')]);
    expect(comparison.differences).toEqual({
      missing: 1,
      changed: 1,
      extra: 1,
    });
  });

  it('knows what was given and is not shown yet', () => {
    const comparison = new Comparison([ref('same'), ref('hidden')]);
    comparison.list([listed('same')]);
    comparison.snapshot([emitted('same')]);
    expect(comparison.extras()).toEqual([ref('hidden')]);
  });

  it('does not take for too many what moved behind the snapshot while it was read', () => {
    const comparison = new Comparison([]);
    comparison.list([listed('moved')]);
    comparison.snapshot([]);
    comparison.changed({
      upserts: [emitted('moved', 'as it is now')],
      removals: [],
      withheld: [],
    });
    expect(comparison.extras()).toEqual([]);
    expect(comparison.size).toBe(1);
  });

  it('sends nothing again that a change has overtaken', () => {
    const comparison = new Comparison([]);
    comparison.changed({
      upserts: [emitted('new', 'as it is now')],
      removals: [ref('gone')],
      withheld: [],
    });
    expect(comparison.snapshot([emitted('new'), emitted('gone')])).toEqual([]);
  });

  it('takes removals that were kept back for too many', () => {
    const comparison = new Comparison([]);
    comparison.list([listed('kept')]);
    comparison.snapshot([emitted('kept')]);
    comparison.changed({
      upserts: [],
      removals: [],
      withheld: [ref('kept')],
    });
    expect(comparison.extras()).toEqual([ref('kept')]);
  });
});

describe('isBelievable', () => {
  it.each([
    ['as large as before', 100, 100, 100, true],
    ['larger', 100, 150, 100, true],
    ['renamed: as large, and nothing as before', 100, 100, 200, true],
    ['a little smaller', 100, 80, 100, true],
    ['much smaller', 100, 79, 100, false],
    ['empty', 1, 0, 1, false],
    ['never compared, as large as the catalog', undefined, 100, 100, true],
    ['never compared, much smaller', undefined, 10, 100, false],
  ])('%s', (_, baseline, size, givenSize, expected) => {
    const state = { ...initialState(), baseline };
    expect(isBelievable(state, { size, givenSize }, LIMITS)).toBe(expected);
  });

  it('believes an empty feed only if everything may go', () => {
    const state = { ...initialState(), baseline: 5 };
    const empty = { size: 0, givenSize: 5 };
    const everything = { maxPercent: 100, alwaysAllowed: 0 };
    expect(isBelievable(state, empty, everything)).toBe(true);
  });
});

describe('afterComparison', () => {
  const state = { ...initialState(), baseline: 100, removed: 7, withheld: 2 };

  it('starts the count of removals anew', () => {
    expect(afterComparison(state, 90, true, 5)).toMatchObject({
      baseline: 90,
      removed: 0,
      withheld: 0,
      compareAt: 5,
    });
  });

  it('changes nothing when the feed is not believed', () => {
    expect(afterComparison(state, 1, false, 5)).toEqual({
      ...state,
      compareAt: 5,
    });
  });
});

describe('pauseMs', () => {
  const clean = { missing: 0, changed: 0, extra: 0 };
  it.each([
    ['nothing was found', clean, 0, 3_600_000],
    ['something was found', { ...clean, missing: 1 }, 0, 60_000],
    ['again', { ...clean, changed: 1 }, 2, 240_000],
    ['for ever', { ...clean, extra: 1 }, 99, 3_600_000],
  ])('%s', (_, found, round, expected) => {
    expect(pauseMs(found, round, 60_000, 3_600_000)).toBe(expected);
  });
});
