import { DiscoveryApi, FetchApi } from '@backstage/frontend-plugin-api';
import { ResponseError } from '@backstage/errors';
import { TerrasiftTenant } from '@terrasift/backstage-plugin-terrasift-common';
import {
  DeadLetterDecision,
  ResourcesQuery,
  TerrasiftApi,
} from './TerrasiftApi';

type Query = Record<string, string | number | undefined>;

/**
 * {@link TerrasiftApi} over HTTP, through Backstage's backend.
 *
 * @public
 */
export class TerrasiftClient implements TerrasiftApi {
  private readonly discoveryApi: DiscoveryApi;
  private readonly fetchApi: FetchApi;

  constructor(options: { discoveryApi: DiscoveryApi; fetchApi: FetchApi }) {
    this.discoveryApi = options.discoveryApi;
    this.fetchApi = options.fetchApi;
  }

  async tenants(): Promise<TerrasiftTenant[]> {
    return (await this.request('/tenants')).tenants;
  }

  status(tenant: string) {
    return this.tenant(tenant, '/status');
  }

  workspace(tenant: string, workspace: string) {
    return this.tenant(tenant, `/workspaces/${encodeURIComponent(workspace)}`);
  }

  resources(tenant: string, query: ResourcesQuery) {
    return this.tenant(tenant, '/resources', { ...query });
  }

  runs(tenant: string, query: Query) {
    return this.tenant(tenant, '/runs', query);
  }

  audit(tenant: string, query: Query) {
    return this.tenant(tenant, '/audit', query);
  }

  usage(tenant: string) {
    return this.tenant(tenant, '/usage');
  }

  deadLetters(tenant: string, query: Query) {
    return this.tenant(tenant, '/dead-letters', query);
  }

  decide(tenant: string, letter: number, decision: DeadLetterDecision) {
    const path = `/dead-letters/${letter}/${decision}`;
    return this.tenant(tenant, path, {}, 'POST');
  }

  private tenant(tenant: string, path: string, query?: Query, method?: string) {
    const below = `/tenants/${encodeURIComponent(tenant)}${path}`;
    return this.request(below, query, method);
  }

  private async request(
    path: string,
    query: Query = {},
    method: string = 'GET',
  ): Promise<any> {
    const base = await this.discoveryApi.getBaseUrl('terrasift');
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, `${value}`]],
    );
    const text = new URLSearchParams(given).toString();
    const response = await this.fetchApi.fetch(
      `${base}${path}${text && `?${text}`}`,
      { method },
    );
    if (!response.ok) throw await ResponseError.fromResponse(response);
    return response.json();
  }
}
