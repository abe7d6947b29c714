import { stringifyEntityRef } from '@backstage/catalog-model';
import { RemovalLimits } from '../config';
import { Emitted, fromFeed } from './entities';
import { Page } from './FeedClient';
import { FeedState } from './state';

/** What to do with a page. */
export interface PagePlan {
  upserts: Emitted[];
  /** Lower-case refs: the catalog silently removes nothing for others. */
  removals: string[];
  /** Removals that are kept back: a comparison decides about them. */
  withheld: string[];
  /** Refs of what the catalog would refuse. */
  rejected: string[];
  /** Where the provider stands once the page is applied. */
  then: FeedState;
}

/** Decides what to do with a page of changes. */
export function planPage(
  tenant: string,
  state: FeedState,
  page: Page,
  limits: RemovalLimits,
): PagePlan {
  const upserts: Emitted[] = [];
  const rejected: string[] = [];
  const gone: string[] = [];
  for (const change of page.changes) {
    const ref = change.entity_ref.toLocaleLowerCase('en-US');
    if (change.change === 'remove') {
      gone.push(ref);
      continue;
    }
    const emitted = fromFeed(tenant, change.entity!);
    if (emitted && stringifyEntityRef(emitted.entity) === ref) {
      upserts.push(emitted);
    } else {
      rejected.push(ref);
    }
  }
  const counted = state.counted + upserts.length;
  const size = state.baseline ?? counted;
  const left = removalsAllowed(size, limits) - state.removed;
  const removals = gone.slice(0, Math.max(left, 0));
  const withheld = gone.slice(removals.length);
  return {
    upserts,
    removals,
    withheld,
    rejected,
    then: {
      ...state,
      cursor: page.next_cursor,
      counted,
      removed: state.removed + removals.length,
      withheld: state.withheld + withheld.length,
    },
  };
}

/** How many of so many entities may go between two comparisons. */
export function removalsAllowed(size: number, limits: RemovalLimits): number {
  if (limits.maxPercent === 100) return Infinity;
  const share = Math.floor((size * limits.maxPercent) / 100);
  // A feed that is empty all of a sudden is broken more often than a tenant gives up everything.
  return Math.min(Math.max(share, limits.alwaysAllowed), Math.max(size - 1, 0));
}
