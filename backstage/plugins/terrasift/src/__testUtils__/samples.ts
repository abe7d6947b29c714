import { Entity } from '@backstage/catalog-model';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { TerrasiftApi } from '../api/TerrasiftApi';

/** As the demo's entities are. */
export const workspaceEntity: Entity = {
  apiVersion: 'terrasift.io/v1alpha1',
  kind: 'TerraformWorkspace',
  metadata: {
    name: 'acme-01-network-prod-izkgf3a4',
    namespace: 'acme-01',
    title: 'network-prod',
    annotations: {
      'terrasift.io/tenant': 'acme',
      'terraform.io/organization': 'acme-01',
      'terraform.io/workspace-id': 'ws-1',
      'terraform.io/last-updated': '2026-11-26T15:34:25.986Z',
    },
    links: [
      { url: 'https://tfc.example.com/app/acme-01/workspaces/network-prod' },
    ],
  },
  spec: {
    type: 'terraform-workspace',
    owner: 'group:default/platform',
    locked: true,
    autoApply: false,
    terraformVersion: '1.11.0',
    stateTerraformVersion: '1.10.4',
    vcs: { repository: 'acme/network', branch: 'main' },
  },
};

export const resourceEntity: Entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Resource',
  metadata: {
    name: 'acme-01-network-prod-aws_s3_bucket-logs-5yw5i4va',
    namespace: 'acme-01',
    // As the engine has it: no annotation holds a marker.
    title: 'aws_s3_bucket.logs["[REDACTED:pii]"]',
    annotations: {
      'terrasift.io/tenant': 'acme',
      'terraform.io/organization': 'acme-01',
      'terraform.io/workspace-id': 'ws-1',
      'terraform.io/resource-type': 'aws_s3_bucket',
      'terraform.io/region': 'eu-central-1',
    },
    // eslint-disable-next-line no-script-url -- what must not become a link
    links: [{ url: 'javascript:alert(1)' }],
  },
  spec: {
    type: 'bucket',
    owner: 'group:default/platform',
    dependsOn: ['terraformworkspace:acme-01/acme-01-network-prod-izkgf3a4'],
  },
};

export const workspace: TerrasiftSchema<'Workspace'> = {
  workspace: 'ws-1',
  serial: 7,
  rule_set: 3,
  state_version: 'sv-s8FQ3Jyxu61dz9PB',
  synced_at: '2026-11-26T15:34:31Z',
  stale: false,
  resource_count: 113,
  state_bytes: 153_608,
};

export const status: TerrasiftSchema<'Status'> = {
  slug: 'acme-01',
  feed_epoch: 1,
  head: 400,
  workspaces: 6,
  stale_workspaces: 1,
  waiting_workspaces: 2,
  open_dead_letters: 3,
  last_synced_at: '2026-11-26T15:34:31Z',
  oldest_synced_at: '2026-11-26T15:34:30Z',
};

export const resources: TerrasiftSchema<'ResourceLine'>[] = [
  line('aws_s3_bucket.logs', 'aws_s3_bucket'),
  line('module.network.aws_vpc.main', 'aws_vpc', 'module.network'),
  line('aws_iam_user.people["[REDACTED:pii]#2"]', 'aws_iam_user'),
];

function line(address: string, type: string, module?: string) {
  return {
    entity_ref: `resource:acme-01/${type}`,
    address,
    type,
    module,
    provider: 'aws',
    owner: 'group:default/platform',
    workspace: 'ws-1',
  };
}

export const sanitization: TerrasiftSchema<'Sanitization'> = {
  id: 18,
  at: '2026-11-26T15:34:31Z',
  workspace: 'ws-1',
  serial: 7,
  pipeline_version: 1_000_001,
  rule_set: 3,
  counts: { pii: 117, credential: 708, infrastructure: 133 },
  truncated: 5,
  findings: [
    { rule: 'email', category: 'pii', action: 'redact', count: 27 },
    {
      rule: 'private-ip',
      category: 'infrastructure',
      action: 'hash',
      count: 9,
    },
  ],
};

export const letter: TerrasiftSchema<'DeadLetter'> = {
  id: 41,
  state: 'open',
  workspace: 'ws-1',
  reason: 'state_refused',
  detail: 'the state is of version 3',
  attempts: 5,
  occurrences: 1,
  retries: 0,
  parked_at: '2026-11-26T15:00:00Z',
  last_at: '2026-11-26T15:00:00Z',
  announced: true,
  retry_waits: false,
};

export const usage: TerrasiftSchema<'Usage'> = {
  since: '2026-10-28T00:00:00Z',
  until: '2026-11-27T00:00:00Z',
  workspaces: 6,
  entities: 400,
  days: [
    {
      day: '2026-11-26T00:00:00Z',
      states: 6,
      bytes: 1_353_136,
      pii: 193,
      credential: 958,
      infrastructure: 201,
    },
  ],
  budget: {
    this_hour: 40,
    last_hour: 120,
    fullest_hour: 900,
    requests_per_second_max: 5,
  },
  cost: { currency: 'EUR', states: 1, bytes: 2, workspaces: 3, total: 6.5 },
};

export const PERMISSIONS = [
  'terrasift.catalog.read',
  'terrasift.audit.read',
  'terrasift.usage.read',
  'terrasift.dead-letters.read',
  'terrasift.dead-letters.write',
];

/** An API in which all is well. */
export function wellApi(): jest.Mocked<TerrasiftApi> {
  return {
    tenants: jest
      .fn()
      .mockResolvedValue([{ id: 'acme', permissions: PERMISSIONS }]),
    status: jest.fn().mockResolvedValue(status),
    workspace: jest.fn().mockResolvedValue(workspace),
    resources: jest.fn().mockResolvedValue({ resources }),
    runs: jest.fn().mockResolvedValue({
      runs: [
        {
          run: 'run-2',
          workspace: 'ws-1',
          serial: 7,
          synced_at: '2026-11-26T15:34:31Z',
        },
        {
          run: 'run-1',
          workspace: 'ws-1',
          serial: 6,
          state_version: 'sv-1',
          synced_at: '2026-11-26T14:34:31Z',
        },
      ],
    }),
    audit: jest.fn().mockResolvedValue({ audit: [sanitization] }),
    usage: jest.fn().mockResolvedValue(usage),
    deadLetters: jest.fn().mockResolvedValue({ dead_letters: [letter] }),
    decide: jest.fn().mockResolvedValue(letter),
  };
}
