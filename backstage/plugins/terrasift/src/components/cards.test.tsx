import { Entity } from '@backstage/catalog-model';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as samples from '../__testUtils__/samples';
import { accessibilityViolations, show } from '../__testUtils__/show';
import { TerrasiftApi } from '../api/TerrasiftApi';
import { ResourceCard } from './ResourceCard';
import { ResourcesCard } from './ResourcesCard';
import { RunsCard } from './RunsCard';
import { SanitizationCard } from './SanitizationCard';
import { SyncCard } from './SyncCard';
import { WorkspaceCard } from './WorkspaceCard';

const { wellApi, workspaceEntity, resourceEntity } = samples;

interface CardCase {
  title: string;
  element: JSX.Element;
  /** What fails it. */
  asks: keyof TerrasiftApi;
  shows: RegExp[];
  empty?: { answer: object; says: RegExp };
}

const CARDS: CardCase[] = [
  {
    title: 'Terraform workspace',
    element: <WorkspaceCard />,
    asks: 'workspace',
    shows: [
      /acme-01/,
      /1\.11\.0 \(state written by 1\.10\.4\)/,
      /sv-s8FQ3Jyxu61dz9PB/,
      /113/,
      /^locked$/,
      /acme\/network, main/,
    ],
  },
  {
    title: 'Sync status',
    element: <SyncCard />,
    asks: 'status',
    shows: [/in step/, /153\.6 KB/, /6 workspaces, 2 waiting, 1 stale/],
  },
  {
    title: 'Sanitization',
    element: <SanitizationCard />,
    asks: 'audit',
    shows: [/^708$/, /^117$/, /^email$/, /^hashed$/, /5 more are counted/],
    empty: { answer: { audit: [] }, says: /No state was sanitized yet/ },
  },
  {
    title: 'Runs',
    element: <RunsCard />,
    asks: 'runs',
    shows: [/^run-2$/, /^run-1$/, /serial 6, sv-1/],
    empty: { answer: { runs: [] }, says: /No run has led/ },
  },
  {
    title: 'Resources',
    element: <ResourcesCard />,
    asks: 'resources',
    shows: [/aws_s3_bucket\.logs/, /module\.network\.aws_vpc\.main/],
    empty: { answer: { resources: [] }, says: /lists no resource/ },
  },
];

describe.each(CARDS)('$title', ({ title, element, asks, shows, empty }) => {
  const card = () => screen.findByRole('region', { name: title });

  it('shows what Terrasift says, to all', async () => {
    const { container } = show(element, wellApi(), workspaceEntity);
    const region = await card();
    for (const text of shows) {
      expect((await within(region).findAllByText(text))[0]).toBeVisible();
    }
    expect(within(region).queryByRole('alert')).not.toBeInTheDocument();
    expect(await accessibilityViolations(container)).toEqual([]);
  });

  it('says that it is loading', async () => {
    const api = wellApi();
    api[asks].mockReturnValue(new Promise(() => {}) as never);
    const { container } = show(element, api, workspaceEntity);
    const region = await card();
    expect(within(region).getByRole('status')).toHaveTextContent(
      `${title}: loading`,
    );
    expect(region).toHaveAttribute('aria-busy', 'true');
    expect(await accessibilityViolations(container)).toEqual([]);
  });

  it('says what failed, and tries again when asked', async () => {
    const api = wellApi();
    api[asks].mockRejectedValueOnce(new Error('Terrasift does not answer'));
    const { container } = show(element, api, workspaceEntity);
    const region = await card();
    const alert = await within(region).findByRole('alert');
    expect(alert).toHaveTextContent('Terrasift does not answer');
    expect(await accessibilityViolations(container)).toEqual([]);
    await userEvent.tab();
    expect(screen.getByRole('button', { name: 'Try again' })).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    expect((await within(region).findAllByText(shows[0]))[0]).toBeVisible();
    expect(within(region).queryByRole('alert')).not.toBeInTheDocument();
  });

  if (empty) {
    it('says that there is nothing', async () => {
      const api = wellApi();
      api[asks].mockResolvedValue(empty.answer as never);
      show(element, api, workspaceEntity);
      expect(await screen.findByText(empty.says)).toBeVisible();
    });
  }
});

describe('a stale workspace', () => {
  it.each([
    ['Terraform workspace', <WorkspaceCard />],
    ['Sync status', <SyncCard />],
  ])('is told in %s', async (title, element) => {
    const api = wellApi();
    api.workspace.mockResolvedValue({
      ...samples.workspace,
      stale: true,
      stale_reason: 'upstream_unavailable',
    });
    const { container } = show(element, api, workspaceEntity);
    const region = await screen.findByRole('region', { name: title });
    expect(await within(region).findByText(/^Stale:/)).toBeVisible();
    expect(within(region).getByText(/upstream_unavailable/)).toBeVisible();
    expect(await accessibilityViolations(container)).toEqual([]);
  });
});

describe('what was shown before', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('stays when asking again fails, and is said to be of before', async () => {
    const api = wellApi();
    show(<SyncCard />, api, workspaceEntity);
    expect(await screen.findByText('in step')).toBeVisible();
    api.status.mockRejectedValueOnce(new Error('gone for a moment'));
    await jest.advanceTimersByTimeAsync(15_000);
    expect(await screen.findByText('This may be out of date')).toBeVisible();
    expect(screen.getByText(/gone for a moment/)).toBeVisible();
    expect(screen.getByText('in step')).toBeVisible();
    await jest.advanceTimersByTimeAsync(15_000);
    await waitFor(() =>
      expect(screen.queryByText('This may be out of date')).toBeNull(),
    );
  });
});

describe('the table of resources', () => {
  const rows = () => screen.getAllByRole('row').slice(1);

  it('shows what was redacted as that, with its category', async () => {
    show(<ResourcesCard />, wellApi(), workspaceEntity);
    expect(await screen.findByText(/personal data/)).toBeVisible();
    expect(screen.getByText(/redacted:/)).toBeInTheDocument();
    expect(screen.queryByText(/REDACTED/)).toBeNull();
  });

  it('is searched by keyboard', async () => {
    show(<ResourcesCard />, wellApi(), workspaceEntity);
    await screen.findByText(/aws_s3_bucket\.logs/);
    expect(rows()).toHaveLength(3);
    await userEvent.click(screen.getByRole('searchbox'));
    await userEvent.keyboard('vpc');
    await screen.findByText(/aws_vpc\.main/);
    expect(rows()).toHaveLength(1);
    await userEvent.keyboard('nothing like that');
    expect(await screen.findByText('No resource is like that.')).toBeVisible();
  });

  it.each([
    ['Type', 'aws_iam_user', /aws_iam_user\.people/],
    ['Module', 'module.network', /aws_vpc\.main/],
  ])('is filtered by %s', async (label, option, expected) => {
    show(<ResourcesCard />, wellApi(), workspaceEntity);
    await screen.findByText(/aws_s3_bucket\.logs/);
    await userEvent.click(
      screen.getByRole('button', { name: new RegExp(label) }),
    );
    await userEvent.click(await screen.findByRole('option', { name: option }));
    expect(await screen.findByText(expected)).toBeVisible();
    expect(rows()).toHaveLength(1);
  });

  it('follows pages to their end, and stops somewhere', async () => {
    const api = wellApi();
    api.resources.mockImplementation(async (_, { cursor }) => ({
      resources: [
        { ...samples.resources[0], entity_ref: `resource:a/${cursor ?? '0'}` },
      ],
      next_cursor: `${Number(cursor ?? 0) + 1}`,
    }));
    show(<ResourcesCard />, api, workspaceEntity);
    expect(
      await screen.findByText(/The first 5; there are more/),
    ).toBeVisible();
    expect(api.resources).toHaveBeenCalledTimes(5);
  });
});

describe('a resource', () => {
  const shown = (entity: Entity) => show(<ResourceCard />, wellApi(), entity);

  it('tells its address without what was redacted, and its workspace', async () => {
    const { container } = shown(resourceEntity);
    expect(await screen.findByText(/personal data/)).toBeVisible();
    expect(screen.getByText('eu-central-1')).toBeVisible();
    expect(screen.getByRole('link')).toHaveAttribute(
      'href',
      '/catalog/acme-01/terraformworkspace/acme-01-network-prod-izkgf3a4',
    );
    expect(await accessibilityViolations(container)).toEqual([]);
  });

  it('has no link that is not of the web', async () => {
    shown(resourceEntity);
    await screen.findByText('eu-central-1');
    expect(screen.queryByText('open the workspace')).toBeNull();
  });
});
