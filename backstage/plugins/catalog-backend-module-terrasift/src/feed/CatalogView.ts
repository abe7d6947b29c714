import { AuthService } from '@backstage/backend-plugin-api';
import { stringifyEntityRef } from '@backstage/catalog-model';
import { CatalogService } from '@backstage/plugin-catalog-node';
import {
  TERRASIFT_DIGEST_ANNOTATION,
  TERRASIFT_TENANT_ANNOTATION,
} from '@terrasift/backstage-plugin-terrasift-common';
import { FeedFailure } from './failure';

const PAGE_SIZE = 1000;

export interface Listed {
  entityRef: string;
  digest?: string;
}

export interface ListedPage {
  entities: Listed[];
  cursor?: string;
}

/** What the catalog shows of a tenant, through its API: what a user can see is what counts. */
export class CatalogView {
  constructor(
    private readonly catalog: CatalogService,
    private readonly auth: AuthService,
  ) {}

  async list(tenant: string, cursor?: string): Promise<ListedPage> {
    try {
      const credentials = await this.auth.getOwnServiceCredentials();
      const fields = [
        'kind',
        'metadata.name',
        'metadata.namespace',
        'metadata.annotations',
      ];
      const page = await this.catalog.queryEntities(
        cursor
          ? { cursor, fields, limit: PAGE_SIZE }
          : {
              filter: {
                [`metadata.annotations.${TERRASIFT_TENANT_ANNOTATION}`]: tenant,
              },
              fields,
              limit: PAGE_SIZE,
            },
        { credentials },
      );
      return {
        entities: page.items.map(entity => ({
          entityRef: stringifyEntityRef(entity),
          digest: entity.metadata.annotations?.[TERRASIFT_DIGEST_ANNOTATION],
        })),
        cursor: page.pageInfo.nextCursor,
      };
    } catch {
      throw new FeedFailure('catalog', 'the catalog cannot be listed');
    }
  }

  /**
   * Has entities processed now: one that was being processed when its catalog died would wait for its next turn. Tells
   * how many could not be: what the catalog does not have, because somebody else's entity has the name, for example.
   */
  async refresh(entityRefs: string[]): Promise<number> {
    let failed = 0;
    for (const entityRef of entityRefs) {
      try {
        const credentials = await this.auth.getOwnServiceCredentials();
        await this.catalog.refreshEntity(entityRef, { credentials });
      } catch {
        failed += 1;
      }
    }
    return failed;
  }
}
