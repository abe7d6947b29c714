import { entity } from '../__testUtils__/entity';
import { Page } from './FeedClient';
import { planPage, removalsAllowed } from './page';
import { FeedState, initialState } from './state';

const LIMITS = { maxPercent: 20, alwaysAllowed: 3 };
const page = (upserts: string[], removals: string[]): Page => ({
  changes: [
    ...upserts.map(name => ({
      seq: 1,
      change: 'upsert' as const,
      entity_ref: `resource:acme/${name}`,
      entity: entity(name),
    })),
    ...removals.map(name => ({
      seq: 2,
      change: 'remove' as const,
      entity_ref: `resource:acme/${name}`,
    })),
  ],
  next_cursor: 'next',
  has_more: false,
});

describe('planPage', () => {
  const state: FeedState = { ...initialState(), cursor: 'at', baseline: 100 };
  const plan = (from: FeedState, it: Page, limits = LIMITS) =>
    planPage('acme', from, it, limits);

  it('applies what the page says, and stands behind it then', () => {
    const got = plan(state, page(['a', 'b'], ['c']));
    expect(got.upserts.map(it => it.entityRef)).toEqual([
      'resource:acme/a',
      'resource:acme/b',
    ]);
    expect(got.removals).toEqual(['resource:acme/c']);
    expect(got.withheld).toEqual([]);
    expect(got.then).toEqual({
      ...state,
      cursor: 'next',
      counted: 2,
      removed: 1,
    });
  });

  it('removes by lower-case refs, since others remove nothing', () => {
    expect(plan(state, page([], ['UPPER'])).removals).toEqual([
      'resource:acme/upper',
    ]);
  });

  it('keeps removals back beyond the limit, over all pages since the last comparison', () => {
    const names = Array.from({ length: 30 }, (_, i) => `r${i}`);
    const first = plan(state, page([], names.slice(0, 15)));
    const second = plan(first.then, page([], names.slice(15)));
    expect(first.withheld).toEqual([]);
    expect(second.removals).toHaveLength(5);
    expect(second.withheld).toHaveLength(10);
    expect(second.then).toMatchObject({ removed: 20, withheld: 10 });
    expect(second.then.cursor).toBe('next');
  });

  it('leaves out what the catalog would refuse, and what is not what its ref says', () => {
    const it = page(['a', 'b'], []);
    it.changes[0].entity_ref = 'resource:acme/other';
    it.changes[1].entity = { ...entity('b'), apiVersion: '' };
    expect(plan(state, it)).toMatchObject({
      upserts: [],
      rejected: ['resource:acme/other', 'resource:acme/b'],
    });
  });

  it('marks an entity with the tenant of the configuration, whatever it says itself', () => {
    const it = page(['a'], []);
    it.changes[0].entity!.metadata.annotations['terrasift.io/tenant'] = 'other';
    const [{ entity: emitted, digest }] = plan(state, it).upserts;
    expect(emitted.metadata.annotations).toMatchObject({
      'terrasift.io/tenant': 'acme',
      'terrasift.io/digest': digest,
    });
  });
});

describe('removalsAllowed', () => {
  it.each([
    ['a share', 100, 20, 3, 20],
    ['a few of few', 10, 20, 3, 3],
    ['never the last one', 3, 20, 3, 2],
    ['nothing of nothing', 0, 20, 3, 0],
    ['nothing at all', 100, 0, 0, 0],
    ['everything, if somebody says so', 100, 100, 0, Infinity],
  ])('allows %s', (_, size, maxPercent, alwaysAllowed, expected) => {
    expect(removalsAllowed(size, { maxPercent, alwaysAllowed })).toBe(expected);
  });
});
