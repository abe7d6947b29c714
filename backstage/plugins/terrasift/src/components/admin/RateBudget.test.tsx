import { screen } from '@testing-library/react';
import { wellApi } from '../../__testUtils__/samples';
import { accessibilityViolations, show } from '../../__testUtils__/show';
import { RateBudget, share } from './RateBudget';

describe('RateBudget', () => {
  it('shows what of an hour is used', async () => {
    const budget = {
      this_hour: 12,
      last_hour: 9_000,
      fullest_hour: 18_000,
      requests_per_second_max: 5,
    };
    const { container } = show(<RateBudget budget={budget} />, wellApi());
    expect(await screen.findByText(/of at most 18,000 an hour/)).toBeVisible();
    expect(
      screen.getByText('this hour so far: 12 (less than 1 %)'),
    ).toBeVisible();
    expect(screen.getByText('last hour: 9,000 (50 %)')).toBeVisible();
    expect(screen.getByLabelText('last hour')).toHaveAttribute('value', '9000');
    expect(await accessibilityViolations(container)).toEqual([]);
  });

  it('tells little from nothing, and more than all', () => {
    expect(share(0, 18_000)).toBe('0 %');
    expect(share(1, 18_000)).toBe('less than 1 %');
    expect(share(20_000, 18_000)).toBe('111 %');
  });
});
