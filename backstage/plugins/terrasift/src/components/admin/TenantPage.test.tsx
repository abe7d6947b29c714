import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { PERMISSIONS, status, wellApi } from '../../__testUtils__/samples';
import { accessibilityViolations, show } from '../../__testUtils__/show';
import { stepsOf } from './OnboardingCard';
import { TenantPage } from './TenantPage';

describe('TenantPage', () => {
  it('shows an operator onboarding, usage and dead letters', async () => {
    const { container } = show(<TenantPage />, wellApi());
    const onboarding = await screen.findByRole('region', {
      name: 'Onboarding',
    });
    expect(
      await within(onboarding).findByText('First sync: waiting'),
    ).toBeVisible();
    expect(await screen.findByText('6.50 EUR')).toBeVisible();
    expect(screen.getByText(/^last hour: 120/)).toBeVisible();
    expect(await screen.findByText('state_refused')).toBeVisible();
    expect(await accessibilityViolations(container)).toEqual([]);
  });

  it('shows a reader that there is a tenant, and nothing of its operation', async () => {
    const api = wellApi();
    api.tenants.mockResolvedValue([
      { id: 'acme', permissions: PERMISSIONS.slice(0, 2) },
    ]);
    show(<TenantPage />, api);
    expect(await screen.findByText(/are for who operates it/)).toBeVisible();
    expect(api.usage).not.toHaveBeenCalled();
    expect(api.deadLetters).not.toHaveBeenCalled();
  });

  it('says who grants tenants when there is none', async () => {
    const api = wellApi();
    api.tenants.mockResolvedValue([]);
    const { container } = show(<TenantPage />, api);
    expect(
      await screen.findByText('No tenant is granted to you'),
    ).toBeVisible();
    expect(await accessibilityViolations(container)).toEqual([]);
  });

  it('says what failed, and tries again', async () => {
    const api = wellApi();
    api.tenants.mockRejectedValueOnce(new Error('no answer'));
    show(<TenantPage />, api);
    expect(await screen.findByText('no answer')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('state_refused')).toBeVisible();
  });

  it('retries a letter, and looks again', async () => {
    const api = wellApi();
    show(<TenantPage />, api);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Retry letter 41' }),
    );
    expect(api.decide).toHaveBeenCalledWith('acme', 41, 'retry');
    expect(
      await screen.findByText('Letter 41 will be tried again.'),
    ).toBeVisible();
    await waitFor(() => expect(api.deadLetters).toHaveBeenCalledTimes(2));
  });

  it('discards a letter only when that is confirmed', async () => {
    const api = wellApi();
    show(<TenantPage />, api);
    const discard = await screen.findByRole('button', {
      name: 'Discard letter 41',
    });
    await userEvent.click(discard);
    const dialog = await screen.findByRole('dialog');
    await userEvent.click(
      within(dialog).getByRole('button', { name: 'Keep it' }),
    );
    expect(api.decide).not.toHaveBeenCalled();
    await userEvent.click(discard);
    await userEvent.click(
      within(await screen.findByRole('dialog')).getByRole('button', {
        name: 'Discard',
      }),
    );
    expect(api.decide).toHaveBeenCalledWith('acme', 41, 'discard');
  });

  it('says why a letter could not be decided', async () => {
    const api = wellApi();
    api.decide.mockRejectedValueOnce(new Error('it was decided before'));
    show(<TenantPage />, api);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Retry letter 41' }),
    );
    expect(await screen.findByText(/it was decided before/)).toBeVisible();
  });
});

describe('stepsOf', () => {
  it.each([
    [{ workspaces: 0, waiting_workspaces: 0 }, 'done waiting waiting waiting'],
    [{ workspaces: 5, waiting_workspaces: 2 }, 'done done waiting waiting'],
    [{ workspaces: 5, waiting_workspaces: 0 }, 'done done done done'],
    [
      { workspaces: 5, waiting_workspaces: 0, stale_workspaces: 1 },
      'done done done attention',
    ],
    [
      { workspaces: 5, waiting_workspaces: 0, open_dead_letters: 1 },
      'done done done attention',
    ],
  ])('%j', (some, expected) => {
    const steps = stepsOf({
      ...status,
      stale_workspaces: 0,
      open_dead_letters: 0,
      ...some,
    });
    expect(steps.map(it => it[1]).join(' ')).toBe(expected);
  });
});
