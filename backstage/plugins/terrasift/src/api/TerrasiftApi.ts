import { createApiRef } from '@backstage/frontend-plugin-api';
import {
  TerrasiftSchema,
  TerrasiftTenant,
} from '@terrasift/backstage-plugin-terrasift-common';

/**
 * Filters of a page of resources; those that are left out do not filter.
 *
 * @public
 */
export interface ResourcesQuery {
  workspace?: string;
  type?: string;
  module?: string;
  cursor?: string;
  limit?: number;
}

/**
 * What can be done about a dead letter.
 *
 * @public
 */
export type DeadLetterDecision = 'retry' | 'discard';

/**
 * What the cards ask the backend plugin for. Each method but the first is about one tenant, by its id in Backstage's
 * configuration.
 *
 * @public
 */
export interface TerrasiftApi {
  /** The tenants that are granted to who is signed in. */
  tenants(): Promise<TerrasiftTenant[]>;
  status(tenant: string): Promise<TerrasiftSchema<'Status'>>;
  workspace(
    tenant: string,
    workspace: string,
  ): Promise<TerrasiftSchema<'Workspace'>>;
  resources(
    tenant: string,
    query: ResourcesQuery,
  ): Promise<TerrasiftSchema<'ResourcesPage'>>;
  runs(
    tenant: string,
    query: { workspace?: string; cursor?: string; limit?: number },
  ): Promise<TerrasiftSchema<'RunsPage'>>;
  /** What the sanitizer found, newest first. */
  audit(
    tenant: string,
    query: { workspace?: string; limit?: number },
  ): Promise<TerrasiftSchema<'SanitizationsPage'>>;
  usage(tenant: string): Promise<TerrasiftSchema<'Usage'>>;
  deadLetters(
    tenant: string,
    query: { state?: string; cursor?: string; limit?: number },
  ): Promise<TerrasiftSchema<'DeadLettersPage'>>;
  decide(
    tenant: string,
    letter: number,
    decision: DeadLetterDecision,
  ): Promise<TerrasiftSchema<'DeadLetter'>>;
}

/**
 * Reference of {@link TerrasiftApi}.
 *
 * @public
 */
export const terrasiftApiRef = createApiRef<TerrasiftApi>({
  id: 'plugin.terrasift.api',
});
